//! String literals, as Python reads them.

/// Bytes in which the name after `\N` ends; Unicode's longest has 88.
const MAX_NAME: usize = 128;

/// Bytes of the string literal at the start of `text`, quotes included.
pub fn length(text: &str) -> usize {
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

/// Appends a literal that minijinja reads as Python reads this one: it knows neither `\a`, `\v`, `\U0001F433`,
/// `\N{SPOUTING WHALE}` nor an escaped line end, and takes the backslash from `\/`.
pub fn rewrite(literal: &str, out: &mut String) -> Result<(), &'static str> {
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'a' => out.push('\x07'),
            'v' => out.push('\x0B'),
            '\n' => {}
            '/' => out.push_str("\\\\/"),
            'U' => {
                push(eight_digits(rest).ok_or("\\U without a character's eight digits in a string")?, out);
                rest = &rest[8..];
            }
            'N' => {
                let name = name_in_braces(rest).ok_or("\\N without a {name} in a string")?;
                push(unicode_names2::character(name).ok_or("\\N with an unknown name in a string")?, out);
                rest = &rest[name.len() + 2..];
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out.push_str(rest);
    Ok(())
}

/// The character whose number `text` starts with.
fn eight_digits(text: &str) -> Option<char> {
    let digits = text.get(..8).filter(|digits| !digits.starts_with('+'))?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

fn name_in_braces(text: &str) -> Option<&str> {
    let end = text.bytes().take(MAX_NAME).position(|byte| byte == b'}')?;
    text[..end].strip_prefix('{')
}

/// A character inside a literal.
fn push(character: char, out: &mut String) {
    if matches!(character, '\'' | '"' | '\\') {
        out.push('\\');
    }
    out.push(character);
}
