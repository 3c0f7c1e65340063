//! The library `bit`: operations on 32-bit numbers; no wider ones.

use mlua::{Lua, MultiValue, Table, Value};

use super::raise;

/// The table.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    fold(lua, &table, "band", |a, b| a & b)?;
    fold(lua, &table, "bor", |a, b| a | b)?;
    fold(lua, &table, "bxor", |a, b| a ^ b)?;
    fold(lua, &table, "tobit", |a, _| a)?;
    shift(lua, &table, "lshift", |a, n| a << n)?;
    shift(lua, &table, "rshift", |a, n| a >> n)?;
    shift(lua, &table, "arshift", |a, n| {
        (a.cast_signed() >> n).cast_unsigned()
    })?;
    shift(lua, &table, "rol", u32::rotate_left)?;
    shift(lua, &table, "ror", u32::rotate_right)?;
    let bnot =
        lua.create_function(|lua, args| Ok((!bits(lua, &args, 0, "bnot")?).cast_signed()))?;
    table.set("bnot", bnot)?;
    let bswap = lua.create_function(|lua, args| {
        Ok(bits(lua, &args, 0, "bswap")?.swap_bytes().cast_signed())
    })?;
    table.set("bswap", bswap)?;
    table.set(
        "tohex",
        lua.create_function(|lua, args| to_hex(lua, &args))?,
    )?;
    Ok(table)
}

fn fold(lua: &Lua, table: &Table, name: &'static str, f: fn(u32, u32) -> u32) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, args: MultiValue| {
        let mut result = bits(lua, &args, 0, name)?;
        for index in 1..args.len() {
            result = f(result, bits(lua, &args, index, name)?);
        }
        Ok(result.cast_signed())
    })?;
    table.set(name, function)
}

fn shift(lua: &Lua, table: &Table, name: &'static str, f: fn(u32, u32) -> u32) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, args: MultiValue| {
        let value = bits(lua, &args, 0, name)?;
        Ok(f(value, bits(lua, &args, 1, name)? & 31).cast_signed())
    })?;
    table.set(name, function)
}

fn to_hex(lua: &Lua, args: &MultiValue) -> mlua::Result<String> {
    let value = bits(lua, args, 0, "tohex")?;
    let digits = if args.len() > 1 {
        bits(lua, args, 1, "tohex")?.cast_signed()
    } else {
        8
    };
    let text = if digits < 0 {
        format!("{value:08X}")
    } else {
        format!("{value:08x}")
    };
    let kept = usize::try_from(digits.unsigned_abs()).unwrap_or(8).min(8);
    Ok(text[8 - kept..].to_owned())
}

/// The low 32 bits of an argument, rounded to the nearest whole number, half to even.
fn bits(lua: &Lua, args: &MultiValue, index: usize, name: &str) -> mlua::Result<u32> {
    let number = match args.get(index) {
        Some(Value::Integer(number)) => return Ok(low(*number)),
        Some(Value::Number(number)) => Some(*number),
        Some(text @ Value::String(_)) => lua.coerce_number(text.clone())?,
        _ => None,
    };
    let Some(number) = number else {
        let got = args.get(index).map_or("no value", Value::type_name);
        let message = format!("number expected, got {got}");
        return Err(raise::argument(lua, index + 1, name, message));
    };
    // Adding this constant puts the rounded number into the low bits of the fraction.
    let shifted = (number + 6_755_399_441_055_744.0).to_bits();
    Ok(low(i64::from_ne_bytes(shifted.to_ne_bytes())))
}

fn low(number: i64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}
