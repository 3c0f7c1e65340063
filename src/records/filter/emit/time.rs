//! `strftime` in SQL: SQLite has it, PostgreSQL gets each part of the format from `to_char`.

use mito_database::{Dialect, Value};

use crate::filter::{
    emit::{
        Writer,
        term::{Class, Term},
    },
    moments::{self, Piece, Shift, Unit},
    values,
};

/// A date, perhaps with a time.
const DATE: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\
    ([ T]+([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?)? *[Zz]?$";

impl Writer<'_, '_> {
    pub(super) fn time(&mut self, format: &str, at: &Term, modifiers: &[String]) -> String {
        match self.dialect {
            Dialect::Sqlite => {
                let mut arguments = vec![self.bind(Value::Text(format.to_owned()))];
                arguments.push(match &at.constant {
                    Some(constant) => self.bind(constant.clone()),
                    None => at.sql.clone(),
                });
                for modifier in modifiers {
                    arguments.push(self.bind(Value::Text(modifier.clone())));
                }
                format!("strftime({})", arguments.join(", "))
            }
            Dialect::Postgres => self.time_on_postgres(format, at, modifiers),
        }
    }

    fn time_on_postgres(&mut self, format: &str, at: &Term, modifiers: &[String]) -> String {
        let text = match &at.constant {
            Some(constant) => {
                let text = self.bind(Value::Text(values::written(constant)));
                format!("{text}::text")
            }
            None if at.class == Class::Text => at.sql.clone(),
            None => at.searchable.clone(),
        };
        // Null, whatever the time is. A parameter that a statement has is one that it uses.
        let nothing = || format!("(CASE WHEN {text} IS NULL THEN NULL::text END)");
        let Some(pieces) = moments::pieces(format) else {
            return nothing();
        };
        // A zone that is always UTC is left out, so the session's is not asked.
        let plain = format!("rtrim(replace({text}, 'T', ' '), 'Zz ')");
        let mut moment = format!("(CASE WHEN {text} ~ '{DATE}' THEN {plain}::timestamp END)");
        for modifier in modifiers {
            let Ok(shift) = moments::shift(modifier) else {
                return nothing();
            };
            moment = shifted(&moment, shift);
        }
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parts.push(match piece {
                Piece::Literal(text) => format!("{}::text", self.bind(Value::Text(text))),
                Piece::Part(part) => match part_of(&moment, part) {
                    Some(sql) => sql,
                    None => return nothing(),
                },
            });
        }
        if parts.is_empty() {
            return format!("(CASE WHEN {moment} IS NOT NULL THEN '' END)");
        }
        format!("({})", parts.join(" || "))
    }
}

fn shifted(moment: &str, shift: Shift) -> String {
    match shift {
        Shift::Seconds(seconds) => format!("({moment} + interval '{seconds} seconds')"),
        // A day that the month does not have is counted on into the next one.
        Shift::Months(months) => format!(
            "(date_trunc('month', {moment}) + interval '{months} months' \
             + ({moment} - date_trunc('month', {moment})))"
        ),
        Shift::StartOf(Unit::Day) => format!("date_trunc('day', {moment})"),
        Shift::StartOf(Unit::Month) => format!("date_trunc('month', {moment})"),
        Shift::StartOf(Unit::Year) => format!("date_trunc('year', {moment})"),
        Shift::Weekday(day) => format!(
            "({moment} + make_interval(days => \
             (({day} + 7 - extract(dow from {moment})::int) % 7)))"
        ),
    }
}

fn part_of(moment: &str, part: char) -> Option<String> {
    let shown = |form: &str| Some(format!("to_char({moment}, '{form}')"));
    let padded = |form: &str| Some(format!("lpad(to_char({moment}, '{form}'), 2, ' ')"));
    let week = |first: i32| {
        Some(format!(
            "lpad((((extract(doy from {moment})::int - 1) + 7 \
             - ((extract(dow from {moment})::int + {first}) % 7)) / 7)::text, 2, '0')"
        ))
    };
    match part {
        'd' => shown("DD"),
        'e' => padded("FMDD"),
        'f' => shown("SS.MS"),
        'F' => shown("YYYY-MM-DD"),
        'G' => shown("IYYY"),
        'g' => shown("IY"),
        'H' => shown("HH24"),
        'I' => shown("HH12"),
        'j' => shown("DDD"),
        'k' => padded("FMHH24"),
        'l' => padded("FMHH12"),
        'm' => shown("MM"),
        'M' => shown("MI"),
        'p' => shown("AM"),
        'P' => shown("am"),
        'R' => shown("HH24:MI"),
        's' => Some(format!("floor(extract(epoch from {moment}))::bigint::text")),
        'S' => shown("SS"),
        'T' => shown("HH24:MI:SS"),
        'u' => shown("ID"),
        'V' => shown("IW"),
        'w' => Some(format!("extract(dow from {moment})::int::text")),
        'U' => week(0),
        'W' => week(6),
        'Y' => shown("YYYY"),
        _ => None,
    }
}
