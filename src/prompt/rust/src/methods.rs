//! Methods of Python's str, list and dict that minijinja's own emulation lacks or does differently.
use minijinja::value::{from_args, Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

use crate::filters;

/// Bytes or elements that one step pays for.
const READ_PER_STEP: u64 = 64;
/// Columns that ljust and its relatives may pad to.
const MAX_WIDTH: i64 = 100_000;

pub fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    // whatever the method does, it may read all of them once
    let read = std::iter::once(value).chain(args).map(|v| v.as_str().map_or(v.len().unwrap_or(0), str::len));
    state.consume_fuel(read.sum::<usize>() as u64 / READ_PER_STEP)?;
    let own = match value.kind() {
        ValueKind::String if method == "format" => {
            Some(filters::str_format(state, value.as_str().unwrap_or_default(), args)?)
        }
        ValueKind::String if method == "join" => {
            let (list,): (&Value,) = from_args(args)?;
            let items = filters::items_of(state, list)?;
            Some(Value::from(filters::join_texts(state, value.as_str().unwrap_or_default(), items)?))
        }
        ValueKind::String => of_string(value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Bytes if method == "decode" => {
            Some(Value::from(String::from_utf8_lossy(value.as_bytes().unwrap_or_default())))
        }
        ValueKind::Seq => of_sequence(value, method, args)?,
        ValueKind::Map => of_map(value, method, args)?,
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn failed(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// str.isspace() for one character: White_Space and the four information separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// str.title()'s first letter: the few digraphs that have a title case of their own, else upper case with small rest.
fn push_title(out: &mut String, c: char) {
    let own = match c {
        '\u{1c4}'..='\u{1c6}' => Some('\u{1c5}'),
        '\u{1c7}'..='\u{1c9}' => Some('\u{1c8}'),
        '\u{1ca}'..='\u{1cc}' => Some('\u{1cb}'),
        '\u{1f1}'..='\u{1f3}' => Some('\u{1f2}'),
        _ => None,
    };
    match own {
        Some(title) => out.push(title),
        None => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let cased = c.is_lowercase() || c.is_uppercase() || c.to_lowercase().next() != Some(c);
        match cased && !inside {
            true => push_title(&mut out, c),
            false => out.extend(c.to_lowercase()),
        }
        inside = cased;
    }
    out
}

fn capitalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    if let Some(first) = chars.next() {
        push_title(&mut out, first);
    }
    out.push_str(&chars.as_str().to_lowercase());
    out
}

fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_uppercase() {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
    }
    out
}

fn split_space_from_right(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        match rest.rfind(is_space) {
            Some(at) if parts.len() < limit => {
                let after = at + rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[after..]);
                rest = rest[..at].trim_end_matches(is_space);
            }
            _ => {
                parts.push(rest);
                break;
            }
        }
    }
    parts.reverse();
    parts
}

fn split_space(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        match rest.find(is_space) {
            Some(at) if parts.len() < limit => {
                parts.push(&rest[..at]);
                rest = rest[at..].trim_start_matches(is_space);
            }
            _ => {
                parts.push(rest);
                break;
            }
        }
    }
    parts
}

fn split(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, limit, kwargs): (Option<&str>, Option<i64>, minijinja::value::Kwargs) = from_args(args)?;
    let separator = separator.or(kwargs.get::<Option<&str>>("sep")?);
    let limit = limit.or(kwargs.get::<Option<i64>>("maxsplit")?).unwrap_or(-1);
    kwargs.assert_all_used()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX - 1);
    let parts: Vec<&str> = match (separator, from_right) {
        (Some(""), _) => return Err(failed("empty separator")),
        (None, false) => split_space(text, limit),
        (None, true) => split_space_from_right(text, limit),
        (Some(separator), false) => text.splitn(limit.saturating_add(1), separator).collect(),
        (Some(separator), true) => {
            let mut parts: Vec<&str> = text.rsplitn(limit.saturating_add(1), separator).collect();
            parts.reverse();
            parts
        }
    };
    Ok(parts.into_iter().map(Value::from).collect())
}

fn partition(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    if separator.is_empty() {
        return Err(failed("empty separator"));
    }
    let parts = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match parts {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

enum Align {
    Left,
    Right,
    Center,
}

fn pad(text: &str, args: &[Value], align: Align) -> Result<Value, Error> {
    let (width, fill): (i64, Option<char>) = from_args(args)?;
    let length = text.chars().count() as i64;
    let missing = width.min(MAX_WIDTH).saturating_sub(length).max(0) as usize;
    let left = match align {
        Align::Left => 0,
        Align::Right => missing,
        // as CPython: the odd column goes left where the width is odd
        Align::Center => missing / 2 + (missing & (width.max(0) as usize) & 1),
    };
    let mut out = String::with_capacity(text.len() + missing);
    out.extend(std::iter::repeat_n(fill.unwrap_or(' '), left));
    out.push_str(text);
    out.extend(std::iter::repeat_n(fill.unwrap_or(' '), missing - left));
    Ok(Value::from(out))
}

fn zfill(text: &str, width: i64) -> String {
    let sign = usize::from(text.starts_with(['+', '-']));
    let length = text.chars().count() as i64;
    let missing = width.min(MAX_WIDTH).saturating_sub(length).max(0) as usize;
    format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
}

fn index(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (part,): (&str,) = from_args(args)?;
    let at = if from_right { text.rfind(part) } else { text.find(part) };
    match at {
        Some(at) => Ok(Value::from(text[..at].chars().count())),
        None => Err(failed("substring not found")),
    }
}

fn strip(text: &str, args: &[Value], left: bool, right: bool) -> Result<Value, Error> {
    let (chars,): (Option<&str>,) = from_args(args)?;
    let matches = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if left { text.trim_start_matches(matches) } else { text };
    let text = if right { text.trim_end_matches(matches) } else { text };
    Ok(Value::from(text))
}

fn of_string(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" => strip(text, args, true, true)?,
        "lstrip" => strip(text, args, true, false)?,
        "rstrip" => strip(text, args, false, true)?,
        "split" => split(text, args, false)?,
        "rsplit" => split(text, args, true)?,
        "partition" => partition(text, args, false)?,
        "rpartition" => partition(text, args, true)?,
        "index" => index(text, args, false)?,
        "rindex" => index(text, args, true)?,
        "ljust" => pad(text, args, Align::Left)?,
        "rjust" => pad(text, args, Align::Right)?,
        "center" => pad(text, args, Align::Center)?,
        "zfill" => Value::from(zfill(text, from_args::<(i64,)>(args)?.0)),
        "title" => Value::from(title(text)),
        "capitalize" => Value::from(capitalize(text)),
        "swapcase" => Value::from(swapcase(text)),
        "casefold" => Value::from(text.to_lowercase().replace('ß', "ss")),
        "isdecimal" => Value::from(!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())),
        "isspace" => Value::from(!text.is_empty() && text.chars().all(is_space)),
        "removeprefix" => Value::from(text.strip_prefix(from_args::<(&str,)>(args)?.0).unwrap_or(text)),
        "removesuffix" => Value::from(text.strip_suffix(from_args::<(&str,)>(args)?.0).unwrap_or(text)),
        "encode" => Value::from_bytes(text.as_bytes().to_vec()),
        _ => return Ok(None),
    }))
}

fn of_sequence(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "index" => {
            let (wanted,): (&Value,) = from_args(args)?;
            let at = value.try_iter()?.position(|item| item == *wanted);
            at.map(|at| Some(Value::from(at))).ok_or_else(|| failed("the value is not in the list"))
        }
        "copy" => Ok(Some(value.clone())),
        _ => Ok(None),
    }
}

fn of_map(value: &Value, method: &str, _args: &[Value]) -> Result<Option<Value>, Error> {
    Ok((method == "copy").then(|| value.clone()))
}
