//! Chat templates as transformers renders them, on minijinja, for C++ (see ../../template_abi.h). No panic leaves it.
mod environment;
mod filters;
mod literal;
mod methods;
mod objects;
mod origin;
mod python;
mod request;
mod source;

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

use minijinja::{Environment, ErrorKind, Value};
use serde_json::{Map, Value as Json};

use environment::{Clock, FormatTime, TEMPLATE_NAME};
use origin::{ControlTokens, Piece};
use request::Request;

/// As contract.md: a chat template has 4 MiB at most.
const MAX_SOURCE: usize = 4 << 20;
/// Bytes of a rendered prompt.
const MAX_OUTPUT: usize = 16 << 20;

/// A compiled template.
pub struct Template {
    env: Environment<'static>,
    source: String,
    named: Map<String, Json>,
    control: ControlTokens,
}

/// How an outcome came about; the numbers are part of the C interface.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Status {
    Done = 0,
    /// The template refused or cannot be rendered with this request.
    Failed = 1,
    /// The request is malformed.
    Usage = 2,
    /// The template does not compile.
    BadTemplate = 3,
}

/// What compiling or rendering gave: a text (the error's, where it failed), pieces, a template.
pub struct Outcome {
    status: Status,
    text: String,
    pieces: Vec<Piece>,
    template: Option<Box<Template>>,
}

impl Outcome {
    fn error(status: Status, text: impl Into<String>) -> Outcome {
        Outcome { status, text: text.into(), pieces: Vec::new(), template: None }
    }
}

/// Bytes of the stack on which templates run: values and expressions may nest as deep as the limits on steps and
/// operators let them (some 100,000 levels), and what compares or drops them recurses. Only what is used is ever there.
const STACK: usize = 256 << 20;

/// Runs `work`; a panic becomes an error, as does an unwinding from a library below.
fn guarded(work: impl FnOnce() -> Outcome) -> *mut Outcome {
    let outcome = catch_unwind(AssertUnwindSafe(|| stacker::grow(STACK, work)));
    Box::into_raw(Box::new(
        outcome.unwrap_or_else(|_| Outcome::error(Status::Failed, "the template engine failed")),
    ))
}

/// One error in one line: what, and in which line of the template.
fn describe(error: &minijinja::Error) -> String {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too many steps".to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    match error.line() {
        Some(line) => format!("chat template, line {line}: {what}"),
        None => format!("chat template: {what}"),
    }
}

/// The message of a raise_exception somewhere among the causes.
fn raised_message(error: &minijinja::Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(raised) = current.downcast_ref::<filters::Raised>() {
            return Some(raised.0.clone());
        }
        cause = current.source();
    }
    None
}

/// `tokens`: {"named": {name: text}, "control": [text]}.
fn compile(source: &[u8], tokens: &[u8]) -> Outcome {
    if source.len() > MAX_SOURCE {
        return Outcome::error(Status::BadTemplate, "chat template: over 4 MiB");
    }
    let Ok(source) = std::str::from_utf8(source) else {
        return Outcome::error(Status::BadTemplate, "chat template: not valid UTF-8");
    };
    let Ok(Json::Object(mut tokens)) = serde_json::from_slice(tokens) else {
        return Outcome::error(Status::Usage, "chat template: the tokens are malformed");
    };
    let named = match tokens.remove("named") {
        Some(Json::Object(named)) => named,
        _ => Map::new(),
    };
    let control = match tokens.remove("control") {
        Some(Json::Array(texts)) => texts.iter().filter_map(|text| text.as_str().map(String::from)).collect(),
        _ => Vec::new(),
    };
    match environment::make(source) {
        Ok(env) => {
            let control = match ControlTokens::new(control) {
                Ok(control) => control,
                Err(what) => return Outcome::error(Status::BadTemplate, format!("vocabulary: {what}")),
            };
            let template = Box::new(Template { env, source: source.to_string(), named, control });
            Outcome {
                status: Status::Done,
                text: String::new(),
                pieces: Vec::new(),
                template: Some(template),
            }
        }
        Err(error) => Outcome::error(Status::BadTemplate, describe(&error)),
    }
}

/// Takes what a template writes, up to a limit.
struct Output(Vec<u8>);

impl std::io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(std::io::Error::other("the rendered prompt is over 16 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Template {
    fn render_text(&self, variables: Value) -> Result<String, String> {
        let mut output = Output(Vec::new());
        let rendered = self.env.get_template(TEMPLATE_NAME).and_then(|template| {
            template.render_captured_to(variables, &mut output)?;
            Ok(())
        });
        match rendered {
            Ok(()) => Ok(String::from_utf8_lossy(&output.0).into_owned()),
            Err(error) => Err(raised_message(&error).unwrap_or_else(|| describe(&error))),
        }
    }

    fn render(&self, request: &[u8], clock: Clock) -> Outcome {
        let request = match Request::parse(request, &self.named, &self.source) {
            Ok(request) => request,
            Err(message) => return Outcome::error(Status::Usage, message),
        };
        environment::set_clock(Some(clock));
        let text = self.render_text(request.variables(&|_, _| None)).and_then(|text| {
            request.check_shown(&text)?;
            request.cut(text)
        });
        let outcome = match text {
            Ok(text) => {
                let render = |mark: &request::Mark| {
                    self.render_text(request.variables(mark)).and_then(|marked| request.cut(marked)).ok()
                };
                let pieces = origin::pieces(&self.control, &request, &self.source, &text, &render);
                Outcome { status: Status::Done, text, pieces, template: None }
            }
            Err(message) => Outcome::error(Status::Failed, message),
        };
        environment::set_clock(None);
        outcome
    }
}

/// # Safety
/// `data` is readable for `size` bytes.
unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    match size {
        0 => &[],
        _ => std::slice::from_raw_parts(data, size),
    }
}

/// # Safety
/// Both texts are readable.
#[no_mangle]
pub unsafe extern "C" fn baleen_template_compile(
    source: *const u8,
    source_size: usize,
    tokens: *const u8,
    tokens_size: usize,
) -> *mut Outcome {
    guarded(|| compile(bytes(source, source_size), bytes(tokens, tokens_size)))
}

/// The template is then the caller's; null where there is none.
#[no_mangle]
pub extern "C" fn baleen_outcome_take_template(outcome: &mut Outcome) -> *mut Template {
    outcome.template.take().map_or(std::ptr::null_mut(), Box::into_raw)
}

/// # Safety
/// The request is readable.
#[no_mangle]
pub unsafe extern "C" fn baleen_template_render(
    template: &Template,
    request: *const u8,
    request_size: usize,
    format_time: FormatTime,
    time: *const c_void,
) -> *mut Outcome {
    guarded(|| template.render(bytes(request, request_size), Clock { format_time, time }))
}

#[no_mangle]
pub extern "C" fn baleen_outcome_status(outcome: &Outcome) -> i32 {
    outcome.status as i32
}

/// The text lives as long as the outcome; so do the pieces.
#[no_mangle]
pub extern "C" fn baleen_outcome_text(outcome: &Outcome, size: &mut usize) -> *const u8 {
    *size = outcome.text.len();
    outcome.text.as_ptr()
}

#[no_mangle]
pub extern "C" fn baleen_outcome_pieces(outcome: &Outcome, count: &mut usize) -> *const Piece {
    *count = outcome.pieces.len();
    outcome.pieces.as_ptr()
}

/// # Safety
/// `outcome` is one of ours and not used again.
#[no_mangle]
pub unsafe extern "C" fn baleen_outcome_free(outcome: *mut Outcome) {
    drop(Box::from_raw(outcome));
}

/// # Safety
/// `template` came from baleen_outcome_take_template and is not used again.
#[no_mangle]
pub unsafe extern "C" fn baleen_template_free(template: *mut Template) {
    drop(Box::from_raw(template));
}
