//! Values on PostgreSQL's wire: parameters take the type that the statement was prepared with,
//! columns become one of our five kinds.

use std::{error::Error, fmt::Write as _};

use bytes::{BufMut as _, BytesMut};
use postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Value, ValueRef};

type Failure = Box<dyn Error + Sync + Send>;

/// A parameter.
#[derive(Debug)]
pub(crate) struct Parameter<'a>(pub(crate) ValueRef<'a>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        if self.0 == ValueRef::Null {
            return Ok(IsNull::Yes);
        }
        match *wanted {
            Type::INT2 => out.put_i16(i16::try_from(self.integer(wanted)?)?),
            Type::INT4 => out.put_i32(i32::try_from(self.integer(wanted)?)?),
            Type::INT8 => out.put_i64(self.integer(wanted)?),
            Type::BOOL => out.put_u8(u8::from(self.integer(wanted)? != 0)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the column is narrower by design"
            )]
            Type::FLOAT4 => out.put_f32(self.real(wanted)? as f32),
            Type::FLOAT8 => out.put_f64(self.real(wanted)?),
            Type::BYTEA => out.put_slice(self.bytes(wanted)?),
            _ => out.put_slice(self.text(wanted)?.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    /// Every other type reads our text: JSON, UUID, NUMERIC, a user's own.
    fn encode_format(&self, wanted: &Type) -> Format {
        match *wanted {
            Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::BOOL
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::BYTEA => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}

impl Parameter<'_> {
    fn integer(&self, wanted: &Type) -> Result<i64, Failure> {
        match self.0 {
            ValueRef::Integer(integer) => Ok(integer),
            _ => Err(self.mismatch(wanted)),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "SQLite rounds integers in REAL columns too"
    )]
    fn real(&self, wanted: &Type) -> Result<f64, Failure> {
        match self.0 {
            ValueRef::Real(real) => Ok(real),
            ValueRef::Integer(integer) => Ok(integer as f64),
            _ => Err(self.mismatch(wanted)),
        }
    }

    fn bytes(&self, wanted: &Type) -> Result<&[u8], Failure> {
        match self.0 {
            ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(self.mismatch(wanted)),
        }
    }

    fn text(&self, wanted: &Type) -> Result<String, Failure> {
        match self.0 {
            ValueRef::Text(text) => Ok(text.to_owned()),
            ValueRef::Integer(integer) => Ok(integer.to_string()),
            ValueRef::Real(real) => Ok(real.to_string()),
            ValueRef::Null | ValueRef::Blob(_) => Err(self.mismatch(wanted)),
        }
    }

    fn mismatch(&self, wanted: &Type) -> Failure {
        format!(
            "the statement wants {wanted} but was given {}",
            self.0.kind()
        )
        .into()
    }
}

/// A column of a row.
pub(crate) struct Column(pub(crate) Value);

impl<'a> FromSql<'a> for Column {
    fn from_sql(found: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let value = match *found {
            Type::INT2 => Value::Integer(i16::from_sql(found, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(found, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(found, raw)?),
            Type::OID => Value::Integer(u32::from_sql(found, raw)?.into()),
            Type::BOOL => Value::Integer(bool::from_sql(found, raw)?.into()),
            Type::FLOAT4 => Value::Real(f32::from_sql(found, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(found, raw)?),
            Type::NUMERIC => numeric(raw)?,
            Type::BYTEA => Value::Blob(raw.to_vec()),
            Type::UUID => Value::Text(uuid(raw)),
            Type::JSON => Value::Text(utf8(raw)?),
            // The first byte is the version of the encoding.
            Type::JSONB => Value::Text(utf8(raw.get(1..).unwrap_or_default())?),
            Type::VOID => Value::Null,
            _ if <&str as FromSql<'_>>::accepts(found) => Value::Text(utf8(raw)?),
            _ => return Err(format!("the type {found} is not supported; cast it to TEXT").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn utf8(raw: &[u8]) -> Result<String, Failure> {
    Ok(std::str::from_utf8(raw)?.to_owned())
}

fn uuid(raw: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in raw.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Decodes NUMERIC, which `SUM` of BIGINT and `AVG` return: a count of base-10,000 digits, the
/// weight of the first one, a sign and the scale, all 16 bits, then the digits. A whole number
/// that fits becomes an integer, anything else a real.
fn numeric(raw: &[u8]) -> Result<Value, Failure> {
    let field = |index: usize| -> Result<i16, Failure> {
        let bytes = raw
            .get(index * 2..index * 2 + 2)
            .ok_or("a NUMERIC is cut short")?;
        Ok(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (count, weight, sign) = (field(0)?, field(1)?, field(2)?);
    let negative = match sign.cast_unsigned() {
        0x0000 => false,
        0x4000 => true,
        0xD000 => return Ok(Value::Real(f64::INFINITY)),
        0xF000 => return Ok(Value::Real(f64::NEG_INFINITY)),
        _ => return Ok(Value::Real(f64::NAN)),
    };
    let mut text = String::from(if negative { "-" } else { "" });
    if weight < 0 {
        text.push('0');
    }
    let digit = |position: i16| -> Result<i16, Failure> {
        let index = usize::try_from(position).ok().filter(|_| position < count);
        index.map_or(Ok(0), |index| field(4 + index))
    };
    for position in 0..=weight {
        let _ = write!(text, "{:04}", digit(position)?);
    }
    if count > weight + 1 {
        text.push('.');
        for position in (weight + 1)..count {
            let _ = write!(text, "{:04}", digit(position)?);
        }
    }
    match text.parse::<i64>() {
        Ok(integer) => Ok(Value::Integer(integer)),
        Err(_) => Ok(Value::Real(text.parse()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[i16], expected: &Value) {
        let raw: Vec<u8> = fields
            .iter()
            .flat_map(|field| field.to_be_bytes())
            .collect();
        assert_eq!(numeric(&raw).unwrap(), *expected, "{fields:?}");
    }

    #[test]
    fn numerics_become_integers_or_reals() {
        let negative = 0x4000;
        check(&[0, 0, 0, 0], &Value::Integer(0));
        check(&[1, 0, 0, 0, 7], &Value::Integer(7));
        check(&[1, 1, 0, 0, 3], &Value::Integer(30_000));
        check(&[2, 1, negative, 0, 1, 2345], &Value::Integer(-12_345));
        check(&[2, 0, 0, 1, 1, 5_000], &Value::Real(1.5));
        check(&[1, -1, negative, 2, 2_500], &Value::Real(-0.25));
    }

    #[test]
    fn a_short_numeric_is_an_error() {
        assert!(numeric(&[0, 1]).is_err());
    }

    #[test]
    fn parameters_say_what_does_not_fit() {
        let mut out = BytesMut::new();
        let text = Parameter(ValueRef::Text("x"));
        let error = text
            .to_sql(&Type::INT8, &mut out)
            .err()
            .map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("the statement wants int8 but was given text")
        );
        assert!(
            Parameter(ValueRef::Integer(1 << 40))
                .to_sql(&Type::INT4, &mut out)
                .is_err()
        );
    }
}
