//! `cmsgpack` for scripts: MessagePack, packed as small as it goes.
//! <https://github.com/msgpack/msgpack/blob/master/spec.md>

use mlua::{Lua, MultiValue, Table, Value};

/// How deep tables are packed; deeper ones become nil, as in Redis.
const MAX_PACK_DEPTH: usize = 16;
/// How deep values may be nested that are unpacked.
const MAX_UNPACK_DEPTH: usize = 1_000;

/// The library. Failures are given back as `nil` and a text, which the prelude raises.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set(
        "pack",
        lua.create_function(|lua, values: MultiValue| {
            if values.is_empty() {
                let why = "bad argument #0 to 'pack' (MessagePack pack needs input.)";
                return Ok((None, Some(why.to_owned())));
            }
            let mut out = Vec::new();
            for value in &values {
                pack(value, 0, &mut out)?;
            }
            Ok((Some(lua.create_string(&out)?), None))
        })?,
    )?;
    library.raw_set(
        "unpack",
        lua.create_function(|lua, text: mlua::LuaString| {
            let text = text.as_bytes().to_vec();
            let mut reader = Reader { text: &text, at: 0 };
            let mut values = Vec::new();
            while reader.at < text.len() {
                match reader.value(lua, 0)? {
                    Ok(value) => values.push(value),
                    Err(error) => return failed(lua, error),
                }
            }
            Ok(MultiValue::from_vec([vec![Value::Nil], values].concat()))
        })?,
    )?;
    Ok(library)
}

fn failed(lua: &Lua, error: &str) -> mlua::Result<MultiValue> {
    let error = Value::String(lua.create_string(error)?);
    Ok(MultiValue::from_vec(vec![error]))
}

fn pack(value: &Value, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => pack_integer(*number, out),
        Value::Number(number) => pack_number(*number, out),
        Value::String(text) => pack_text(&text.as_bytes(), out),
        Value::Table(table) if depth < MAX_PACK_DEPTH => pack_table(table, depth, out)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers within the range of 64 bits, and floats that are tried in 32 bits"
)]
fn pack_number(number: f64, out: &mut Vec<u8>) {
    const RANGE: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-RANGE..RANGE).contains(&number) {
        return pack_integer(number as i64, out);
    }
    let short = number as f32;
    if f64::from(short).to_bits() == number.to_bits() {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_integer(number: i64, out: &mut Vec<u8>) {
    if let Ok(number) = u64::try_from(number) {
        match number {
            0..=0x7f => out.push(number.to_be_bytes()[7]),
            0x80..=0xff => out.extend_from_slice(&[0xcc, number.to_be_bytes()[7]]),
            0x100..=0xffff => tagged(0xcd, &number.to_be_bytes()[6..], out),
            0x1_0000..=0xffff_ffff => tagged(0xce, &number.to_be_bytes()[4..], out),
            _ => tagged(0xcf, &number.to_be_bytes(), out),
        }
        return;
    }
    let bytes = number.to_be_bytes();
    match number {
        -32..0 => out.push(bytes[7]),
        -128..-32 => tagged(0xd0, &bytes[7..], out),
        -32_768..-128 => tagged(0xd1, &bytes[6..], out),
        -2_147_483_648..-32_768 => tagged(0xd2, &bytes[4..], out),
        _ => tagged(0xd3, &bytes, out),
    }
}

fn tagged(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

fn pack_text(text: &[u8], out: &mut Vec<u8>) {
    let length = (text.len() as u64).to_be_bytes();
    match text.len() {
        0..=31 => out.push(0xa0 | length[7]),
        32..=0xff => tagged(0xd9, &length[7..], out),
        0x100..=0xffff => tagged(0xda, &length[6..], out),
        _ => tagged(0xdb, &length[4..], out),
    }
    out.extend_from_slice(text);
}

fn pack_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    let mut pairs = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        pairs.push(pair?);
    }
    let length = (pairs.len() as u64).to_be_bytes();
    // An array has exactly the keys from 1 to its length.
    let mut items = vec![None; pairs.len()];
    let is_array = pairs.iter().all(|(key, value)| {
        let index = match key {
            Value::Integer(index) => usize::try_from(*index).ok(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and positive, and out of range it is no index"
            )]
            Value::Number(index) if index.fract() == 0.0 && *index >= 1.0 => Some(*index as usize),
            _ => None,
        };
        let place = index.and_then(|index| items.get_mut(index.checked_sub(1)?));
        place.map(|place| *place = Some(value)).is_some()
    });
    if is_array {
        match pairs.len() {
            0..=15 => out.push(0x90 | length[7]),
            16..=0xffff => tagged(0xdc, &length[6..], out),
            _ => tagged(0xdd, &length[4..], out),
        }
        for item in items.into_iter().flatten() {
            pack(item, depth + 1, out)?;
        }
        return Ok(());
    }
    match pairs.len() {
        0..=15 => out.push(0x80 | length[7]),
        16..=0xffff => tagged(0xde, &length[6..], out),
        _ => tagged(0xdf, &length[4..], out),
    }
    for (key, value) in &pairs {
        pack(key, depth + 1, out)?;
        pack(value, depth + 1, out)?;
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

const MISSING: &str = "Missing bytes in input.";
const BAD: &str = "Bad data format in input.";

type Told<T> = mlua::Result<Result<T, &'static str>>;

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let bytes = self.text.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    /// A big-endian number of `length` bytes.
    fn unsigned(&mut self, length: usize) -> Option<u64> {
        let bytes = self.take(length)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }

    fn length(&mut self, length: usize) -> Option<usize> {
        self.unsigned(length)
            .and_then(|number| usize::try_from(number).ok())
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of Lua 5.1 are doubles")]
    fn scalar(&mut self, tag: u8) -> Option<Value> {
        let signed = |number: u64, bytes: u32| {
            let unused = 64 - bytes * 8;
            (number << unused).cast_signed() >> unused
        };
        let number = match tag {
            0xca => f64::from(f32::from_bits(u32::try_from(self.unsigned(4)?).ok()?)),
            0xcb => f64::from_bits(self.unsigned(8)?),
            0xcc => self.unsigned(1)? as f64,
            0xcd => self.unsigned(2)? as f64,
            0xce => self.unsigned(4)? as f64,
            0xcf => self.unsigned(8)? as f64,
            0xd0 => signed(self.unsigned(1)?, 1) as f64,
            0xd1 => signed(self.unsigned(2)?, 2) as f64,
            0xd2 => signed(self.unsigned(4)?, 4) as f64,
            _ => signed(self.unsigned(8)?, 8) as f64,
        };
        Some(Value::Number(number))
    }

    fn value(&mut self, lua: &Lua, depth: usize) -> Told<Value> {
        if depth > MAX_UNPACK_DEPTH {
            return Ok(Err(BAD));
        }
        let Some(&tag) = self.text.get(self.at) else {
            return Ok(Err(MISSING));
        };
        self.at += 1;
        let low = usize::from(tag & 0x1f);
        let length = match tag {
            0x00..=0x7f => return Ok(Ok(Value::Number(f64::from(tag)))),
            0xe0..=0xff => return Ok(Ok(Value::Number(f64::from(tag.cast_signed())))),
            0xc0 => return Ok(Ok(Value::Nil)),
            0xc2 | 0xc3 => return Ok(Ok(Value::Boolean(tag == 0xc3))),
            0xca..=0xcf | 0xd0..=0xd3 => return Ok(self.scalar(tag).ok_or(MISSING)),
            0xa0..=0xbf => Some(low),
            0x80..=0x9f => Some(low & 0x0f),
            0xc4 | 0xd9 => self.length(1),
            0xc5 | 0xda | 0xdc | 0xde => self.length(2),
            0xc6 | 0xdb | 0xdd | 0xdf => self.length(4),
            _ => return Ok(Err(BAD)),
        };
        let Some(length) = length else {
            return Ok(Err(MISSING));
        };
        match tag {
            0x80..=0x8f | 0xde | 0xdf => self.map(lua, length, depth),
            0x90..=0x9f | 0xdc | 0xdd => self.array(lua, length, depth),
            _ => match self.take(length) {
                Some(text) => Ok(Ok(Value::String(lua.create_string(text)?))),
                None => Ok(Err(MISSING)),
            },
        }
    }

    fn array(&mut self, lua: &Lua, length: usize, depth: usize) -> Told<Value> {
        let table = lua.create_table()?;
        for index in 1..=length {
            match self.value(lua, depth + 1)? {
                Ok(value) => table.raw_set(index, value)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(Value::Table(table)))
    }

    fn map(&mut self, lua: &Lua, length: usize, depth: usize) -> Told<Value> {
        let table = lua.create_table()?;
        for _ in 0..length {
            let key = match self.value(lua, depth + 1)? {
                Ok(Value::Nil) => return Ok(Err(BAD)),
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
            match self.value(lua, depth + 1)? {
                Ok(value) => table.raw_set(key, value)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(Value::Table(table)))
    }
}
