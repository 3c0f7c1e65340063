//! The library `cmsgpack`: MessagePack as lua-cmsgpack writes it; no binary and extension types.

use mlua::{Lua, MultiValue, Table, Value};

use super::{number, raise};

/// Deeper tables are written as nil.
const PACK_DEPTH: usize = 16;
/// Deeper data is refused when reading.
const UNPACK_DEPTH: usize = 128;
/// Bytes of one text: the buffer lives outside of the Lua state, where no limit sees it.
const BYTES: usize = 128 << 20;

/// The table.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("_NAME", "cmsgpack")?;
    table.set("_VERSION", "lua-cmsgpack 0.4.0")?;
    let pack = lua.create_function(|lua, args: MultiValue| {
        if args.is_empty() {
            return Err(raise::argument(
                lua,
                0,
                "pack",
                "MessagePack pack needs input.",
            ));
        }
        let mut out = Vec::new();
        for value in &args {
            write(&mut out, value, 0)?;
        }
        lua.create_string(out)
    })?;
    table.set("pack", pack)?;
    let unpack = lua.create_function(|lua, args: MultiValue| {
        read(lua, &args, "unpack", None).map(MultiValue::from_vec)
    })?;
    table.set("unpack", unpack)?;
    let one = lua.create_function(|lua, args: MultiValue| {
        let offset = whole(lua, &args, 1, 0, "unpack_one")?;
        read(lua, &args, "unpack_one", Some((1, offset))).map(MultiValue::from_vec)
    })?;
    table.set("unpack_one", one)?;
    let limit = lua.create_function(|lua, args: MultiValue| {
        if args.len() < 2 {
            return Err(raise::argument(
                lua,
                2,
                "unpack_limit",
                "number expected, got no value",
            ));
        }
        let most = whole(lua, &args, 1, 0, "unpack_limit")?;
        let offset = whole(lua, &args, 2, 0, "unpack_limit")?;
        read(lua, &args, "unpack_limit", Some((most, offset))).map(MultiValue::from_vec)
    })?;
    table.set("unpack_limit", limit)?;
    Ok(table)
}

fn whole(lua: &Lua, args: &MultiValue, index: usize, or: i64, name: &str) -> mlua::Result<i64> {
    match args.get(index) {
        None | Some(Value::Nil) => Ok(or),
        Some(value) => match lua.coerce_number(value.clone())? {
            Some(number) => Ok(number::truncated(number)),
            None => Err(raise::argument(lua, index + 1, name, "number expected")),
        },
    }
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> mlua::Result<()> {
    if out.len() > BYTES {
        return Err(mlua::Error::MemoryError("not enough memory".to_owned()));
    }
    match value {
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => integer(out, *number),
        Value::Number(number) => double(out, *number),
        Value::String(text) => {
            let text = text.as_bytes();
            head(out, text.len(), 0xa0, 31, Some(0xd9), 0xda);
            out.extend_from_slice(&text);
        }
        Value::Table(table) if depth < PACK_DEPTH => write_table(out, table, depth)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn write_table(out: &mut Vec<u8>, table: &Table, depth: usize) -> mlua::Result<()> {
    let (mut greatest, mut items, mut array) = (0_usize, 0_usize, true);
    for pair in table.pairs::<Value, Value>() {
        match pair?.0 {
            Value::Integer(key) if key > 0 => {
                greatest = greatest.max(usize::try_from(key).unwrap_or(usize::MAX));
            }
            _ => array = false,
        }
        items += 1;
    }
    if array && greatest == items {
        head(out, items, 0x90, 15, None, 0xdc);
        for index in 1..=items {
            write(out, &table.raw_get(index)?, depth + 1)?;
        }
        return Ok(());
    }
    head(out, items, 0x80, 15, None, 0xde);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        write(out, &key, depth + 1)?;
        write(out, &value, depth + 1)?;
    }
    Ok(())
}

/// A length: in the type byte up to `short`, else in one byte, two or four.
fn head(out: &mut Vec<u8>, length: usize, base: u8, short: u8, one: Option<u8>, two: u8) {
    match (u8::try_from(length), one) {
        (Ok(length), _) if length <= short => out.push(base | length),
        (Ok(length), Some(one)) => out.extend_from_slice(&[one, length]),
        _ => {
            if let Ok(length) = u16::try_from(length) {
                out.push(two);
                out.extend_from_slice(&length.to_be_bytes());
            } else {
                out.push(two + 1);
                out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            }
        }
    }
}

fn integer(out: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        if let Ok(number) = u8::try_from(number) {
            if number > 127 {
                out.push(0xcc);
            }
            out.push(number);
        } else if let Ok(number) = u16::try_from(number) {
            out.push(0xcd);
            out.extend_from_slice(&number.to_be_bytes());
        } else if let Ok(number) = u32::try_from(number) {
            out.push(0xce);
            out.extend_from_slice(&number.to_be_bytes());
        } else {
            out.push(0xcf);
            out.extend_from_slice(&number.to_be_bytes());
        }
    } else if let Ok(number) = i8::try_from(number) {
        if number < -32 {
            out.push(0xd0);
        }
        out.push(number.cast_unsigned());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn double(out: &mut Vec<u8>, number: f64) {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.fract().abs() <= 0.0 && (-LIMIT..LIMIT).contains(&number) {
        integer(out, number::truncated(number));
        return;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with the original below"
    )]
    let single = number as f32;
    if f64::from(single).to_bits() == number.to_bits() && !number.is_nan() {
        out.push(0xca);
        out.extend_from_slice(&single.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// Why reading stopped.
enum Stop {
    Missing,
    Bad,
    Deep,
    Lua(mlua::Error),
}

impl From<mlua::Error> for Stop {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

struct Reader<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
}

/// All values, or with a bound and an offset those and in front of them where to go on.
fn read(
    lua: &Lua,
    args: &MultiValue,
    name: &str,
    bound: Option<(i64, i64)>,
) -> mlua::Result<Vec<Value>> {
    let given = args.front().cloned().unwrap_or(Value::Nil);
    let Some(text) = lua.coerce_string(given)? else {
        let got = args.front().map_or("no value", Value::type_name);
        return Err(raise::argument(
            lua,
            1,
            name,
            format!("string expected, got {got}"),
        ));
    };
    let text = text.as_bytes();
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let (most, offset) = bound.unwrap_or((0, 0));
    if most < 0 || offset < 0 {
        let message =
            format!("Invalid request to unpack with offset of {offset} and limit of {length}.");
        return Err(raise::text(lua, message));
    }
    if offset > length {
        let message = format!("Start offset {offset} greater than input length {length}.");
        return Err(raise::text(lua, message));
    }
    let most = if most == 0 {
        usize::MAX
    } else {
        usize::try_from(most).unwrap_or(usize::MAX)
    };
    let start = usize::try_from(offset).unwrap_or(0);
    let mut reader = Reader {
        lua,
        rest: &text[start..],
    };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && values.len() < most {
        values.push(reader.value(0).map_err(|stop| match stop {
            Stop::Missing => raise::text(lua, "Missing bytes in input."),
            Stop::Bad => raise::text(lua, "Bad data format in input."),
            Stop::Deep => raise::text(lua, "stack overflow"),
            Stop::Lua(error) => error,
        })?);
        // The interpreter's own bound on values of one call.
        if values.len() > 7_000 {
            return Err(raise::text(lua, "too many values to unpack"));
        }
    }
    if most != usize::MAX {
        let end = text.len() - reader.rest.len();
        let next = if reader.rest.is_empty() {
            -1
        } else {
            i64::try_from(end).unwrap_or(-1)
        };
        values.insert(0, Value::Integer(next));
    }
    Ok(values)
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Stop::Missing)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, length: usize) -> Result<u64, Stop> {
        Ok(self
            .take(length)?
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn length(&mut self, length: usize) -> Result<usize, Stop> {
        usize::try_from(self.unsigned(length)?).map_err(|_| Stop::Bad)
    }

    #[expect(clippy::cast_precision_loss, reason = "Lua 5.1 knows doubles alone")]
    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth > UNPACK_DEPTH {
            return Err(Stop::Deep);
        }
        let kind = self.take(1)?[0];
        Ok(match kind {
            0..=0x7f => Value::Number(f64::from(kind)),
            0xe0..=0xff => Value::Number(f64::from(kind.cast_signed())),
            0xc0 => Value::Nil,
            0xc2 | 0xc3 => Value::Boolean(kind == 0xc3),
            0xca => {
                let bits = u32::try_from(self.unsigned(4)?).unwrap_or(0);
                Value::Number(f64::from(f32::from_bits(bits)))
            }
            0xcb => Value::Number(f64::from_bits(self.unsigned(8)?)),
            0xcc..=0xcf => Value::Number(self.unsigned(1 << (kind - 0xcc))? as f64),
            0xd0..=0xd3 => {
                let length = 1 << (kind - 0xd0);
                let unused = 64 - 8 * length;
                let value = self.unsigned(length)?.cast_signed();
                Value::Number(((value << unused) >> unused) as f64)
            }
            0xa0..=0xbf => self.string(usize::from(kind & 31))?,
            0xd9..=0xdb => {
                let length = self.length(1 << (kind - 0xd9))?;
                self.string(length)?
            }
            0x90..=0x9f => self.array(usize::from(kind & 15), depth)?,
            0xdc | 0xdd => {
                let length = self.length(2 << (kind - 0xdc))?;
                self.array(length, depth)?
            }
            0x80..=0x8f => self.map(usize::from(kind & 15), depth)?,
            0xde | 0xdf => {
                let length = self.length(2 << (kind - 0xde))?;
                self.map(length, depth)?
            }
            _ => return Err(Stop::Bad),
        })
    }

    fn string(&mut self, length: usize) -> Result<Value, Stop> {
        let lua = self.lua;
        Ok(Value::String(lua.create_string(self.take(length)?)?))
    }

    fn array(&mut self, length: usize, depth: usize) -> Result<Value, Stop> {
        let table = self.lua.create_table()?;
        for index in 1..=length {
            table.raw_set(index, self.value(depth + 1)?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<Value, Stop> {
        let table = self.lua.create_table()?;
        for _ in 0..length {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            if key.is_nil() {
                return Err(Stop::Lua(raise::reply("ERR table index is nil")));
            }
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }
}
