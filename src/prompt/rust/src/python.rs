//! Values written as Python writes them: str(), repr() and json.dumps().
use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use crate::objects::Range;

/// Nesting that is written; deeper values can only be built by a hostile template.
const MAX_DEPTH: usize = 200;

/// Bytes of one value's text; a list may be far longer than the memory it takes.
const MAX_TEXT: usize = 16 << 20;

/// Python's repr(float): the shortest digits that read back, as an exponent below 1e-4 and from 1e16.
pub fn write_float(out: &mut String, x: f64) {
    if !x.is_finite() {
        out.push_str(if x.is_nan() {
            "nan"
        } else if x > 0.0 {
            "inf"
        } else {
            "-inf"
        });
        return;
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let fixed = x.to_string();
        out.push_str(&fixed);
        if !fixed.contains('.') {
            out.push_str(".0");
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
    }
}

/// Lists, and what minijinja makes of `a + b` and `a * n`; not ranges, and not generators, whose length is unknown.
fn is_list(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq => true,
        ValueKind::Iterable => value.len().is_some() && value.downcast_object_ref::<Range>().is_none(),
        _ => false,
    }
}

pub fn is_float(value: &Value) -> bool {
    value.kind() == ValueKind::Number && !value.is_integer()
}

fn float_of(value: &Value) -> f64 {
    f64::try_from(value.clone()).unwrap_or(f64::NAN)
}

/// Python's str(): what `{{ value }}` prints.
pub fn write_str(out: &mut String, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => out.push_str(value.as_str().unwrap_or_default()),
        ValueKind::Undefined => {}
        _ => write_repr(out, value, 0)?,
    }
    Ok(())
}

fn check_bounds(out: &str, depth: usize) -> Result<(), Error> {
    match (depth > MAX_DEPTH, out.len() > MAX_TEXT) {
        (true, _) => Err(Error::new(ErrorKind::InvalidOperation, "a value is nested too deeply")),
        (_, true) => Err(Error::new(ErrorKind::InvalidOperation, "a value's text is over 16 MiB")),
        _ => Ok(()),
    }
}

fn write_repr(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    check_bounds(out, depth)?;
    match value.kind() {
        ValueKind::String => write_quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::Number if is_float(value) => write_float(out, float_of(value)),
        ValueKind::Bytes => {
            out.push('b');
            write_quoted(out, &String::from_utf8_lossy(value.as_bytes().unwrap_or_default()));
        }
        _ if is_list(value) => {
            let (open, close) = if value.is_tuple() { ('(', ')') } else { ('[', ']') };
            out.push(open);
            for (i, item) in value.try_iter()?.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &item, depth + 1)?;
            }
            if value.is_tuple() && value.len() == Some(1) {
                out.push(',');
            }
            out.push(close);
        }
        ValueKind::Map => {
            out.push('{');
            for (i, key) in value.try_iter()?.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &key, depth + 1)?;
                out.push_str(": ");
                write_repr(out, &value.get_item(&key)?, depth + 1)?;
            }
            out.push('}');
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
    Ok(())
}

/// Python's repr(str): single quotes unless only double ones avoid escapes.
fn write_quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let code = c as u32;
                let _ = match code {
                    0..=0xFF => write!(out, "\\x{code:02x}"),
                    0x100..=0xFFFF => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// str.isprintable() as far as Rust's tables tell: no control, format, separator (but the space), private or
/// unassigned code points. Those that char::escape_debug escapes besides (grapheme extenders) are printable.
fn is_printable(c: char) -> bool {
    if c == ' ' || c.is_ascii_graphic() {
        return true;
    }
    let escaped = c.escape_debug();
    escaped.len() == 1 || is_grapheme_extender(c)
}

/// escape_debug() escapes a leading combining mark, but not one that follows another character.
fn is_grapheme_extender(c: char) -> bool {
    format!("{:?}", format!("a{c}")).chars().nth(2) == Some(c)
}

/// The options of transformers' tojson filter.
pub struct JsonStyle {
    pub ensure_ascii: bool,
    pub indent: Option<String>,
    pub item_separator: String,
    pub key_separator: String,
    pub sort_keys: bool,
}

/// json.dumps(value).
pub fn to_json(value: &Value, style: &JsonStyle) -> Result<String, Error> {
    let mut out = String::new();
    write_json(&mut out, value, style, 0)?;
    Ok(out)
}

fn write_json(out: &mut String, value: &Value, style: &JsonStyle, depth: usize) -> Result<(), Error> {
    check_bounds(out, depth)?;
    match value.kind() {
        ValueKind::String => write_json_string(out, value.as_str().unwrap_or_default(), style.ensure_ascii),
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => write_json_number(out, value),
        _ if is_list(value) => {
            let items = value.try_iter()?;
            write_json_items(out, style, depth, ('[', ']'), items, |out, item| {
                write_json(out, &item, style, depth + 1)
            })?;
        }
        ValueKind::Map => {
            let mut members = Vec::new();
            for key in value.try_iter()? {
                members.push((json_key(&key)?, value.get_item(&key)?));
            }
            if style.sort_keys {
                members.sort_by(|a, b| a.0.cmp(&b.0));
            }
            write_json_items(out, style, depth, ('{', '}'), members.into_iter(), |out, (key, item)| {
                write_json_string(out, &key, style.ensure_ascii);
                out.push_str(&style.key_separator);
                write_json(out, &item, style, depth + 1)
            })?;
        }
        kind => {
            let message = format!("Object of type {kind} is not JSON serializable");
            return Err(Error::new(ErrorKind::BadSerialization, message));
        }
    }
    Ok(())
}

fn write_json_items<T>(
    out: &mut String,
    style: &JsonStyle,
    depth: usize,
    brackets: (char, char),
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T) -> Result<(), Error>,
) -> Result<(), Error> {
    let new_line = |out: &mut String, level: usize| {
        if let Some(indent) = &style.indent {
            out.push('\n');
            out.push_str(&indent.repeat(level));
        }
    };
    let mut filled = false;
    out.push(brackets.0);
    for item in items {
        if filled {
            out.push_str(&style.item_separator);
        }
        filled = true;
        new_line(out, depth + 1);
        write(out, item)?;
    }
    if filled {
        new_line(out, depth);
    }
    out.push(brackets.1);
    Ok(())
}

fn write_json_number(out: &mut String, value: &Value) {
    if !is_float(value) {
        let _ = write!(out, "{value}");
        return;
    }
    let x = float_of(value);
    match x.is_finite() {
        true => write_float(out, x),
        false => out.push_str(if x.is_nan() {
            "NaN"
        } else if x > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }),
    }
}

/// json.dumps takes strings, numbers, booleans and None as keys.
fn json_key(key: &Value) -> Result<String, Error> {
    let mut text = String::new();
    match key.kind() {
        ValueKind::String => text.push_str(key.as_str().unwrap_or_default()),
        ValueKind::Number => write_json_number(&mut text, key),
        ValueKind::None => text.push_str("null"),
        ValueKind::Bool => text.push_str(if key.is_true() { "true" } else { "false" }),
        kind => {
            let message = format!("keys must be str, int, float, bool or None, not {kind}");
            return Err(Error::new(ErrorKind::BadSerialization, message));
        }
    }
    Ok(text)
}

fn write_json_string(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ensure_ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
