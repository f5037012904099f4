//! Rewrites what minijinja would read differently from Python's Jinja, before it is compiled:
//! line ends, string literals, `{% generation %}` (nothing), `'format' % value`, and attributes such as `.items` that
//! name a method.
//! Operands get filters where minijinja works for free: `+` and `*` make long lists lazily, `x[i]` may read all of a
//! text, `~` prints its operands however deep they are nested.

use crate::literal;

/// Attributes that Jinja resolves to the value's Python method or property before it looks at a dict's keys.
const PYTHON_ATTRIBUTES: [&str; 8] = ["items", "keys", "values", "get", "pop", "update", "copy", "real"];

/// Operators and brackets of one tag, and `elif`s of one template: the compiler recurses over chains of them.
const MAX_OPERATORS: usize = 2000;

/// The rewritten source; an error's text where it is nested or chained too long, or a literal is broken.
pub fn rewrite(source: &str) -> Result<String, &'static str> {
    let unix = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(unix.len() + 64);
    let mut rest = unix.as_str();
    let mut elifs = 0;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = match rest.as_bytes().get(1) {
            Some(b'%') if named_tag_length(rest, "raw").is_none() => "%}",
            Some(b'{') => "}}",
            _ => {
                let length = plain_length(rest);
                out.push_str(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
        };
        let mut tag = Tag::new(rest, end);
        tag.rewrite(&mut out);
        if let Some(what) = tag.bad_literal {
            return Err(what);
        }
        elifs += usize::from(tag.is_elif);
        if tag.operators > MAX_OPERATORS || elifs > MAX_OPERATORS {
            return Err("over 2000 operators in one expression, or branches in one template");
        }
        rest = &rest[tag.at..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Bytes at the start of `text` that are no expression: a comment, a raw block or a single brace.
fn plain_length(text: &str) -> usize {
    if text.starts_with("{#") {
        return text.find("#}").map_or(text.len(), |end| end + 2);
    }
    raw_block_length(text).unwrap_or(1)
}

/// `{% raw %}…{% endraw %}` at the start of `text`, whole: its inside is no template.
fn raw_block_length(text: &str) -> Option<usize> {
    let inside = named_tag_length(text, "raw")?;
    let mut at = inside;
    while let Some(next) = text[at..].find("{%") {
        at += next;
        match named_tag_length(&text[at..], "endraw") {
            Some(length) => return Some(at + length),
            None => at += 2,
        }
    }
    Some(text.len())
}

/// Bytes of the tag `{% name %}` at the start of `text`.
fn named_tag_length(text: &str, name: &str) -> Option<usize> {
    let inner = text.strip_prefix("{%")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start();
    let inner = inner.strip_prefix(name)?.trim_start();
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    Some(text.len() - inner.strip_prefix("%}")?.len())
}

/// One `{{ … }}` or `{% … %}`.
struct Tag<'a> {
    text: &'a str,
    end: &'static str,
    at: usize,
    /// Where the operand before the current token starts in the output; none where an operand is expected.
    operand: Option<usize>,
    /// The operand is string literals and nothing else.
    literal: bool,
    /// The next word is a filter's or a test's name.
    filtering: bool,
    /// After `is`: an operand without brackets may follow the test's name.
    testing: bool,
    /// Before the `=` of a `set`.
    assigning: bool,
    /// Where the sum or product starts that the operand belongs to.
    term: Option<usize>,
    /// The term stands right of a `~`.
    follows_tilde: bool,
    /// For each open bracket: operand (that it belongs to, or is), term and follows_tilde outside.
    brackets: Vec<(Option<usize>, Option<usize>, bool)>,
    /// What to write once the operand that is read at a bracket depth has ended.
    endings: Vec<(usize, &'static str)>,
    operators: usize,
    is_elif: bool,
    /// What is wrong with a string literal.
    bad_literal: Option<&'static str>,
}

// With a blank: a word may follow.
const END_OF_MODULO: &str = ")) ";
const END_OF_ADDED: &str = "|_added ";
const END_OF_FACTOR: &str = "|_factor ";

impl<'a> Tag<'a> {
    fn new(text: &'a str, end: &'static str) -> Self {
        Tag {
            text,
            end,
            at: 0,
            operand: None,
            literal: false,
            filtering: false,
            testing: false,
            assigning: false,
            term: None,
            follows_tilde: false,
            brackets: Vec::new(),
            endings: Vec::new(),
            operators: 0,
            is_elif: false,
            bad_literal: None,
        }
    }

    /// Appends the rewritten tag and puts `at` behind it.
    fn rewrite(&mut self, out: &mut String) {
        for (name, replacement) in [("generation", "with"), ("endgeneration", "endwith")] {
            if let Some(length) = named_tag_length(self.text, name) {
                out.push_str(&self.text[..length].replacen(name, replacement, 1));
                self.at = length;
                return;
            }
        }
        self.copy(2, out);
        if let Some(b'-' | b'+') = self.text.as_bytes().get(2) {
            self.copy(1, out);
        }
        while let Some(c) = self.text[self.at..].chars().next() {
            if self.brackets.is_empty() && self.closes() {
                self.end_term(out);
                let sign = usize::from(!self.text[self.at..].starts_with(self.end));
                self.copy(sign + 2, out);
                return;
            }
            if self.operators > MAX_OPERATORS {
                return;
            }
            self.token(c, out);
        }
    }

    fn closes(&self) -> bool {
        let rest = &self.text[self.at..];
        rest.starts_with(self.end) || rest.strip_prefix(['-', '+']).is_some_and(|r| r.starts_with(self.end))
    }

    fn copy(&mut self, length: usize, out: &mut String) {
        let end = (self.at + length).min(self.text.len());
        out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn token(&mut self, c: char, out: &mut String) {
        match c {
            c if c.is_whitespace() => self.copy(c.len_utf8(), out),
            '\'' | '"' => {
                if !(self.literal && self.operand.is_some()) {
                    self.begin_operand(out);
                    self.literal = true;
                }
                let rest = &self.text[self.at..];
                let text = &rest[..literal::length(rest)];
                self.bad_literal = self.bad_literal.or(literal::rewrite(text, out).err());
                self.at += text.len();
            }
            c if c.is_alphanumeric() || c == '_' => self.word(out),
            '(' | '[' | '{' => {
                self.operators += 1;
                let is_argument = std::mem::take(&mut self.testing);
                match self.operand {
                    None => self.begin_operand(out),
                    Some(_) if c == '[' && !is_argument => self.wrap("|_read)", out),
                    Some(_) => {}
                }
                self.brackets.push((self.operand.take(), self.term.take(), self.follows_tilde));
                self.follows_tilde = false;
                self.copy(1, out);
            }
            ')' | ']' | '}' => {
                self.end_term(out);
                (self.operand, self.term, self.follows_tilde) = self.brackets.pop().unwrap_or_default();
                self.literal = false;
                self.copy(1, out);
            }
            '.' if self.operand.is_some() => self.attribute(out),
            '|' if self.operand.is_some() => {
                self.filtering = true;
                self.operators += 1;
                self.literal = false;
                self.copy(1, out);
            }
            '%' if self.operand.is_some() && self.literal => self.modulo(out),
            '+' if self.operand.is_some() => self.chained("|_sum)", END_OF_ADDED, out),
            '*' if self.operand.is_some() && !self.text[self.at + 1..].starts_with('*') => {
                self.chained("|_times)", END_OF_FACTOR, out)
            }
            '~' if self.operand.is_some() => self.tilde(out),
            '+' | '-' | '*' | '/' | '%' => {
                self.end_operand(out);
                self.operators += 1;
                self.term = self.term.or(Some(out.len()));
                self.copy(1, out);
            }
            c => {
                self.end_term(out);
                self.operators += usize::from(c != ',' && c != ':');
                self.assigning &= c != '=';
                self.copy(c.len_utf8(), out);
            }
        }
    }

    fn begin_operand(&mut self, out: &mut String) {
        if self.operand.is_some() {
            if std::mem::take(&mut self.testing) {
                return; // the test's argument belongs to what is tested
            }
            self.end_term(out);
        }
        self.operand = Some(out.len());
        self.term = self.term.or(self.operand);
    }

    fn word(&mut self, out: &mut String) {
        let rest = &self.text[self.at..];
        let mut length = word_length(rest);
        match &rest[..length] {
            "not" if self.filtering => {
                self.copy(length, out);
                return;
            }
            _ if self.filtering => {}
            "is" if self.operand.is_some() => {
                self.operators += 1;
                self.literal = false;
                self.testing = true;
                self.filtering = true;
                self.copy(length, out);
                return;
            }
            "if" | "else" | "elif" | "in" | "not" | "and" | "or" | "is" | "for" | "set" | "recursive" => {
                self.end_term(out);
                self.operators += 1;
                self.assigning |= &rest[..length] == "set";
                self.is_elif |= &rest[..length] == "elif";
            }
            number if number.starts_with(|c: char| c.is_ascii_digit()) => {
                self.begin_operand(out);
                if number.ends_with(['e', 'E']) && rest[length..].starts_with(['+', '-']) {
                    length += 1 + word_length(&rest[length + 1..]);
                }
            }
            _ => self.begin_operand(out),
        }
        self.filtering = false;
        self.copy(length, out);
    }

    /// `.name`; a name of PYTHON_ATTRIBUTES that is not called becomes a filter around the operand.
    fn attribute(&mut self, out: &mut String) {
        self.literal = false;
        self.operators += 1;
        let rest = &self.text[self.at + 1..];
        let trimmed = rest.trim_start();
        let name = &trimmed[..word_length(trimmed)];
        let total = 1 + rest.len() - trimmed.len() + name.len();
        let called = trimmed[name.len()..].trim_start().starts_with('(');
        if called || self.assigning || !PYTHON_ATTRIBUTES.contains(&name) {
            self.copy(total, out);
            return;
        }
        self.wrap(&format!("|_attribute('{name}'))"), out);
        self.at += total;
    }

    /// `'format' % value` becomes `('format'|_modulo(value))`.
    fn modulo(&mut self, out: &mut String) {
        self.wrap("|_modulo(", out);
        self.at += 1;
        self.operand = None;
        self.endings.push((self.brackets.len(), END_OF_MODULO));
    }

    /// `a + b + c` becomes `(a|_sum) + b|_added + c|_added`; likewise for `*`.
    fn chained(&mut self, first_filter: &str, ending: &'static str, out: &mut String) {
        if self.endings.last() != Some(&(self.brackets.len(), ending)) {
            self.wrap(first_filter, out);
        }
        self.end_operand(out);
        self.operators += 1;
        self.copy(1, out);
        self.endings.push((self.brackets.len(), ending));
    }

    /// `a ~ b` becomes `(a)|string ~ (b)|string`.
    fn tilde(&mut self, out: &mut String) {
        self.follows_tilde = true;
        self.end_term(out);
        self.operators += 1;
        self.copy(1, out);
        self.follows_tilde = true;
    }

    /// Where there is a term, nothing continues it.
    fn end_term(&mut self, out: &mut String) {
        self.end_operand(out);
        if let (Some(start), true) = (self.term, self.follows_tilde) {
            self.operators += 1;
            out.insert(start, '(');
            out.push_str(")|string ");
        }
        self.term = None;
        self.follows_tilde = false;
    }

    /// Opens a bracket in front of the operand and writes `rest` behind it.
    fn wrap(&mut self, rest: &str, out: &mut String) {
        self.operators += 1;
        out.insert(self.operand.unwrap_or(out.len()), '(');
        out.push_str(rest);
    }

    /// Where there is an operand, nothing continues it.
    fn end_operand(&mut self, out: &mut String) {
        while self.operand.is_some()
            && self.endings.last().is_some_and(|(depth, _)| *depth == self.brackets.len())
        {
            out.push_str(self.endings.pop().map_or("", |(_, ending)| ending));
        }
        self.operand = None;
        self.literal = false;
        self.testing = false;
    }
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}
