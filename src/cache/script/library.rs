//! What scripts can call beside Lua's own functions: the parts of `redis` that run no command,
//! `bit`, random numbers, and the means by which the prelude keeps the limits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use mlua::{Lua, Table, Value};
use sha1::{Digest as _, Sha1};

use super::{json, msgpack};
use crate::session::REDIS_VERSION;

/// What one run may do, and what it has chosen.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) deadline: Cell<Instant>,
    pub(super) over: Cell<bool>,
    /// The version of the protocol that replies are shaped by.
    pub(super) protocol: Cell<u8>,
    /// The state of `math.random`.
    pub(super) random: Cell<u64>,
    /// What a command's failure is to a script, on its way there.
    pub(super) raised: RefCell<Option<Value>>,
}

impl Run {
    /// Raises an error of a library, with the place in the script in front, as Lua's own have it.
    pub(super) fn raise(&self, lua: &Lua, message: &str) -> mlua::Error {
        let line =
            super::line(lua).map_or_else(String::new, |line| format!("user_script:{line}: "));
        match lua.create_string(format!("{line}{message}")) {
            Ok(text) => {
                self.raised.replace(Some(Value::String(text)));
                mlua::Error::RuntimeError("a library failed".to_owned())
            }
            Err(error) => error,
        }
    }
}

/// Where each script's random numbers begin: the same in every run, as in Redis.
pub(super) const SEED: u64 = 0x5DEE_CE66;

/// How costly a pattern may be: the length of the text to the power of its repetitions.
const MAX_PATTERN_COST: f64 = 1e9;

/// The table that the prelude takes what it needs from.
pub(super) fn host(lua: &Lua, run: &Rc<Run>) -> mlua::Result<Table> {
    let host = lua.create_table()?;
    host.raw_set("redis", redis(lua, run)?)?;
    host.raw_set("cjson", json::library(lua, run)?)?;
    host.raw_set("cmsgpack", msgpack::library(lua)?)?;
    host.raw_set("bit", bit(lua)?)?;
    let over = Rc::clone(run);
    host.raw_set(
        "is_over",
        lua.create_function(move |_, ()| Ok(over.over.get()))?,
    )?;
    let put_aside = Rc::clone(run);
    host.raw_set(
        "raised",
        lua.create_function(move |_, ()| Ok(put_aside.raised.take()))?,
    )?;
    host.raw_set("check_pattern", lua.create_function(check_pattern)?)?;
    let state = Rc::clone(run);
    host.raw_set(
        "random",
        lua.create_function(move |_, bounds: (Option<f64>, Option<f64>)| {
            Ok(random(&state, bounds))
        })?,
    )?;
    let state = Rc::clone(run);
    host.raw_set(
        "randomseed",
        lua.create_function(move |_, seed: f64| {
            state.random.set(seed.to_bits() | 1);
            Ok(())
        })?,
    )?;
    Ok(host)
}

/// Refuses patterns that would take very long, as nothing can interrupt them.
fn check_pattern(_: &Lua, (subject, pattern): (Value, Value)) -> mlua::Result<Option<String>> {
    let (Value::String(subject), Value::String(pattern)) = (subject, pattern) else {
        return Ok(None);
    };
    let repetitions = pattern
        .as_bytes()
        .iter()
        .filter(|byte| b"*+-?".contains(byte))
        .count();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let length = subject.as_bytes().len().max(2) as f64;
    let repetitions = i32::try_from(repetitions).unwrap_or(i32::MAX);
    if repetitions > 1 && length.powi(repetitions) > MAX_PATTERN_COST && length > 64.0 {
        return Ok(Some(
            "pattern too complex for a text of this length".to_owned(),
        ));
    }
    Ok(None)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a fraction of 53 bits, which doubles hold exactly"
)]
fn random(run: &Run, bounds: (Option<f64>, Option<f64>)) -> f64 {
    let mut next = run.random.get();
    next ^= next << 13;
    next ^= next >> 7;
    next ^= next << 17;
    run.random.set(next);
    let fraction = (next >> 11) as f64 / (1_u64 << 53) as f64;
    match bounds {
        (None, _) => fraction,
        (Some(most), None) => (fraction * most).floor() + 1.0,
        (Some(least), Some(most)) => (fraction * (most - least + 1.0)).floor() + least,
    }
}

fn redis(lua: &Lua, run: &Rc<Run>) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    for (name, value) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
        ("REDIS_VERSION_NUM", 0x0007_0204),
    ] {
        redis.raw_set(name, f64::from(value))?;
    }
    redis.raw_set("REDIS_VERSION", REDIS_VERSION)?;
    redis.raw_set(
        "sha1hex",
        lua.create_function(|_, text: mlua::LuaString| {
            Ok(hex::encode(Sha1::digest(&*text.as_bytes())))
        })?,
    )?;
    redis.raw_set(
        "error_reply",
        lua.create_function(|lua, text: mlua::LuaString| {
            let text = text.to_string_lossy();
            let text = text.strip_prefix('-').unwrap_or(&text);
            let table = lua.create_table()?;
            let whole = if text.contains(' ') {
                text.to_owned()
            } else {
                format!("ERR {text}")
            };
            table.raw_set("err", whole)?;
            Ok(table)
        })?,
    )?;
    redis.raw_set(
        "status_reply",
        lua.create_function(|lua, text: mlua::LuaString| {
            let table = lua.create_table()?;
            table.raw_set("ok", text)?;
            Ok(table)
        })?,
    )?;
    redis.raw_set(
        "log",
        lua.create_function(|_, (level, text): (f64, mlua::LuaString)| {
            let text = text.to_string_lossy();
            let text: String = text.chars().take(1_024).collect();
            if level >= 3.0 {
                tracing::warn!(script.message = text, "a script of a Redis client logs");
            } else {
                tracing::debug!(script.message = text, "a script of a Redis client logs");
            }
            Ok(())
        })?,
    )?;
    let chosen = Rc::clone(run);
    redis.raw_set(
        "setresp",
        lua.create_function(move |_, version: f64| {
            if version < 2.5 {
                chosen.protocol.set(2);
            } else {
                chosen.protocol.set(3);
            }
            Ok(())
        })?,
    )?;
    for name in ["replicate_commands", "breakpoint"] {
        let answer = name == "replicate_commands";
        redis.raw_set(name, lua.create_function(move |_, ()| Ok(answer))?)?;
    }
    for name in ["set_repl", "debug"] {
        redis.raw_set(name, lua.create_function(|_, _: mlua::MultiValue| Ok(()))?)?;
    }
    Ok(redis)
}

/// The 32 bits that a number stands for.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers are taken modulo 2^32, as the bit library does"
)]
fn bits(number: f64) -> u32 {
    const RANGE: f64 = 4_294_967_296.0;
    number.round_ties_even().rem_euclid(RANGE) as u64 as u32
}

fn signed(bits: u32) -> f64 {
    f64::from(bits.cast_signed())
}

fn bit(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    let folds: [(&str, fn(u32, u32) -> u32); 3] = [
        ("band", |one, other| one & other),
        ("bor", |one, other| one | other),
        ("bxor", |one, other| one ^ other),
    ];
    for (name, fold) in folds {
        bit.raw_set(
            name,
            lua.create_function(move |_, (first, rest): (f64, mlua::Variadic<f64>)| {
                Ok(signed(
                    rest.iter()
                        .fold(bits(first), |all, next| fold(all, bits(*next))),
                ))
            })?,
        )?;
    }
    let shifts: [(&str, fn(u32, u32) -> u32); 5] = [
        ("lshift", |bits, by| bits << by),
        ("rshift", |bits, by| bits >> by),
        ("arshift", |bits, by| {
            (bits.cast_signed() >> by).cast_unsigned()
        }),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, shift) in shifts {
        bit.raw_set(
            name,
            lua.create_function(move |_, (number, by): (f64, f64)| {
                Ok(signed(shift(bits(number), bits(by) & 31)))
            })?,
        )?;
    }
    bit.raw_set(
        "tobit",
        lua.create_function(|_, number: f64| Ok(signed(bits(number))))?,
    )?;
    bit.raw_set(
        "bnot",
        lua.create_function(|_, number: f64| Ok(signed(!bits(number))))?,
    )?;
    bit.raw_set(
        "bswap",
        lua.create_function(|_, number: f64| Ok(signed(bits(number).swap_bytes())))?,
    )?;
    bit.raw_set(
        "tohex",
        lua.create_function(|_, (number, digits): (f64, Option<f64>)| {
            let digits = digits.unwrap_or(8.0);
            let text = format!("{:08x}", bits(number));
            let count = usize::from(u8::try_from(bits(digits.abs()).min(8)).unwrap_or(8));
            let text = &text[8 - count..];
            Ok(if digits < 0.0 {
                text.to_uppercase()
            } else {
                text.to_owned()
            })
        })?,
    )?;
    Ok(bit)
}
