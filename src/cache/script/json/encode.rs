//! Lua values as JSON text; reads no metatables.

use mlua::{Lua, Table, Value};

use super::{Invalid, Settings};
use crate::script::{number, raise};

/// Nesting that is never exceeded, whatever a script sets.
const DEPTH: i64 = 1000;
/// Bytes of one text: the buffer lives outside of the Lua state, where no limit sees it.
const BYTES: usize = 128 << 20;

struct Writer<'a> {
    lua: &'a Lua,
    settings: &'a Settings,
    out: Vec<u8>,
}

pub(super) fn encode(lua: &Lua, settings: &Settings, value: &Value) -> mlua::Result<Vec<u8>> {
    let mut writer = Writer { lua, settings, out: Vec::new() };
    writer.value(value, 0)?;
    Ok(writer.out)
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: i64) -> mlua::Result<()> {
        if self.out.len() > BYTES {
            return Err(mlua::Error::MemoryError("not enough memory".to_owned()));
        }
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::LightUserData(null) if null.0.is_null() => self.out.extend_from_slice(b"null"),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            #[expect(clippy::cast_precision_loss, reason = "it was a double before")]
            Value::Integer(number) => self.number(*number as f64)?,
            Value::Number(number) => self.number(*number)?,
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Table(table) => self.table(table, depth + 1)?,
            other => return Err(self.refuse(other.type_name(), "type not supported")),
        }
        Ok(())
    }

    fn refuse(&self, kind: &str, why: &str) -> mlua::Error {
        raise::text(self.lua, format_args!("Cannot serialise {kind}: {why}"))
    }

    fn number(&mut self, number: f64) -> mlua::Result<()> {
        if !number.is_finite() {
            match self.settings.encode_invalid {
                Invalid::Refuse => return Err(self.refuse("number", "must not be NaN or Inf")),
                Invalid::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                Invalid::Write if number.is_nan() => {
                    self.out.extend_from_slice(b"nan");
                    return Ok(());
                }
                Invalid::Write => {}
            }
        }
        let precision = usize::try_from(self.settings.precision).unwrap_or(14);
        self.out.extend_from_slice(number::general(number, precision).as_bytes());
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for &byte in text {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'/' => self.out.extend_from_slice(b"\\/"),
                8 => self.out.extend_from_slice(b"\\b"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                12 => self.out.extend_from_slice(b"\\f"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                0..0x20 | 0x7f => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    fn table(&mut self, table: &Table, depth: i64) -> mlua::Result<()> {
        if depth > self.settings.encode_depth.min(DEPTH) {
            let message = format!("Cannot serialise, excessive nesting ({depth})");
            return Err(raise::text(self.lua, message));
        }
        match self.length(table)? {
            Some(length) if length > 0 => self.array(table, length, depth),
            _ => self.object(table, depth),
        }
    }

    /// The greatest key when all keys are whole and positive and not too far apart.
    fn length(&self, table: &Table) -> mlua::Result<Option<i64>> {
        let (mut greatest, mut items) = (0_i64, 0_i64);
        for pair in table.pairs::<Value, Value>() {
            match pair?.0 {
                Value::Integer(key) if key >= 1 => greatest = greatest.max(key),
                Value::Number(key) if key >= 1.0 && key.floor() == key => {
                    greatest = greatest.max(if key < 9e15 { number::truncated(key) } else { i64::MAX });
                }
                _ => return Ok(None),
            }
            items += 1;
        }
        let settings = self.settings;
        let sparse = settings.sparse_ratio > 0
            && greatest > items.saturating_mul(settings.sparse_ratio)
            && greatest > settings.sparse_safe;
        if sparse && !settings.sparse_convert {
            return Err(self.refuse("table", "excessively sparse array"));
        }
        Ok((!sparse).then_some(greatest))
    }

    fn array(&mut self, table: &Table, length: i64, depth: i64) -> mlua::Result<()> {
        self.out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                self.out.push(b',');
            }
            self.value(&table.raw_get(index)?, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, table: &Table, depth: i64) -> mlua::Result<()> {
        self.out.push(b'{');
        let mut first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if !first {
                self.out.push(b',');
            }
            first = false;
            match &key {
                Value::String(text) => self.string(&text.as_bytes()),
                Value::Integer(_) | Value::Number(_) => {
                    self.out.push(b'"');
                    self.value(&key, depth)?;
                    self.out.push(b'"');
                }
                other => {
                    let why = "table key must be a number or string";
                    return Err(self.refuse(other.type_name(), why));
                }
            }
            self.out.push(b':');
            self.value(&value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}
