//! The library `cjson`, which behaves as lua-cjson 2.1 inside of Redis; settings end with the script.

mod decode;
mod encode;

use std::{cell::RefCell, rc::Rc};

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::{raise, state::Run};

/// What lua-cjson calls the configuration.
#[derive(Clone, Copy, Debug)]
struct Settings {
    sparse_convert: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth: i64,
    decode_depth: i64,
    precision: i64,
    keep_buffer: bool,
    encode_invalid: Invalid,
    decode_invalid: bool,
}

/// What becomes of numbers that JSON cannot write.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Invalid {
    Refuse,
    Write,
    Null,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth: 1000,
            decode_depth: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: Invalid::Refuse,
            decode_invalid: true,
        }
    }
}

/// The settings of the library that all scripts share.
#[derive(Clone, Default)]
pub(super) struct Shared(Rc<RefCell<Settings>>);

impl Shared {
    /// Back to what every script starts with.
    pub(super) fn reset(&self) {
        self.0.replace(Settings::default());
    }
}

/// The table; `cjson.new` makes another with settings of its own.
pub(super) fn library(lua: &Lua, shared: &Shared, run: &Rc<Run>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("_NAME", "cjson")?;
    table.set("_VERSION", "2.1.0")?;
    table.set("null", Value::NULL)?;
    let own = shared.clone();
    let clock = Rc::clone(run);
    // The globals of a script are empty to raw access, so this looks the ordinary way.
    let next: Function = lua.globals().get("next")?;
    let encode = lua.create_function(move |lua, args: MultiValue| {
        let settings = *own.0.borrow();
        let value = only(lua, args, "encode")?;
        lua.create_string(encode::encode(lua, &next, &settings, &clock, &value)?)
    })?;
    table.set("encode", encode)?;
    let own = shared.clone();
    let decode = lua.create_function(move |lua, args: MultiValue| {
        let settings = *own.0.borrow();
        let value = only(lua, args, "decode")?;
        let got = value.type_name();
        if let Some(text) = lua.coerce_string(value)? {
            return decode::decode(lua, &settings, &text.as_bytes());
        }
        let message = format!("string expected, got {got}");
        Err(raise::argument(lua, 1, "decode", message))
    })?;
    table.set("decode", decode)?;
    let clock = Rc::clone(run);
    let new =
        lua.create_function(move |lua, _: MultiValue| library(lua, &Shared::default(), &clock))?;
    table.set("new", new)?;
    options(lua, &table, shared)?;
    Ok(table)
}

fn only(lua: &Lua, mut args: MultiValue, function: &str) -> mlua::Result<Value> {
    if args.len() == 1 {
        return Ok(args.pop_front().unwrap_or(Value::Nil));
    }
    Err(raise::argument(lua, 1, function, "expected 1 argument"))
}

fn options(lua: &Lua, table: &Table, shared: &Shared) -> mlua::Result<()> {
    const MOST: i64 = i32::MAX as i64;
    number(lua, table, shared, "encode_max_depth", MOST, |s| {
        &mut s.encode_depth
    })?;
    number(lua, table, shared, "decode_max_depth", MOST, |s| {
        &mut s.decode_depth
    })?;
    number(lua, table, shared, "encode_number_precision", 14, |s| {
        &mut s.precision
    })?;
    switch(lua, table, shared, "encode_keep_buffer", |s| {
        &mut s.keep_buffer
    })?;
    switch(lua, table, shared, "decode_invalid_numbers", |s| {
        &mut s.decode_invalid
    })?;
    let own = shared.clone();
    let invalid = lua.create_function(move |lua, args: MultiValue| {
        few(lua, &args, 1, "encode_invalid_numbers")?;
        let settings = &mut *own.0.borrow_mut();
        match args.front() {
            None | Some(Value::Nil) => {}
            Some(Value::Boolean(true)) => settings.encode_invalid = Invalid::Write,
            Some(Value::Boolean(false)) => settings.encode_invalid = Invalid::Refuse,
            Some(other) => match other.to_string()?.as_str() {
                "null" => settings.encode_invalid = Invalid::Null,
                "on" => settings.encode_invalid = Invalid::Write,
                "off" => settings.encode_invalid = Invalid::Refuse,
                text => {
                    let message = format!("invalid option '{text}'");
                    return Err(raise::argument(lua, 1, "encode_invalid_numbers", message));
                }
            },
        }
        Ok(match settings.encode_invalid {
            Invalid::Refuse => Value::Boolean(false),
            Invalid::Write => Value::Boolean(true),
            Invalid::Null => Value::String(lua.create_string("null")?),
        })
    })?;
    table.set("encode_invalid_numbers", invalid)?;
    let own = shared.clone();
    let sparse = lua.create_function(move |lua, args: MultiValue| {
        let name = "encode_sparse_array";
        few(lua, &args, 3, name)?;
        let settings = &mut *own.0.borrow_mut();
        set_switch(lua, &args, name, &mut settings.sparse_convert)?;
        set_number(lua, &args, 1, name, 0, MOST, &mut settings.sparse_ratio)?;
        set_number(lua, &args, 2, name, 0, MOST, &mut settings.sparse_safe)?;
        Ok((
            settings.sparse_convert,
            settings.sparse_ratio,
            settings.sparse_safe,
        ))
    })?;
    table.set("encode_sparse_array", sparse)
}

fn number(
    lua: &Lua,
    table: &Table,
    shared: &Shared,
    name: &'static str,
    most: i64,
    place: fn(&mut Settings) -> &mut i64,
) -> mlua::Result<()> {
    let own = shared.clone();
    let function = lua.create_function(move |lua, args: MultiValue| {
        few(lua, &args, 1, name)?;
        let settings = &mut *own.0.borrow_mut();
        set_number(lua, &args, 0, name, 1, most, place(settings))?;
        Ok(*place(settings))
    })?;
    table.set(name, function)
}

fn switch(
    lua: &Lua,
    table: &Table,
    shared: &Shared,
    name: &'static str,
    place: fn(&mut Settings) -> &mut bool,
) -> mlua::Result<()> {
    let own = shared.clone();
    let function = lua.create_function(move |lua, args: MultiValue| {
        few(lua, &args, 1, name)?;
        let settings = &mut *own.0.borrow_mut();
        set_switch(lua, &args, name, place(settings))?;
        Ok(*place(settings))
    })?;
    table.set(name, function)
}

fn few(lua: &Lua, args: &MultiValue, most: usize, name: &str) -> mlua::Result<()> {
    if args.len() > most {
        return Err(raise::argument(
            lua,
            most + 1,
            name,
            "found too many arguments",
        ));
    }
    Ok(())
}

fn set_number(
    lua: &Lua,
    args: &MultiValue,
    index: usize,
    name: &str,
    least: i64,
    most: i64,
    place: &mut i64,
) -> mlua::Result<()> {
    let Some(value) = args.get(index).filter(|value| !value.is_nil()) else {
        return Ok(());
    };
    match lua.coerce_integer(value.clone())? {
        Some(number) if (least..=most).contains(&number) => *place = number,
        _ => {
            let message = format!("expected integer between {least} and {most}");
            return Err(raise::argument(lua, index + 1, name, message));
        }
    }
    Ok(())
}

fn set_switch(lua: &Lua, args: &MultiValue, name: &str, place: &mut bool) -> mlua::Result<()> {
    match args.front() {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *place = *value,
        Some(other) => match other.to_string()?.as_str() {
            "on" => *place = true,
            "off" => *place = false,
            text => {
                return Err(raise::argument(
                    lua,
                    1,
                    name,
                    format!("invalid option '{text}'"),
                ));
            }
        },
    }
    Ok(())
}
