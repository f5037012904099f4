//! A chat request as transformers' apply_chat_template understands it.
use std::cell::Cell;

use minijinja::value::Value;
use serde_json::{Map, Value as Json};

use crate::methods::is_space;

/// Put behind the final message to find where it ends in the rendered text.
const CONTINUE_TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";
/// Names under which a message's reasoning is passed.
const REASONING_FIELDS: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

pub struct Request {
    /// The vocabulary's variables that the caller does not override.
    named: Map<String, Json>,
    /// The caller's variables.
    given: Map<String, Json>,
    /// What the final message says, where it is to be continued.
    continued: Option<String>,
}

/// A string of the caller's.
pub struct CallerString<'a> {
    pub text: &'a str,
    /// It stands in an assistant's message.
    pub from_assistant: bool,
}

/// Maps the caller's strings, numbered in order, to what the template sees; none: as they are.
pub type Mark<'a> = dyn Fn(usize, &str) -> Option<String> + 'a;

impl Request {
    /// `named`: the vocabulary's variables (bos_token, …); the caller's own win.
    pub fn parse(text: &[u8], named: &Map<String, Json>, template: &str) -> Result<Request, String> {
        let request: Json =
            serde_json::from_slice(text).map_err(|e| format!("the request is not valid JSON: {e}"))?;
        let Json::Object(mut request) = request else {
            return Err("the request must be an object".to_string());
        };
        let messages = match request.remove("messages") {
            Some(Json::Array(messages)) => messages,
            Some(_) => return Err("messages: must be an array".to_string()),
            None => return Err("messages: missing".to_string()),
        };
        if let Some(i) = messages.iter().position(|message| !message.is_object()) {
            return Err(format!("messages[{i}]: must be an object"));
        }
        let continue_field = match request.remove("continue_final_message") {
            None | Some(Json::Null | Json::Bool(false)) => None,
            Some(Json::Bool(true)) => Some("content".to_string()),
            Some(Json::String(field)) => Some(field),
            Some(_) => {
                return Err("continue_final_message: must be a boolean or the name of a field".to_string())
            }
        };
        let add_generation_prompt = match request.remove("add_generation_prompt") {
            None | Some(Json::Null) => continue_field.is_none(),
            Some(Json::Bool(flag)) => flag,
            Some(_) => return Err("add_generation_prompt: must be a boolean".to_string()),
        };
        if add_generation_prompt && continue_field.is_some() {
            return Err(
                "continue_final_message: not possible together with add_generation_prompt".to_string()
            );
        }
        let mut messages: Vec<Json> = messages.into_iter().map(alias_reasoning).collect();
        let continued = match &continue_field {
            Some(field) => Some(tag_final_message(&mut messages, field, template)?),
            None => None,
        };
        let mut given = Map::new();
        match request.remove("chat_template_kwargs") {
            None | Some(Json::Null) => {}
            Some(Json::Object(kwargs)) => given = kwargs,
            Some(_) => return Err("chat_template_kwargs: must be an object".to_string()),
        }
        for name in ["tools", "documents"] {
            let value = request.remove(name).unwrap_or(Json::Null);
            let objects = value.as_array().is_some_and(|items| items.iter().all(Json::is_object));
            if !value.is_null() && !objects {
                return Err(format!("{name}: must be an array of objects"));
            }
            given.insert(name.to_string(), value);
        }
        given.insert("messages".to_string(), Json::Array(messages));
        given.insert("add_generation_prompt".to_string(), Json::Bool(add_generation_prompt));
        let named = named.iter().filter(|(name, _)| !given.contains_key(*name));
        let named = named.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Request { named, given, continued })
    }

    /// The caller's strings in the order in which variables() numbers them; keys do not count.
    pub fn strings(&self) -> Vec<CallerString<'_>> {
        let mut found = Vec::new();
        self.given.values().for_each(|value| collect_strings(value, false, &mut found));
        found
    }

    /// The template's variables, each string of the caller's as `mark` gives it.
    pub fn variables(&self, mark: &Mark) -> Value {
        let next = Cell::new(0);
        let mark = |text: &str| mark(next.replace(next.get() + 1), text);
        let named = self.named.iter().map(|(name, value)| (name.as_str(), to_value(value, &|_| None)));
        let given = self.given.iter().map(|(name, value)| (name.as_str(), to_value(value, &mark)));
        Value::from_pairs(named.chain(given))
    }

    /// Cuts the rendered text where the continued message ends.
    pub fn cut(&self, mut rendered: String) -> Result<String, String> {
        if self.continued.is_none() {
            return Ok(rendered);
        }
        let at = rendered.rfind(CONTINUE_TAG.trim_end()).ok_or_else(not_shown)?;
        let trimmed = !rendered[at..].starts_with(CONTINUE_TAG);
        rendered.truncate(at);
        if trimmed {
            rendered.truncate(rendered.trim_end_matches(is_space).len());
        }
        Ok(rendered)
    }

    /// Fails where the rendered text does not show the message that is to be continued.
    pub fn check_shown(&self, rendered: &str) -> Result<(), String> {
        match &self.continued {
            Some(message) if !rendered.contains(message.trim_matches(is_space)) => Err(not_shown()),
            _ => Ok(()),
        }
    }
}

fn not_shown() -> String {
    "continue_final_message: the template does not show the final message as it is".to_string()
}

fn collect_strings<'a>(json: &'a Json, from_assistant: bool, found: &mut Vec<CallerString<'a>>) {
    match json {
        Json::String(text) => found.push(CallerString { text, from_assistant }),
        Json::Array(items) => items.iter().for_each(|item| collect_strings(item, from_assistant, found)),
        Json::Object(members) => {
            let assistant = members.get("role").and_then(Json::as_str) == Some("assistant");
            members.values().for_each(|value| collect_strings(value, from_assistant || assistant, found));
        }
        _ => {}
    }
}

/// Fills reasoning_content from its older names, and thinking, which some templates read.
fn alias_reasoning(message: Json) -> Json {
    let Json::Object(members) = message else {
        return message;
    };
    let reasoning =
        REASONING_FIELDS.iter().find_map(|field| members.get(*field).filter(|v| !v.is_null()).cloned());
    let Some(reasoning) = reasoning else {
        return Json::Object(members);
    };
    let mut aliased = Map::new();
    aliased.insert("thinking".to_string(), reasoning.clone());
    aliased.extend(members);
    aliased.insert("reasoning_content".to_string(), reasoning);
    Json::Object(aliased)
}

/// Appends the tag to the field of the last message; returns what the field said.
fn tag_final_message(messages: &mut [Json], field: &str, template: &str) -> Result<String, String> {
    let fail = |what: &str| Err(format!("continue_final_message: {what}"));
    let Some(Json::Object(last)) = messages.last_mut() else {
        return fail("there is no message to continue");
    };
    let final_value = match last.get(field) {
        None | Some(Json::Null) => return fail(&format!("the final message has no {field} to continue")),
        Some(value) => value.clone(),
    };
    let fields: Vec<&str> = match REASONING_FIELDS.contains(&field) {
        true => REASONING_FIELDS.into_iter().filter(|name| last.get(*name) == Some(&final_value)).collect(),
        false => vec![field],
    };
    if !fields.iter().any(|name| template.contains(name)) {
        return fail(&format!("the template does not use {field}"));
    }
    match final_value {
        Json::String(text) => {
            for name in fields {
                last.insert(name.to_string(), Json::String(text.clone() + CONTINUE_TAG));
            }
            Ok(text)
        }
        Json::Array(_) => {
            let parts = last.get_mut(field).and_then(Json::as_array_mut);
            let part = parts.and_then(|parts| parts.iter_mut().rev().find_map(|part| part.get_mut("text")));
            let Some(Json::String(text)) = part else {
                return fail("the final message has no text to continue");
            };
            let before = text.clone();
            text.push_str(CONTINUE_TAG);
            Ok(before)
        }
        _ => fail(&format!("{field} of the final message is not text")),
    }
}

/// `json` as the template sees it, each string as `mark` gives it.
pub fn to_value(json: &Json, mark: &dyn Fn(&str) -> Option<String>) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(n), _) => Value::from(n),
            (None, Some(n)) => Value::from(n),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => match mark(text) {
            Some(marked) => Value::from(marked),
            None => Value::from(text.as_str()),
        },
        Json::Array(items) => {
            Value::from(items.iter().map(|item| to_value(item, mark)).collect::<Vec<Value>>())
        }
        Json::Object(members) => {
            Value::from_pairs(members.iter().map(|(key, value)| (key.as_str(), to_value(value, mark))))
        }
    }
}
