//! Rewrites what minijinja would read differently from Python's Jinja, before it is compiled:
//! line ends, `{% generation %}` (nothing), `'format' % value`, and attributes such as `.items` that name a method.

/// Attributes that Jinja resolves to the value's Python method or property before it looks at a dict's keys.
const PYTHON_ATTRIBUTES: [&str; 8] = ["items", "keys", "values", "get", "pop", "update", "copy", "real"];

/// Rewrites of one tag: each may move what the tag has written so far.
const MAX_REWRITES: usize = 1000;

pub fn rewrite(source: &str) -> String {
    let unix = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(unix.len() + 64);
    let mut rest = unix.as_str();
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = match rest.as_bytes().get(1) {
            Some(b'#') => rest.find("#}").map_or(rest.len(), |end| end + 2),
            Some(b'%') => match raw_block_length(rest) {
                Some(length) => length,
                None => {
                    rest = &rest[Tag::new(rest, "%}").rewrite(&mut out)..];
                    continue;
                }
            },
            Some(b'{') => {
                rest = &rest[Tag::new(rest, "}}").rewrite(&mut out)..];
                continue;
            }
            _ => 1,
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
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
    /// The operand is one string literal and nothing else.
    literal: bool,
    /// For each open bracket: where the operand that it belongs to, or is, starts.
    brackets: Vec<Option<usize>>,
    /// Bracket depths at which a `_modulo(` waits for the end of its operand.
    modulos: Vec<usize>,
    assigning: bool,
    rewrites: usize,
}

impl<'a> Tag<'a> {
    fn new(text: &'a str, end: &'static str) -> Self {
        Tag {
            text,
            end,
            at: 0,
            operand: None,
            literal: false,
            brackets: Vec::new(),
            modulos: Vec::new(),
            assigning: false,
            rewrites: 0,
        }
    }

    /// Appends the rewritten tag; returns how many bytes of the text it has.
    fn rewrite(mut self, out: &mut String) -> usize {
        for (name, replacement) in [("generation", "with"), ("endgeneration", "endwith")] {
            if let Some(length) = named_tag_length(self.text, name) {
                out.push_str(&self.text[..length].replacen(name, replacement, 1));
                return length;
            }
        }
        self.copy(2, out);
        if let Some(b'-' | b'+') = self.text.as_bytes().get(2) {
            self.copy(1, out);
        }
        while let Some(c) = self.text[self.at..].chars().next() {
            if self.brackets.is_empty() && self.closes() {
                self.finish_modulos(out);
                let sign = usize::from(!self.text[self.at..].starts_with(self.end));
                self.copy(sign + 2, out);
                break;
            }
            self.token(c, out);
        }
        self.at
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
                self.begin_operand(out);
                self.literal = true;
                self.copy(string_length(&self.text[self.at..]), out);
            }
            c if c.is_alphanumeric() || c == '_' => self.word(out),
            '(' | '[' | '{' => {
                let continues = self.operand.is_some() && c != '{';
                if !continues {
                    self.begin_operand(out);
                }
                self.brackets.push(self.operand);
                self.copy(1, out);
                self.operand = None;
            }
            ')' | ']' | '}' => {
                self.finish_modulos(out);
                self.operand = self.brackets.pop().flatten();
                self.literal = false;
                self.copy(1, out);
            }
            '.' if self.operand.is_some() => self.attribute(out),
            '%' if self.operand.is_some() && self.literal && self.rewrites < MAX_REWRITES => {
                self.modulos.push(self.brackets.len());
                self.open_group(out);
                out.push_str("|_modulo(");
                self.at += 1;
                self.operand = None;
            }
            c => {
                self.finish_modulos(out);
                self.assigning &= c != '=';
                self.operand = None;
                self.copy(c.len_utf8(), out);
            }
        }
    }

    fn begin_operand(&mut self, out: &mut String) {
        if self.operand.is_some() {
            self.finish_modulos(out);
        }
        self.operand = Some(out.len());
        self.literal = false;
    }

    fn word(&mut self, out: &mut String) {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        match &rest[..length] {
            "if" | "else" | "elif" | "in" | "not" | "and" | "or" | "is" | "for" | "set" | "recursive" => {
                self.finish_modulos(out);
                self.operand = None;
                self.assigning |= rest.starts_with("set");
            }
            _ => self.begin_operand(out),
        }
        self.copy(length, out);
    }

    /// `.name`; a name of PYTHON_ATTRIBUTES that is not called becomes a filter around the operand.
    fn attribute(&mut self, out: &mut String) {
        self.literal = false;
        let rest = &self.text[self.at + 1..];
        let trimmed = rest.trim_start();
        let length = trimmed.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(trimmed.len());
        let name = &trimmed[..length];
        let total = 1 + rest.len() - trimmed.len() + length;
        let called = trimmed[length..].trim_start().starts_with('(');
        let plain = called || self.assigning || !PYTHON_ATTRIBUTES.contains(&name);
        if plain || self.rewrites == MAX_REWRITES {
            self.copy(total, out);
            return;
        }
        self.open_group(out);
        out.push_str("|_attribute('");
        out.push_str(name);
        out.push_str("'))");
        self.at += total;
    }

    fn open_group(&mut self, out: &mut String) {
        self.rewrites += 1;
        out.insert(self.operand.unwrap_or(out.len()), '(');
    }

    fn finish_modulos(&mut self, out: &mut String) {
        while self.operand.is_some() && self.modulos.last() == Some(&self.brackets.len()) {
            self.modulos.pop();
            out.push_str("))");
        }
    }
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
