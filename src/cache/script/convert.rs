//! Values of Lua and answers of Redis, each as the other, by Redis's rules.
//! <https://redis.io/docs/latest/develop/interact/programmability/lua-api/>

use bytes::Bytes;
use mlua::{Lua, Value};

use crate::{number::format_double, resp::Reply};

/// How deep an answer may be nested.
const MAX_DEPTH: usize = 1_000;

/// What a script gets for an answer; `protocol` is what it has chosen with `redis.setresp`.
pub(super) fn to_lua(lua: &Lua, reply: Reply, protocol: u8) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Status(text) => Value::Table(field(lua, "ok", text.as_bytes())?),
        Reply::Line(text) => Value::Table(field(lua, "ok", text.as_bytes())?),
        Reply::Error(text) => Value::Table(field(lua, "err", text.as_bytes())?),
        #[expect(clippy::cast_precision_loss, reason = "numbers of Lua 5.1 are doubles")]
        Reply::Integer(number) => Value::Number(number as f64),
        Reply::Bulk(bytes) => Value::String(lua.create_string(&bytes)?),
        Reply::Nil | Reply::NilArray if protocol >= 3 => Value::Nil,
        Reply::Nil | Reply::NilArray => Value::Boolean(false),
        Reply::Array(items) | Reply::Push(items) => array(lua, items, protocol)?,
        Reply::Set(items) if protocol >= 3 => {
            let members = lua.create_table()?;
            for item in items {
                members.raw_set(to_lua(lua, item, protocol)?, true)?;
            }
            wrapped(lua, "set", members)?
        }
        Reply::Set(items) => array(lua, items, protocol)?,
        Reply::Map(pairs) if protocol >= 3 => {
            let map = lua.create_table()?;
            for (key, value) in pairs {
                map.raw_set(to_lua(lua, key, protocol)?, to_lua(lua, value, protocol)?)?;
            }
            wrapped(lua, "map", map)?
        }
        Reply::Map(pairs) => {
            let flat = pairs.into_iter().flat_map(|(key, value)| [key, value]);
            array(lua, flat.collect(), protocol)?
        }
        Reply::Double(number) if protocol >= 3 => {
            let table = lua.create_table()?;
            table.raw_set("double", number)?;
            Value::Table(table)
        }
        Reply::Double(number) => Value::String(lua.create_string(format_double(number))?),
        Reply::Boolean(value) if protocol >= 3 => Value::Boolean(value),
        Reply::Boolean(value) => Value::Number(f64::from(u8::from(value))),
        Reply::Verbatim(text) => Value::String(lua.create_string(text)?),
    })
}

fn array(lua: &Lua, items: Vec<Reply>, protocol: u8) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(items.len(), 0)?;
    for (index, item) in items.into_iter().enumerate() {
        table.raw_set(index + 1, to_lua(lua, item, protocol)?)?;
    }
    Ok(Value::Table(table))
}

fn field(lua: &Lua, name: &str, text: &[u8]) -> mlua::Result<mlua::Table> {
    let table = lua.create_table()?;
    table.raw_set(name, lua.create_string(text)?)?;
    Ok(table)
}

fn wrapped(lua: &Lua, name: &str, inner: mlua::Table) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    table.raw_set(name, inner)?;
    Ok(Value::Table(table))
}

/// The answer that a script's value stands for.
pub(super) fn to_reply(value: Value, protocol: u8, depth: usize) -> mlua::Result<Reply> {
    if depth > MAX_DEPTH {
        return Ok(Reply::Error("ERR reached lua stack limit".to_owned()));
    }
    Ok(match value {
        Value::String(text) => Reply::Bulk(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(number) => Reply::Integer(number),
        Value::Number(number) => Reply::Integer(truncated(number)),
        Value::Boolean(value) if protocol >= 3 => Reply::Boolean(value),
        Value::Boolean(true) => Reply::Integer(1),
        Value::Table(table) => from_table(&table, protocol, depth)?,
        _ => Reply::Nil,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "that is what Redis does with a number"
)]
fn truncated(number: f64) -> i64 {
    number as i64
}

fn from_table(table: &mlua::Table, protocol: u8, depth: usize) -> mlua::Result<Reply> {
    let text = |value: Value| match value {
        Value::String(text) => Some(text.to_string_lossy()),
        _ => None,
    };
    if let Some(error) = text(table.raw_get("err")?) {
        return Ok(Reply::Error(error));
    }
    if let Some(status) = text(table.raw_get("ok")?) {
        return Ok(Reply::Line(status));
    }
    if let Value::Number(number) = table.raw_get("double")? {
        return Ok(Reply::Double(number));
    }
    if let Value::Table(map) = table.raw_get("map")? {
        let mut pairs = Vec::new();
        for pair in map.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let key = to_reply(key, protocol, depth + 1)?;
            pairs.push((key, to_reply(value, protocol, depth + 1)?));
        }
        return Ok(Reply::Map(pairs));
    }
    if let Value::Table(set) = table.raw_get("set")? {
        let mut members = Vec::new();
        for pair in set.pairs::<Value, Value>() {
            members.push(to_reply(pair?.0, protocol, depth + 1)?);
        }
        return Ok(Reply::Set(members));
    }
    let mut items = Vec::new();
    for index in 1.. {
        match table.raw_get(index)? {
            Value::Nil => break,
            item => items.push(to_reply(item, protocol, depth + 1)?),
        }
    }
    Ok(Reply::Array(items))
}

/// A word of a command, as a script gave it; `None` if it is neither text nor a number.
pub(super) fn word(value: &Value) -> Option<Bytes> {
    match value {
        Value::String(text) => Some(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(number) => Some(Bytes::from(number.to_string())),
        Value::Number(number) => Some(Bytes::from(written(*number))),
        _ => None,
    }
}

/// A number as `%.17g` writes it, but for whole numbers, which have no exponent.
fn written(number: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return format!("{number:.0}");
    }
    super::json::format_g(number, 17)
}
