//! Filters, tests and globals of Jinja that minijinja lacks or does differently.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use minijinja::formatting::{format, FormatStyle};
use minijinja::value::{Kwargs, Object, Rest, Tuple, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::methods;
use crate::python::{self, JsonStyle};

/// Elements of one range(), as in Jinja's sandbox.
const MAX_RANGE: i64 = 100_000;

pub fn add_to(env: &mut Environment) {
    env.add_filter("tojson", tojson);
    env.add_filter("string", |value: &Value| -> Result<String, Error> {
        let mut out = String::new();
        python::write_str(&mut out, value)?;
        Ok(out)
    });
    env.add_filter("int", |value: &Value, default: Option<Value>| {
        to_int(value).or(default).unwrap_or(Value::from(0))
    });
    env.add_filter("float", |value: &Value, default: Option<Value>| {
        to_float(value).map(Value::from).or(default).unwrap_or(Value::from(0.0))
    });
    env.add_filter("escape", escape);
    env.add_filter("e", escape);
    env.add_filter("forceescape", force_escape);
    env.add_filter("wordcount", word_count);
    env.add_filter("truncate", truncate);
    env.add_filter("center", |state: &mut State, text: Value, width: Option<i64>| {
        methods::call(state, &text, "center", &[Value::from(width.unwrap_or(80))])
    });
    env.add_filter("indent", indent);
    env.add_filter("_modulo", modulo);
    env.add_filter("_attribute", attribute);
    env.add_test("iterable", |v: &Value| is_sequence(v) || v.kind() == ValueKind::Iterable);
    env.add_test("sequence", is_sequence);
    env.add_test("callable", is_callable);
    env.add_function("raise_exception", raise_exception);
    env.add_function("range", range);
    env.add_function("dict", dict);
    env.add_function("lipsum", || Err::<Value, _>(invalid("lipsum is not available")));
    env.add_function("cycler", |items: Rest<Value>| {
        Value::from_object(Cycler { items: items.0, at: AtomicUsize::new(0) })
    });
    env.add_function("joiner", |separator: Option<String>| {
        let separator = separator.unwrap_or_else(|| ", ".to_string());
        Value::from_object(Joiner { separator, used: AtomicUsize::new(0) })
    });
    env.add_global("self", Value::from_object(NoBlocks));
    // what a macro sees that is called with no more arguments than it names
    env.add_global("varargs", Value::from(Tuple::from(Vec::new())));
    env.add_global("kwargs", Value::from_pairs(std::iter::empty::<(&str, Value)>()));
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The error of raise_exception: its message is for the user.
#[derive(Debug)]
pub struct Raised(pub String);

impl std::fmt::Display for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raise_exception(message: &Value) -> Result<Value, Error> {
    let mut text = String::new();
    python::write_str(&mut text, message)?;
    Err(invalid("raise_exception").with_source(Raised(text)))
}

fn tojson(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let option = |index: usize, name: &str| -> Result<Option<Value>, Error> {
        let given = match args.get(index) {
            Some(value) => Some(value.clone()),
            None => kwargs.get::<Option<Value>>(name)?,
        };
        Ok(given.filter(|v| !v.is_none()))
    };
    let ensure_ascii = option(0, "ensure_ascii")?.is_some_and(|v| v.is_true());
    let indent = match option(1, "indent")? {
        None => None,
        Some(v) => Some(match v.as_str() {
            Some(text) => text.to_string(),
            None => " ".repeat(i64::try_from(v)?.clamp(0, 64) as usize),
        }),
    };
    let (item_separator, key_separator) = match option(2, "separators")? {
        Some(v) => match v.try_iter()?.collect::<Vec<Value>>().as_slice() {
            [item, key] => (item.to_string(), key.to_string()),
            _ => return Err(invalid("separators must be a pair")),
        },
        None => (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string()),
    };
    let sort_keys = option(3, "sort_keys")?.is_some_and(|v| v.is_true());
    kwargs.assert_all_used()?;
    let style = JsonStyle { ensure_ascii, indent, item_separator, key_separator, sort_keys };
    python::to_json(value, &style).map(Value::from)
}

fn to_float(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some(text) => text.trim_matches(methods::is_space).replace('_', "").parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    }
}

/// int(value), else int(float(value)), as Jinja's filter does.
fn to_int(value: &Value) -> Option<Value> {
    if value.kind() == ValueKind::Number && value.is_integer() {
        return Some(value.clone());
    }
    if let Some(Ok(number)) = value.as_str().map(|t| t.trim_matches(methods::is_space).parse::<i128>()) {
        return Some(Value::from(number));
    }
    to_float(value).filter(|x| x.is_finite()).map(|x| Value::from(x as i128))
}

fn escape(value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    force_escape(value)
}

/// markupsafe.escape().
fn force_escape(value: &Value) -> Result<Value, Error> {
    let mut text = String::new();
    python::write_str(&mut text, value)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Ok(Value::from_safe_string(out))
}

/// Runs of letters, digits and underscores.
fn word_count(text: String) -> usize {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count()
}

fn truncate(text: String, args: Rest<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let option = |index: usize, name: &str| -> Result<Option<Value>, Error> {
        match args.get(index) {
            Some(value) => Ok(Some(value.clone())),
            None => kwargs.get::<Option<Value>>(name),
        }
    };
    let count = |v: Option<Value>, default: usize| v.map_or(Ok(default), usize::try_from);
    let length = count(option(0, "length")?, 255)?;
    let kill_words = option(1, "killwords")?.is_some_and(|v| v.is_true());
    let end = option(2, "end")?.map_or_else(|| "...".to_string(), |v| v.to_string());
    let leeway = count(option(3, "leeway")?, 5)?;
    kwargs.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let kept: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let kept = if kill_words {
        kept.as_str()
    } else {
        kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words)
    };
    Ok(format!("{kept}{end}"))
}

fn indent(
    text: String,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = width.or(kwargs.get::<Option<Value>>("width")?).unwrap_or(Value::from(4));
    let first = first.or(kwargs.get::<Option<bool>>("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get::<Option<bool>>("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let margin = match width.as_str() {
        Some(margin) => margin.to_string(),
        None => " ".repeat(i64::try_from(width)?.clamp(0, 1000) as usize),
    };
    let mut out = String::new();
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if if i == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&margin);
        }
        out.push_str(line);
        if out.len() > MAX_TEXT {
            return Err(invalid("the indented text is too long"));
        }
    }
    Ok(out)
}

/// Bytes that one filter may make out of less.
const MAX_TEXT: usize = 16 << 20;

/// `format % value`: a tuple stands for several values.
fn modulo(format_string: &Value, value: &Value) -> Result<Value, Error> {
    let args = if value.is_tuple() { value.try_iter()?.collect() } else { vec![value.clone()] };
    format(FormatStyle::Printf, format_string.as_str().unwrap_or_default(), &args).map(Value::from)
}

/// `value.name` for the names that Python's own attributes hide (see source.rs).
fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    let hidden = match value.kind() {
        ValueKind::Map => name != "real",
        ValueKind::Number | ValueKind::Bool => name == "real",
        _ => false,
    };
    match hidden {
        true if name == "real" => Ok(value.clone()),
        true => Ok(Value::from_object(BoundMethod { value: value.clone(), name: name.to_string() })),
        false => value.get_attr(name),
    }
}

fn is_sequence(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::String | ValueKind::Bytes | ValueKind::Seq | ValueKind::Map | ValueKind::Undefined
    )
}

/// Functions and macros are plain objects without elements.
fn is_callable(value: &Value) -> bool {
    value.kind() == ValueKind::Plain
}

fn range(state: &State, first: i64, stop: Option<i64>, step: Option<i64>) -> Result<Value, Error> {
    let (start, stop) = match stop {
        Some(stop) => (first, stop),
        None => (0, first),
    };
    let step = step.unwrap_or(1);
    let span = if step > 0 { stop.checked_sub(start) } else { start.checked_sub(stop) };
    let length = match (span, step.checked_abs()) {
        (_, Some(0)) | (None, _) | (_, None) => None,
        (Some(span), _) if span <= 0 => Some(0),
        (Some(span), Some(step)) => Some((span - 1) / step + 1),
    };
    match length {
        Some(length) if length <= MAX_RANGE => {
            state.consume_fuel(length as u64 / 2)?;
            Ok(Value::make_iterable(move || (0..length).map(move |i| Value::from(start + i * step))))
        }
        Some(_) => Err(invalid("range() is limited to 100000 elements")),
        None => Err(invalid("range() with these arguments is not possible")),
    }
}

fn dict(source: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let mut members: Vec<(Value, Value)> = Vec::new();
    match source {
        Some(map) if map.kind() == ValueKind::Map => {
            for key in map.try_iter()? {
                let item = map.get_item(&key)?;
                members.push((key, item));
            }
        }
        Some(pairs) => {
            for pair in pairs.try_iter()? {
                match pair.try_iter()?.collect::<Vec<Value>>().as_slice() {
                    [key, item] => members.push((key.clone(), item.clone())),
                    _ => return Err(invalid("dict() takes pairs")),
                }
            }
        }
        None => {}
    }
    for name in kwargs.args() {
        members.push((Value::from(name), kwargs.peek::<Value>(name)?));
    }
    kwargs.assert_all_used().or(Ok::<(), Error>(()))?;
    Ok(Value::from_pairs(members))
}

/// A method that a template looks at without calling it, or calls later.
#[derive(Debug)]
struct BoundMethod {
    value: Value,
    name: String,
}

impl Object for BoundMethod {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        methods::call(state, &self.value, &self.name, args)
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<built-in method {} of dict object>", self.name)
    }
}

#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    at: AtomicUsize,
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = self.at.load(Ordering::Relaxed) % self.items.len().max(1);
        (key.as_str() == Some("current")).then(|| self.items.get(at).cloned().unwrap_or_default())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "next" => {
                let at = self.at.fetch_add(1, Ordering::Relaxed) % self.items.len().max(1);
                Ok(self.items.get(at).cloned().unwrap_or_default())
            }
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

#[derive(Debug)]
struct Joiner {
    separator: String,
    used: AtomicUsize,
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let first = self.used.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(Value::from(if first { "" } else { self.separator.as_str() }))
    }
}

/// `self`: chat templates have no blocks.
#[derive(Debug)]
struct NoBlocks;

impl Object for NoBlocks {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }
}
