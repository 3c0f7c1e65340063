//! The library `redis` and the generator behind `math.random`; executes no command itself.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value};
use sha1::{Digest, Sha1};

use super::{convert, number, raise, state::Run};
use crate::resp::Reply;

/// What `redis.REDIS_VERSION` says: the version whose behaviour scripts meet.
const VERSION: &str = "7.2.4";
const VERSION_NUMBER: u32 = 0x0007_0204;

const CONSTANTS: [(&str, u32); 10] = [
    ("LOG_DEBUG", 0),
    ("LOG_VERBOSE", 1),
    ("LOG_NOTICE", 2),
    ("LOG_WARNING", 3),
    ("REPL_NONE", 0),
    ("REPL_AOF", 1),
    ("REPL_SLAVE", 2),
    ("REPL_REPLICA", 2),
    ("REPL_ALL", 3),
    ("REDIS_VERSION_NUM", VERSION_NUMBER),
];

/// Executes one command of a script.
pub(super) type Command<'a> = RefCell<&'a mut dyn FnMut(&[Bytes]) -> Reply>;

/// `redis.call` when errors are raised, `redis.pcall` when they are returned.
pub(super) fn call(
    lua: &Lua,
    run: &Run,
    command: &Command<'_>,
    arguments: &MultiValue,
    raising: bool,
) -> mlua::Result<Value> {
    run.check()?;
    let reply = match words(arguments) {
        Ok(words) => match command.try_borrow_mut() {
            Ok(mut command) => (*command)(&words),
            Err(_) => Reply::error("redis.call() cannot be called from within itself"),
        },
        Err(message) => Reply::error(message),
    };
    match reply {
        Reply::Error(text) if raising => Err(raise::reply(text)),
        other => convert::to_lua(lua, other, run.resp3.get()),
    }
}

fn words(arguments: &MultiValue) -> Result<Vec<Bytes>, &'static str> {
    if arguments.is_empty() {
        return Err("Please specify at least one argument for this redis lib call");
    }
    arguments
        .iter()
        .map(|argument| match argument {
            Value::String(text) => Ok(Bytes::copy_from_slice(&text.as_bytes())),
            Value::Integer(number) => Ok(Bytes::from(number.to_string())),
            Value::Number(number) => Ok(Bytes::from(number::general(*number, 17))),
            _ => Err("Lua redis lib command arguments must be strings or integers"),
        })
        .collect()
}

/// The table, without `call` and `pcall`, which each run brings along.
pub(super) fn library(lua: &Lua, run: &Rc<Run>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, value) in CONSTANTS {
        table.set(name, value)?;
    }
    table.set("REDIS_VERSION", VERSION)?;
    table.set(
        "error_reply",
        lua.create_function(|lua, args| one_text(lua, &args, true))?,
    )?;
    table.set(
        "status_reply",
        lua.create_function(|lua, args| one_text(lua, &args, false))?,
    )?;
    table.set("sha1hex", lua.create_function(|_, args| sha1hex(&args))?)?;
    table.set("log", lua.create_function(|_, args| log(&args))?)?;
    table.set("replicate_commands", lua.create_function(|_, ()| Ok(true))?)?;
    table.set("set_repl", lua.create_function(|_, args| set_repl(&args))?)?;
    let run = Rc::clone(run);
    table.set(
        "setresp",
        lua.create_function(move |_, args| set_resp(&run, &args))?,
    )?;
    Ok(table)
}

fn one_text(lua: &Lua, arguments: &MultiValue, error: bool) -> mlua::Result<Table> {
    let (1, Some(Value::String(text))) = (arguments.len(), arguments.front()) else {
        return raise::err_table(lua, "ERR wrong number or type of arguments");
    };
    if error {
        let text = text.to_string_lossy();
        let text = text.strip_prefix('-').unwrap_or(&text);
        if text.contains(' ') {
            return raise::err_table(lua, text);
        }
        return raise::err_table(lua, &format!("ERR {text}"));
    }
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set("ok", text)?;
    Ok(table)
}

fn sha1hex(arguments: &MultiValue) -> mlua::Result<String> {
    if arguments.len() != 1 {
        return Err(raise::reply("ERR wrong number of arguments"));
    }
    Ok(hex::encode(match arguments.front() {
        Some(Value::String(text)) => Sha1::digest(text.as_bytes()),
        Some(Value::Integer(number)) => Sha1::digest(number.to_string()),
        Some(Value::Number(number)) => Sha1::digest(number::general(*number, 14)),
        _ => Sha1::digest(b""),
    }))
}

fn log(arguments: &MultiValue) -> mlua::Result<()> {
    if arguments.len() < 2 {
        return Err(raise::reply(
            "ERR redis.log() requires two arguments or more.",
        ));
    }
    let Some(level) = whole(arguments.front()) else {
        return Err(raise::reply(
            "ERR First argument must be a number (log level).",
        ));
    };
    if !(0..=3).contains(&level) {
        return Err(raise::reply("ERR Invalid debug level."));
    }
    let words: Vec<String> = arguments
        .iter()
        .skip(1)
        .filter(|word| {
            matches!(
                word,
                Value::String(_) | Value::Integer(_) | Value::Number(_)
            )
        })
        .filter_map(|word| word.to_string().ok())
        .collect();
    let text = words.join(" ");
    match level {
        3 => tracing::warn!(text, "a script logged"),
        2 => tracing::info!(text, "a script logged"),
        _ => tracing::debug!(text, "a script logged"),
    }
    Ok(())
}

fn set_repl(arguments: &MultiValue) -> mlua::Result<()> {
    if arguments.len() != 1 {
        return Err(raise::reply("ERR redis.set_repl() requires two arguments."));
    }
    match whole(arguments.front()) {
        Some(0..=3) => Ok(()),
        _ => Err(raise::reply(
            "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        )),
    }
}

fn set_resp(run: &Run, arguments: &MultiValue) -> mlua::Result<()> {
    if arguments.len() != 1 {
        return Err(raise::reply("ERR redis.setresp() requires one argument."));
    }
    match whole(arguments.front()) {
        Some(version @ (2 | 3)) => {
            run.resp3.set(version == 3);
            Ok(())
        }
        _ => Err(raise::reply("ERR RESP version must be 2 or 3.")),
    }
}

fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Integer(number) => Some(*number),
        Value::Number(number) => Some(number::truncated(*number)),
        Value::String(text) => text.to_str().ok()?.trim().parse().ok(),
        _ => None,
    }
}

/// `math.random` and `math.randomseed`: the same sequence in each run.
pub(super) fn random(lua: &Lua, native: &Table, run: &Rc<Run>) -> mlua::Result<()> {
    let shared = Rc::clone(run);
    let draw = lua.create_function(move |lua, arguments: MultiValue| {
        let (state, fraction) = number::drawn(shared.random.get());
        shared.random.set(state);
        let bound = |index: usize| {
            whole(arguments.get(index))
                .ok_or_else(|| raise::argument(lua, index + 1, "random", "number expected"))
        };
        let (low, high) = match arguments.len() {
            0 => return Ok(fraction),
            1 => (1, bound(0)?),
            2 => (bound(0)?, bound(1)?),
            _ => return Err(raise::text(lua, "wrong number of arguments")),
        };
        if low > high {
            let number = arguments.len();
            return Err(raise::argument(lua, number, "random", "interval is empty"));
        }
        #[expect(clippy::cast_precision_loss, reason = "Lua 5.1 knows doubles alone")]
        let (low, high) = (low as f64, high as f64);
        Ok((fraction * (high - low + 1.0)).floor() + low)
    })?;
    native.set("random", draw)?;
    let shared = Rc::clone(run);
    let seed = lua.create_function(move |lua, arguments: MultiValue| {
        let seed = whole(arguments.front())
            .ok_or_else(|| raise::argument(lua, 1, "randomseed", "number expected"))?;
        shared.random.set(number::seeded(seed));
        Ok(())
    })?;
    native.set("randomseed", seed)
}
