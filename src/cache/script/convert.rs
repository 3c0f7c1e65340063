//! Between replies and Lua values, both ways as Redis converts them; runs no metamethods.

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::{number, state::Run};
use crate::resp::Reply;

/// Nesting of a reply, in levels.
const DEPTH: usize = 200;
/// Elements of one reply, all levels together.
const ELEMENTS: usize = 4 << 20;
/// Elements between two looks at the clock.
const CHECKED: usize = 1024;
/// Bytes of all strings of one reply.
const BYTES: usize = 512 << 20;

/// What may still be put into one reply.
struct Budget<'a> {
    run: &'a Run,
    elements: usize,
    bytes: usize,
}

fn status(lua: &Lua, text: &str) -> mlua::Result<Value> {
    field(lua, "ok", string(lua, text)?)
}

/// A command's answer as the value that `redis.call` returns.
pub(super) fn to_lua(lua: &Lua, reply: Reply, resp3: bool) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Status(text) => status(lua, text)?,
        Reply::Line(text) => status(lua, &text)?,
        Reply::Error(text) => field(lua, "err", string(lua, text)?)?,
        Reply::Integer(number) => integer(number),
        Reply::Bulk(bytes) => string(lua, bytes)?,
        Reply::Nil | Reply::NilArray if resp3 => Value::Nil,
        Reply::Nil | Reply::NilArray => Value::Boolean(false),
        Reply::Set(items) if resp3 => {
            let set = lua.create_table()?;
            for item in items {
                set.raw_set(to_lua(lua, item, resp3)?, true)?;
            }
            field(lua, "set", Value::Table(set))?
        }
        Reply::Array(items) | Reply::Push(items) | Reply::Set(items) => array(lua, items, resp3)?,
        Reply::Map(pairs) if resp3 => {
            let map = lua.create_table()?;
            for (key, value) in pairs {
                map.raw_set(to_lua(lua, key, resp3)?, to_lua(lua, value, resp3)?)?;
            }
            field(lua, "map", Value::Table(map))?
        }
        Reply::Map(pairs) => array(
            lua,
            pairs
                .into_iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            resp3,
        )?,
        Reply::Double(number) if resp3 => field(lua, "double", Value::Number(number))?,
        Reply::Double(number) => string(lua, number::general(number, 17))?,
        Reply::Boolean(value) if resp3 => Value::Boolean(value),
        Reply::Boolean(value) => integer(i64::from(value)),
        Reply::Verbatim(text) if resp3 => {
            let table = lua.create_table()?;
            table.raw_set("format", "txt")?;
            table.raw_set("string", text)?;
            field(lua, "verbatim_string", Value::Table(table))?
        }
        Reply::Verbatim(text) => string(lua, text)?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "Lua 5.1 knows doubles alone")]
fn integer(number: i64) -> Value {
    Value::Number(number as f64)
}

fn string(lua: &Lua, text: impl AsRef<[u8]>) -> mlua::Result<Value> {
    lua.create_string(text).map(Value::String)
}

fn field(lua: &Lua, name: &str, value: Value) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, value)?;
    Ok(Value::Table(table))
}

fn array(lua: &Lua, items: Vec<Reply>, resp3: bool) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(items.len(), 0)?;
    for (index, item) in items.into_iter().enumerate() {
        table.raw_set(index + 1, to_lua(lua, item, resp3)?)?;
    }
    Ok(Value::Table(table))
}

/// What a script returned, as its reply.
pub(super) fn to_reply(value: &Value, run: &Run) -> Reply {
    let resp3 = run.resp3.get();
    let mut budget = Budget {
        run,
        elements: ELEMENTS,
        bytes: BYTES,
    };
    reply(value, resp3, DEPTH, &mut budget)
        .unwrap_or_else(|| Reply::error("reached lua stack limit"))
}

fn reply(value: &Value, resp3: bool, depth: usize, budget: &mut Budget<'_>) -> Option<Reply> {
    budget.elements = budget.elements.checked_sub(1)?;
    if budget.elements.is_multiple_of(CHECKED) {
        budget.run.check().ok()?;
    }
    Some(match value {
        Value::String(text) => {
            let text = text.as_bytes();
            budget.bytes = budget.bytes.checked_sub(text.len())?;
            Reply::Bulk(Bytes::copy_from_slice(&text))
        }
        Value::Integer(number) => Reply::Integer(*number),
        Value::Number(number) => Reply::Integer(number::truncated(*number)),
        Value::Boolean(value) if resp3 => Reply::Boolean(*value),
        Value::Boolean(true) => Reply::Integer(1),
        Value::Table(table) => return table_reply(table, resp3, depth.checked_sub(1)?, budget),
        _ => Reply::Nil,
    })
}

fn table_reply(table: &Table, resp3: bool, depth: usize, budget: &mut Budget<'_>) -> Option<Reply> {
    if let Some(text) = text_field(table, "err") {
        return Some(Reply::Error(one_line(text)));
    }
    if let Some(text) = text_field(table, "ok") {
        return Some(Reply::Line(one_line(text)));
    }
    match table.raw_get("double").ok()? {
        Value::Number(number) => return Some(Reply::Double(number)),
        #[expect(clippy::cast_precision_loss, reason = "it was a double before")]
        Value::Integer(number) => return Some(Reply::Double(number as f64)),
        _ => {}
    }
    if let Value::Table(map) = table.raw_get("map").ok()? {
        let mut pairs = Vec::new();
        for pair in map.pairs::<Value, Value>() {
            let (key, value) = pair.ok()?;
            pairs.push((
                reply(&key, resp3, depth, budget)?,
                reply(&value, resp3, depth, budget)?,
            ));
        }
        return Some(Reply::Map(pairs));
    }
    if let Value::Table(set) = table.raw_get("set").ok()? {
        let mut items = Vec::new();
        for pair in set.pairs::<Value, Value>() {
            items.push(reply(&pair.ok()?.0, resp3, depth, budget)?);
        }
        return Some(Reply::Set(items));
    }
    if let Some(text) = text_field(table, "big_number") {
        return Some(Reply::Bulk(one_line(text).into()));
    }
    if let Value::Table(verbatim) = table.raw_get("verbatim_string").ok()?
        && let Some(text) = text_field(&verbatim, "string")
    {
        return Some(Reply::Verbatim(String::from_utf8_lossy(&text).into_owned()));
    }
    let mut items = Vec::new();
    for index in 1.. {
        let item: Value = table.raw_get(index).ok()?;
        if item.is_nil() {
            break;
        }
        items.push(reply(&item, resp3, depth, budget)?);
    }
    Some(Reply::Array(items))
}

fn text_field(table: &Table, name: &str) -> Option<Vec<u8>> {
    match table.raw_get(name).ok()? {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

/// Line breaks would end the reply too early.
fn one_line(text: Vec<u8>) -> String {
    String::from_utf8_lossy(&text).replace(['\r', '\n'], " ")
}
