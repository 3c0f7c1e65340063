//! Lua values as JSON text; reads no metatables.

use mlua::{Function, Lua, Table, Value};

use super::{Invalid, Settings};
use crate::script::{number, raise, state::Run};

/// Nesting that is never exceeded, whatever a script sets.
const DEPTH: i64 = 1000;
/// Bytes of one text: the buffer lives outside of the Lua state, where no limit sees it.
const BYTES: usize = 128 << 20;

struct Writer<'a> {
    lua: &'a Lua,
    next: &'a Function,
    settings: &'a Settings,
    run: &'a Run,
    out: Vec<u8>,
}

/// A table that is being written. They are kept in a list: recursion would need more stack than
/// threads have.
enum Open {
    Array {
        table: Table,
        written: i64,
        length: i64,
    },
    /// With the last key that was written.
    Object { table: Table, key: Value },
}

pub(super) fn encode(
    lua: &Lua,
    next: &Function,
    settings: &Settings,
    run: &Run,
    value: &Value,
) -> mlua::Result<Vec<u8>> {
    let mut writer = Writer {
        lua,
        next,
        settings,
        run,
        out: Vec::new(),
    };
    writer.all(value)?;
    Ok(writer.out)
}

impl Writer<'_> {
    fn all(&mut self, value: &Value) -> mlua::Result<()> {
        let mut open = Vec::new();
        self.value(value, &mut open)?;
        while let Some(last) = open.last_mut() {
            let value = match last {
                Open::Array {
                    written, length, ..
                } if written == length => {
                    self.out.push(b']');
                    open.pop();
                    continue;
                }
                Open::Array { table, written, .. } => {
                    if *written > 0 {
                        self.out.push(b',');
                    }
                    *written += 1;
                    table.raw_get(*written)?
                }
                Open::Object { table, key } => {
                    let first = key.is_nil();
                    let (next, value): (Value, Value) = self.next.call((&*table, &*key))?;
                    if next.is_nil() {
                        self.out.push(b'}');
                        open.pop();
                        continue;
                    }
                    self.key(&next, first)?;
                    *key = next;
                    value
                }
            };
            self.value(&value, &mut open)?;
        }
        Ok(())
    }

    /// Writes a value, or begins a table.
    fn value(&mut self, value: &Value, open: &mut Vec<Open>) -> mlua::Result<()> {
        if let Value::Table(table) = value {
            open.extend(self.table(table, open.len())?);
            return Ok(());
        }
        self.scalar(value)
    }

    fn scalar(&mut self, value: &Value) -> mlua::Result<()> {
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
        self.out
            .extend_from_slice(number::general(number, precision).as_bytes());
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
                0..0x20 | 0x7f => self
                    .out
                    .extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    /// Begins a table. One without tables in it is written whole.
    fn table(&mut self, table: &Table, open: usize) -> mlua::Result<Option<Open>> {
        let depth = i64::try_from(open).unwrap_or(DEPTH) + 1;
        if depth > self.settings.encode_depth.min(DEPTH) {
            let message = format!("Cannot serialise, excessive nesting ({depth})");
            return Err(raise::text(self.lua, message));
        }
        self.run.check()?;
        let (length, nested) = self.length(table)?;
        if length > 0 {
            self.out.push(b'[');
            return Ok(Some(Open::Array {
                table: table.clone(),
                written: 0,
                length,
            }));
        }
        self.out.push(b'{');
        if nested {
            return Ok(Some(Open::Object {
                table: table.clone(),
                key: Value::Nil,
            }));
        }
        let mut first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            self.key(&key, first)?;
            self.scalar(&value)?;
            first = false;
        }
        self.out.push(b'}');
        Ok(None)
    }

    /// The greatest key when all keys are whole and positive and not too far apart, else 0; and
    /// whether there are tables in it.
    fn length(&self, table: &Table) -> mlua::Result<(i64, bool)> {
        let (mut greatest, mut items) = (0_i64, 0_i64);
        let (mut array, mut nested) = (true, false);
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            nested |= value.is_table();
            match key {
                Value::Integer(key) if key >= 1 => greatest = greatest.max(key),
                Value::Number(key) if key >= 1.0 && key.fract() <= 0.0 => greatest = i64::MAX,
                _ => array = false,
            }
            items += 1;
        }
        let settings = self.settings;
        let sparse = settings.sparse_ratio > 0
            && greatest > items.saturating_mul(settings.sparse_ratio)
            && greatest > settings.sparse_safe;
        if array && sparse && !settings.sparse_convert {
            return Err(self.refuse("table", "excessively sparse array"));
        }
        Ok((if array && !sparse { greatest } else { 0 }, nested))
    }

    fn key(&mut self, key: &Value, first: bool) -> mlua::Result<()> {
        if !first {
            self.out.push(b',');
        }
        match key {
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                self.out.push(b'"');
                self.scalar(key)?;
                self.out.push(b'"');
            }
            other => {
                return Err(self.refuse(other.type_name(), "table key must be a number or string"));
            }
        }
        self.out.push(b':');
        Ok(())
    }
}
