//! Filters, tests and globals of Jinja that minijinja lacks or does differently.
use minijinja::formatting::{format, FormatStyle};
use minijinja::value::{Kwargs, Rest, Tuple, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::methods;
use crate::objects::{BoundMethod, Cycler, Joiner, NoBlocks, Range};
use crate::python::{self, JsonStyle};

/// Elements of one range(), as in Jinja's sandbox.
const MAX_RANGE: i64 = 100_000;

pub fn add_to(env: &mut Environment) {
    env.add_filter("tojson", tojson);
    env.add_filter("fromjson", from_json);
    env.add_filter("string", |state: &State, value: &Value| printed(state, value));
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
    env.add_filter("sum", sum);
    // Not Jinja's; what they make is joined lazily and grows for free.
    env.remove_filter("chain");
    env.remove_filter("zip");
    env.remove_filter("pprint");
    env.remove_global("debug");
    for name in ["upper", "lower", "title", "capitalize", "trim", "replace"] {
        env.add_filter(name, move |state: &mut State, value: &Value, args: Rest<Value>| {
            let method = if name == "trim" { "strip" } else { name };
            let text = Value::from(printed(state, value)?);
            methods::call(state, &text, method, &args)
        });
    }
    env.add_filter("join", join);
    env.add_filter("format", |state: &State, text: &Value, args: Rest<Value>| printf(state, text, &args));
    env.add_filter("_read", |state: &State, value: Value| -> Result<Value, Error> {
        state.consume_fuel(value.as_str().map_or(0, str::len) as u64 / TEXT_READ_PER_STEP)?;
        Ok(value)
    });
    env.add_filter("_added", |state: &State, value: Value| charge_list(state, value, ADDED_PER_STEP));
    env.add_filter("_sum", |state: &State, value: Value| charge_list(state, value, SUM_PER_STEP));
    env.add_filter("_times", times);
    env.add_filter("_factor", factor);
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
        Value::from_object(Cycler { items: items.0, at: 0.into() })
    });
    env.add_function("joiner", |separator: Option<String>| {
        let separator = separator.unwrap_or_else(|| ", ".to_string());
        Value::from_object(Joiner { separator, used: 0.into() })
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

/// What `{{ value }}` prints. Writing out a value costs more than copying it.
pub fn printed(state: &State, value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    python::write_str(&mut out, value)?;
    if value.kind() != ValueKind::String {
        state.consume_fuel(out.len() as u64 / BYTES_WRITTEN_PER_STEP)?;
    }
    Ok(out)
}

fn tojson(state: &State, value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
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
        Some(v) => match items_of(state, &v)?.as_slice() {
            [item, key] => (item.to_string(), key.to_string()),
            _ => return Err(invalid("separators must be a pair")),
        },
        None => (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string()),
    };
    let sort_keys = option(3, "sort_keys")?.is_some_and(|v| v.is_true());
    kwargs.assert_all_used()?;
    let style = JsonStyle { ensure_ascii, indent, item_separator, key_separator, sort_keys };
    let json = python::to_json(value, &style)?;
    state.consume_fuel(json.len() as u64 / BYTES_WRITTEN_PER_STEP)?;
    Ok(Value::from(json))
}

/// Not transformers': for the arguments of a call, which clients send as text.
fn from_json(state: &State, value: &Value) -> Result<Value, Error> {
    let text = value.as_str().ok_or_else(|| invalid("fromjson takes a string"))?;
    state.consume_fuel(text.len() as u64 / BYTES_WRITTEN_PER_STEP)?;
    let json = serde_json::from_str(text).map_err(|e| invalid(format!("not valid JSON: {e}")))?;
    Ok(crate::request::to_value(&json, &|_| None))
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

/// Digits of a format's width.
const MAX_WIDTH_DIGITS: usize = 5;

/// Bytes of a text that one step reads.
const TEXT_READ_PER_STEP: u64 = 64;

/// Bytes of a value's text that one step pays for.
const BYTES_WRITTEN_PER_STEP: u64 = 4;

/// Elements of a list that one step pays for, when it is added to another and when another is added to it.
const ADDED_PER_STEP: usize = 2;
const SUM_PER_STEP: usize = 64;

/// The elements of a list, which may be far longer than the memory it takes.
pub fn items_of(state: &State, list: &Value) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    for item in list.try_iter()? {
        if items.len() % ADDED_PER_STEP == 0 {
            state.consume_fuel(1)?;
        }
        items.push(item);
    }
    Ok(items)
}

fn charge_list(state: &State, value: Value, elements_per_step: usize) -> Result<Value, Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        state.consume_fuel((value.len().unwrap_or(0) / elements_per_step) as u64)?;
    }
    Ok(value)
}

/// What stands left of the products that are being evaluated: a number, or a list and its length.
#[derive(Default)]
struct Factors(Vec<(bool, i64)>);

fn size_of_factor(value: &Value) -> (bool, i64) {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => (true, value.len().map_or(i64::MAX, |length| length as i64)),
        _ => (false, value.as_i64().unwrap_or(0)),
    }
}

fn times(state: &mut State, value: Value) -> Value {
    let size = size_of_factor(&value);
    state.get_or_insert_extension_with(Factors::default).0.push(size);
    value
}

/// The right factor: `list * number` must not become long.
fn factor(state: &mut State, value: Value) -> Result<Value, Error> {
    let (right_is_list, right) = size_of_factor(&value);
    let factors = &mut state.get_or_insert_extension_with(Factors::default).0;
    let (left_is_list, left) = factors.pop().unwrap_or_default();
    let is_list = left_is_list || right_is_list;
    let product = left.saturating_mul(right);
    if is_list && product > MAX_RANGE {
        return Err(invalid("a repeated list is limited to 100000 elements"));
    }
    factors.push((is_list, product));
    Ok(value)
}

/// The sum of numbers; lists are not joined.
fn sum(
    state: &State,
    values: Value,
    attribute: Option<Value>,
    start: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let attribute = attribute.or(kwargs.get::<Option<Value>>("attribute")?).filter(|name| !name.is_none());
    let start = start.or(kwargs.get::<Option<Value>>("start")?).unwrap_or(Value::from(0));
    kwargs.assert_all_used()?;
    let (mut whole, mut real, mut is_real) = (0i128, 0f64, false);
    let mut add = |value: &Value| -> Result<(), Error> {
        is_real |= python::is_float(value);
        real += f64::try_from(value.clone())?;
        if !is_real {
            whole = whole
                .checked_add(i128::try_from(value.clone())?)
                .ok_or_else(|| invalid("the sum is too large"))?;
        }
        Ok(())
    };
    add(&start)?;
    for value in items_of(state, &values)? {
        match &attribute {
            Some(name) => add(&value.get_item(name)?)?,
            None => add(&value)?,
        }
    }
    Ok(if is_real { Value::from(real) } else { Value::from(whole) })
}

/// Bytes that one filter may make out of less.
const MAX_TEXT: usize = 16 << 20;

/// `format % value`: a tuple stands for several values.
fn modulo(state: &State, format_string: &Value, value: &Value) -> Result<Value, Error> {
    let args: Vec<Value> = if value.is_tuple() { items_of(state, value)? } else { vec![value.clone()] };
    printf(state, format_string, &args)
}

fn printf(state: &State, format_string: &Value, args: &[Value]) -> Result<Value, Error> {
    let format_string = printed(state, format_string)?;
    check_format(&format_string, '*')?;
    format(FormatStyle::Printf, &format_string, &flat(state, args)?).map(Value::from)
}

/// `format.format(values)`
pub fn str_format(state: &State, format_string: &str, args: &[Value]) -> Result<Value, Error> {
    check_format(format_string, '{')?;
    format(FormatStyle::StrFormat, format_string, &flat(state, args)?).map(Value::from)
}

/// Refuses widths and precisions that would make much text of little, and those that come from arguments.
fn check_format(format_string: &str, from_argument: char) -> Result<(), Error> {
    let mut digits = 0;
    let mut inside = false;
    for c in format_string.chars() {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        inside = match (from_argument, c) {
            ('*', _) => true,
            (_, '{') if inside => return Err(invalid("a format's width must be a number")),
            (_, '{') => true,
            (_, '}') => false,
            _ => inside,
        };
        if digits > MAX_WIDTH_DIGITS || (c == '*' && from_argument == '*') {
            return Err(invalid("a format's width must be a small number"));
        }
    }
    Ok(())
}

/// The values with lists and dicts as text, since printing those must be bounded.
fn flat(state: &State, values: &[Value]) -> Result<Vec<Value>, Error> {
    let is_flat = |value: &Value| {
        !matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) || value.is_kwargs()
    };
    values
        .iter()
        .map(|v| if is_flat(v) { Ok(v.clone()) } else { printed(state, v).map(Value::from) })
        .collect()
}

fn join(state: &State, values: Value, separator: Option<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let attribute = kwargs.get::<Option<Value>>("attribute")?.filter(|name| !name.is_none());
    let separator = separator.or(kwargs.get::<Option<Value>>("d")?);
    kwargs.assert_all_used()?;
    let separator = separator.map_or(Ok(String::new()), |v| printed(state, &v))?;
    let items: Vec<Value> = match attribute {
        Some(name) => {
            items_of(state, &values)?.iter().map(|item| item.get_item(&name)).collect::<Result<_, _>>()?
        }
        None => items_of(state, &values)?,
    };
    join_texts(state, &separator, items)
}

pub fn join_texts(state: &State, separator: &str, items: Vec<Value>) -> Result<String, Error> {
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let text = printed(state, item)?;
        state.consume_fuel((text.len() + separator.len()) as u64 / TEXT_READ_PER_STEP + 1)?;
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(&text);
    }
    Ok(out)
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
            Ok(Value::from_object(Range { start, step, length }))
        }
        Some(_) => Err(invalid("range() is limited to 100000 elements")),
        None => Err(invalid("range() with these arguments is not possible")),
    }
}

fn dict(state: &State, source: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let mut members: Vec<(Value, Value)> = Vec::new();
    match source {
        Some(map) if map.kind() == ValueKind::Map => {
            for key in items_of(state, &map)? {
                let item = map.get_item(&key)?;
                members.push((key, item));
            }
        }
        Some(pairs) => {
            for pair in items_of(state, &pairs)? {
                match items_of(state, &pair)?.as_slice() {
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
