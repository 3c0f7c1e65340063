//! `cjson` for scripts: JSON as lua-cjson reads and writes it.

use std::rc::Rc;

use mlua::{Lua, Table, Value};

use super::library::Run;

/// How deep arrays and objects may be nested, both ways.
const MAX_DEPTH: usize = 1_000;
/// An array is too sparse when its largest index is more than this many times its length,
const SPARSE_RATIO: usize = 2;
/// and larger than this.
const SPARSE_SAFE: usize = 10;
/// How many digits numbers have.
const PRECISION: usize = 14;

/// The library.
pub(super) fn library(lua: &Lua, run: &Rc<Run>) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let null = Value::NULL;
    library.raw_set("null", null)?;
    let raising = Rc::clone(run);
    library.raw_set(
        "encode",
        lua.create_function(move |lua, value: Value| {
            let mut out = Vec::new();
            match encode(&value, 0, &mut out)? {
                Ok(()) => lua.create_string(&out),
                Err(error) => Err(raising.raise(lua, &error)),
            }
        })?,
    )?;
    let raising = Rc::clone(run);
    library.raw_set(
        "decode",
        lua.create_function(move |lua, text: mlua::LuaString| {
            let text = text.as_bytes().to_vec();
            let mut reader = Reader { text: &text, at: 0 };
            reader
                .document(lua)?
                .map_err(|error| raising.raise(lua, &error))
        })?,
    )?;
    Ok(library)
}

type Told<T> = mlua::Result<Result<T, String>>;

fn encode(value: &Value, depth: usize, out: &mut Vec<u8>) -> Told<()> {
    if depth > MAX_DEPTH {
        return Ok(Err(format!("Cannot serialise, excessive depth ({depth})")));
    }
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(_) => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        #[expect(clippy::cast_precision_loss, reason = "numbers of Lua 5.1 are doubles")]
        Value::Integer(number) => {
            out.extend_from_slice(format_g(*number as f64, PRECISION).as_bytes());
        }
        Value::Number(number) if !number.is_finite() => {
            return Ok(Err(
                "Cannot serialise number: must not be NaN or Inf".to_owned()
            ));
        }
        Value::Number(number) => out.extend_from_slice(format_g(*number, PRECISION).as_bytes()),
        Value::String(text) => write_text(&text.as_bytes(), out),
        Value::Table(table) => return encode_table(table, depth, out),
        other => {
            let name = other.type_name();
            return Ok(Err(format!("Cannot serialise {name}: type not supported")));
        }
    }
    Ok(Ok(()))
}

/// The largest index of a table whose keys are all whole numbers from 1; `None` for an object.
fn array_length(table: &Table) -> Told<Option<usize>> {
    let (mut largest, mut count) = (0_usize, 0_usize);
    for pair in table.pairs::<Value, Value>() {
        let index = match pair?.0 {
            Value::Integer(index) => usize::try_from(index).ok(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and positive, and memory bounds it"
            )]
            Value::Number(index) if index.fract() == 0.0 && index >= 1.0 => Some(index as usize),
            _ => None,
        };
        match index {
            Some(index) if index >= 1 => {
                largest = largest.max(index);
                count += 1;
            }
            _ => return Ok(Ok(None)),
        }
    }
    if count == 0 {
        return Ok(Ok(None));
    }
    if largest > count.saturating_mul(SPARSE_RATIO) && largest > SPARSE_SAFE {
        return Ok(Err(
            "Cannot serialise table: excessively sparse array".to_owned()
        ));
    }
    Ok(Ok(Some(largest)))
}

fn encode_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> Told<()> {
    let length = match array_length(table)? {
        Ok(length) => length,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(length) = length {
        out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                out.push(b',');
            }
            if let Err(error) = encode(&table.raw_get(index)?, depth + 1, out)? {
                return Ok(Err(error));
            }
        }
        out.push(b']');
        return Ok(Ok(()));
    }
    out.push(b'{');
    let mut first = true;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        match key {
            Value::String(text) => write_text(&text.as_bytes(), out),
            Value::Integer(number) => write_text(number.to_string().as_bytes(), out),
            Value::Number(number) => write_text(format_g(number, PRECISION).as_bytes(), out),
            _ => {
                return Ok(Err(
                    "Cannot serialise table: table key must be a number or string".to_owned(),
                ));
            }
        }
        out.push(b':');
        if let Err(error) = encode(&value, depth + 1, out)? {
            return Ok(Err(error));
        }
    }
    out.push(b'}');
    Ok(Ok(()))
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'/' => out.extend_from_slice(b"\\/"),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            0..=31 | 127 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// A number as C's `%.{precision}g` writes it.
pub(super) fn format_g(number: f64, precision: usize) -> String {
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    if !number.is_finite() {
        return if number.is_nan() {
            "nan"
        } else if number > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .to_owned();
    }
    let scientific = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let most = i32::try_from(precision).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= most {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    let decimals = usize::try_from(most - 1 - exponent).unwrap_or(0);
    trimmed(&format!("{number:.decimals$}"))
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn document(&mut self, lua: &Lua) -> Told<Value> {
        let value = match self.value(lua, 0)? {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        };
        self.skip_blanks();
        if self.at < self.text.len() {
            return Ok(Err(self.expected("the end")));
        }
        Ok(Ok(value))
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expected(&self, what: &str) -> String {
        let found = match self.peek() {
            None => "T_END",
            Some(b'}') => "T_OBJ_END",
            Some(b']') => "T_ARR_END",
            Some(b',') => "T_COMMA",
            Some(b':') => "T_COLON",
            Some(b'{') => "T_OBJ_BEGIN",
            Some(b'[') => "T_ARR_BEGIN",
            Some(b'"') => "T_STRING",
            Some(b'0'..=b'9' | b'-') => "T_NUMBER",
            Some(_) => "invalid token",
        };
        format!(
            "Expected {what} but found {found} at character {}",
            self.at + 1
        )
    }

    fn value(&mut self, lua: &Lua, depth: usize) -> Told<Value> {
        self.skip_blanks();
        if depth > MAX_DEPTH {
            let at = self.at;
            return Ok(Err(format!(
                "Found too many nested data structures ({depth}) at character {at}"
            )));
        }
        match self.peek() {
            Some(b'{') => self.object(lua, depth),
            Some(b'[') => self.array(lua, depth),
            Some(b'"') => match self.string() {
                Ok(text) => Ok(Ok(Value::String(lua.create_string(&text)?))),
                Err(error) => Ok(Err(error)),
            },
            Some(b'-' | b'0'..=b'9') => Ok(self.number()),
            _ => {
                for (word, value) in [
                    ("true", Value::Boolean(true)),
                    ("false", Value::Boolean(false)),
                    ("null", Value::NULL),
                ] {
                    if self.text[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(Ok(value));
                    }
                }
                Ok(Err(self.expected("value")))
            }
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let text = std::str::from_utf8(&rest[..length]).unwrap_or("");
        let number: f64 = text.parse().map_err(|_| {
            format!(
                "Expected value but found invalid number at character {}",
                self.at + 1
            )
        })?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn array(&mut self, lua: &Lua, depth: usize) -> Told<Value> {
        self.at += 1;
        let table = lua.create_table()?;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Ok(Value::Table(table)));
        }
        for index in 1.. {
            match self.value(lua, depth + 1)? {
                Ok(value) => table.raw_set(index, value)?,
                Err(error) => return Ok(Err(error)),
            }
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Ok(Err(self.expected("comma or array end"))),
            }
        }
        self.at += 1;
        Ok(Ok(Value::Table(table)))
    }

    fn object(&mut self, lua: &Lua, depth: usize) -> Told<Value> {
        self.at += 1;
        let table = lua.create_table()?;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Ok(Value::Table(table)));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Ok(Err(self.expected("object key string")));
            }
            let key = match self.string() {
                Ok(key) => lua.create_string(&key)?,
                Err(error) => return Ok(Err(error)),
            };
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Ok(Err(self.expected("colon")));
            }
            self.at += 1;
            match self.value(lua, depth + 1)? {
                Ok(value) => table.raw_set(key, value)?,
                Err(error) => return Ok(Err(error)),
            }
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Ok(Err(self.expected("comma or object end"))),
            }
        }
        self.at += 1;
        Ok(Ok(Value::Table(table)))
    }

    fn string(&mut self) -> Result<Vec<u8>, String> {
        let begin = self.at + 1;
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(format!(
                    "Expected value but found unexpected end of string at character {begin}"
                ));
            };
            self.at += 1;
            match byte {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                0..=31 => {
                    let at = self.at;
                    return Err(format!(
                        "Expected value but found invalid token at character {at}"
                    ));
                }
                byte => out.push(byte),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let invalid =
            |at: usize| format!("Expected value but found invalid escape code at character {at}");
        let byte = self.peek().ok_or_else(|| invalid(self.at))?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => out.push(byte),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let wrong = |at: usize| {
                    format!(
                        "Expected value but found invalid unicode escape code at character {at}"
                    )
                };
                let mut code = self.hex().ok_or_else(|| wrong(self.at))?;
                if (0xD800..0xDC00).contains(&code) && self.text[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.hex().filter(|low| (0xDC00..0xE000).contains(low));
                    let low = low.ok_or_else(|| wrong(self.at))?;
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                }
                let character = char::from_u32(code).ok_or_else(|| wrong(self.at))?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(invalid(self.at - 1)),
        }
        Ok(())
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let text = std::str::from_utf8(digits).ok()?;
        let code = u32::from_str_radix(text, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}
