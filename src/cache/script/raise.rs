//! Errors that Lua code sees as strings and tables, raised from Rust; catches nothing itself.

use mlua::{Error, Lua, Table, Value};

/// What a native function raises. `pcall` turns it into the value that Lua code expects.
#[derive(Debug, thiserror::Error)]
pub(super) enum Raised {
    /// A string, already with its position.
    #[error("{0}")]
    Text(String),
    /// A table with the field `err`.
    #[error("{0}")]
    Reply(String),
    /// The time is over; nothing may catch it.
    #[error("script timed out")]
    Killed,
}

/// How many frames are looked through for a line of the script.
const FRAMES: usize = 32;

/// A string error with the position of the caller in front, like `luaL_error`.
pub(super) fn text(lua: &Lua, message: impl std::fmt::Display) -> Error {
    // Functions of the prelude stand between a script and some native functions.
    let position = (1..4).find_map(|level| {
        let frame = lua.inspect_stack(level, |frame| {
            let name = frame.source().short_src?.into_owned();
            (name != "prelude").then_some((name, frame.current_line()))
        });
        frame.flatten()
    });
    let position = match position {
        Some((name, Some(line))) => format!("{name}:{line}: "),
        _ => String::new(),
    };
    Error::external(Raised::Text(format!("{position}{message}")))
}

/// `bad argument #N to 'function' (…)`.
pub(super) fn argument(
    lua: &Lua,
    number: usize,
    function: &str,
    message: impl std::fmt::Display,
) -> Error {
    text(
        lua,
        format_args!("bad argument #{number} to '{function}' ({message})"),
    )
}

/// An error table.
pub(super) fn reply(message: impl Into<String>) -> Error {
    Error::external(Raised::Reply(message.into()))
}

pub(super) fn killed() -> Error {
    Error::external(Raised::Killed)
}

/// The innermost line of the script that is running.
pub(super) fn line(lua: &Lua) -> Option<usize> {
    (1..FRAMES)
        .map_while(|level| {
            lua.inspect_stack(level, |frame| {
                let of_script = frame.source().short_src.as_deref() == Some(super::CHUNK);
                of_script.then(|| frame.current_line()).flatten()
            })
        })
        .find_map(|line| line)
}

/// The value that Lua code gets for an error it has caught.
pub(super) fn value(lua: &Lua, caught: Value) -> mlua::Result<Value> {
    let Value::Error(error) = caught else {
        return Ok(caught);
    };
    match raised(&error) {
        Some(Raised::Killed) => Err(killed()),
        Some(Raised::Text(text)) => lua.create_string(text).map(Value::String),
        Some(Raised::Reply(text)) => err_table(lua, text).map(Value::Table),
        None => lua.create_string(plain(&error)).map(Value::String),
    }
}

/// `{err = text}`.
pub(super) fn err_table(lua: &Lua, text: &str) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set("err", text)?;
    Ok(table)
}

/// Our own error inside of what the binding made of it.
fn raised(error: &Error) -> Option<&Raised> {
    error.downcast_ref()
}

/// The words of an error without a traceback.
pub(super) fn plain(error: &Error) -> String {
    match error {
        Error::CallbackError { cause, .. } => plain(cause),
        Error::MemoryError(_) => "not enough memory".to_owned(),
        Error::RuntimeError(text) => text
            .split("\nstack traceback:")
            .next()
            .unwrap_or("")
            .to_owned(),
        other => other.to_string().lines().next().unwrap_or("").to_owned(),
    }
}
