//! The environment in which transformers renders chat templates, on minijinja.
use std::cell::Cell;
use std::ffi::c_void;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use crate::{filters, methods, source};

/// Steps of one rendering; a step pays for 64 bytes of text too, so that the memory is bounded as well.
const MAX_STEPS: u64 = 500_000;
/// Nested blocks; a macro call counts as several of them (minijinja: 4), so that 64 calls fit.
const MAX_DEPTH: usize = 320;

/// Bytes of a formatted time.
const MAX_TIME: usize = 1024;

/// Formats `time` as C's strftime; returns the bytes written, 0 where the text does not fit.
pub type FormatTime = extern "C" fn(
    time: *const c_void,
    format: *const u8,
    format_size: usize,
    out: *mut u8,
    capacity: usize,
) -> usize;

/// The time that strftime_now sees.
#[derive(Clone, Copy)]
pub struct Clock {
    pub format_time: FormatTime,
    pub time: *const c_void,
}

thread_local! {
    // minijinja's functions are Send + Sync, a rendering's clock is neither
    static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// Sets the clock for the renderings of this thread.
pub fn set_clock(clock: Option<Clock>) {
    CLOCK.set(clock);
}

fn strftime_now(format: String) -> Result<String, Error> {
    let clock = CLOCK.get().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "there is no clock"))?;
    let mut out = [0u8; MAX_TIME];
    let size = (clock.format_time)(clock.time, format.as_ptr(), format.len(), out.as_mut_ptr(), MAX_TIME);
    Ok(String::from_utf8_lossy(&out[..size.min(MAX_TIME)]).into_owned())
}

pub const TEMPLATE_NAME: &str = "chat_template";

pub fn make(template: &str) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_recursion_limit(MAX_DEPTH);
    env.set_fuel(Some(MAX_STEPS));
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if value.kind() == ValueKind::String => out.write_str(text).map_err(Error::from),
        _ => out.write_str(&filters::printed(state, value)?).map_err(Error::from),
    });
    filters::add_to(&mut env);
    env.add_function("strftime_now", strftime_now);
    let source = source::rewrite(template).map_err(|what| Error::new(ErrorKind::SyntaxError, what))?;
    env.add_template_owned(TEMPLATE_NAME, source)?;
    Ok(env)
}
