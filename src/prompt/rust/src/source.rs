//! Rewrites what minijinja would read differently from Python's Jinja, before it is compiled:
//! line ends, `{% generation %}` (nothing), `'format' % value`, and attributes such as `.items` that name a method.
//! Operands get filters where minijinja works for free: `+` and `*` make long lists lazily, `x[i]` may read all of a text, `~`
//! prints its operands however deep they are nested.

/// Attributes that Jinja resolves to the value's Python method or property before it looks at a dict's keys.
const PYTHON_ATTRIBUTES: [&str; 8] = ["items", "keys", "values", "get", "pop", "update", "copy", "real"];

/// Operators and brackets of one tag, and `elif`s of one template: the compiler recurses over chains of them.
const MAX_OPERATORS: usize = 2000;

/// The rewritten source; an error's text where it is nested or chained too long.
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
    /// The next word is a filter's name.
    filtering: bool,
    /// Before the `=` of a `set`.
    assigning: bool,
    /// For each open bracket: where the operand that it belongs to, or is, starts.
    brackets: Vec<Option<usize>>,
    /// What to write once the operand that is read at a bracket depth has ended.
    endings: Vec<(usize, &'static str)>,
    operators: usize,
    is_elif: bool,
}

const END_OF_MODULO: &str = "))";
const END_OF_ADDED: &str = "|_added";
const END_OF_FACTOR: &str = "|_factor";
const END_OF_TEXT: &str = "|string";

impl<'a> Tag<'a> {
    fn new(text: &'a str, end: &'static str) -> Self {
        Tag {
            text,
            end,
            at: 0,
            operand: None,
            literal: false,
            filtering: false,
            assigning: false,
            brackets: Vec::new(),
            endings: Vec::new(),
            operators: 0,
            is_elif: false,
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
                self.end_operand(out);
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
                self.copy(string_length(&self.text[self.at..]), out);
            }
            c if c.is_alphanumeric() || c == '_' => self.word(out),
            '(' | '[' | '{' => {
                self.operators += 1;
                match self.operand {
                    None => self.begin_operand(out),
                    Some(_) if c == '[' => self.wrap("|_read)", out),
                    Some(_) => {}
                }
                self.brackets.push(self.operand.take());
                self.copy(1, out);
            }
            ')' | ']' | '}' => {
                self.end_operand(out);
                self.operand = self.brackets.pop().flatten();
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
            '~' if self.operand.is_some() => self.chained("|string)", END_OF_TEXT, out),
            c => {
                self.end_operand(out);
                self.operators += usize::from(c != ',' && c != ':');
                self.assigning &= c != '=';
                self.copy(c.len_utf8(), out);
            }
        }
    }

    fn begin_operand(&mut self, out: &mut String) {
        self.end_operand(out);
        self.operand = Some(out.len());
    }

    fn word(&mut self, out: &mut String) {
        let rest = &self.text[self.at..];
        let mut length = word_length(rest);
        match &rest[..length] {
            _ if self.filtering => {}
            "if" | "else" | "elif" | "in" | "not" | "and" | "or" | "is" | "for" | "set" | "recursive" => {
                self.end_operand(out);
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

    /// `a + b + c` becomes `(a|_sum) + b|_added + c|_added`; likewise for `~`.
    fn chained(&mut self, first_filter: &str, ending: &'static str, out: &mut String) {
        if self.endings.last() != Some(&(self.brackets.len(), ending)) {
            self.wrap(first_filter, out);
        }
        self.end_operand(out);
        self.operators += 1;
        self.copy(1, out);
        self.endings.push((self.brackets.len(), ending));
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
    }
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Bytes of the string literal at the start of `text`, quotes included.
fn string_length(text: &str) -> usize {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b if b == quote => return i + 1,
            _ => {}
        }
    }
    text.len()
}
