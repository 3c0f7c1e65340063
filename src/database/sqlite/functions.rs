//! What our SQL may call besides SQLite's own functions.

use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use crate::geo::{Point, distance_km};

/// Makes the functions known to a connection.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("mito_distance", 4, flags, |context| {
        let mut degrees = [0.0; 4];
        for (index, degree) in degrees.iter_mut().enumerate() {
            match number(context.get_raw(index)) {
                Some(number) => *degree = number,
                None => return Ok(None),
            }
        }
        let [lon_a, lat_a, lon_b, lat_b] = degrees;
        let point = |longitude, latitude| Point {
            longitude,
            latitude,
        };
        Ok(Some(distance_km(point(lon_a, lat_a), point(lon_b, lat_b))))
    })
}

/// As SQLite's own mathematical functions take their arguments: what is no number is null.
#[expect(
    clippy::cast_precision_loss,
    reason = "degrees are small numbers, and others have no meaning"
)]
fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Integer(integer) => Some(integer as f64),
        ValueRef::Real(real) => Some(real),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).ok()?.trim();
            let first = text.trim_start_matches(['-', '+', '.']).chars().next()?;
            text.parse().ok().filter(|_| first.is_ascii_digit())
        }
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}
