//! Statements typed by an administrator, on PostgreSQL.
//!
//! The server has no hook that asks what a statement touches, so whatever is not plainly a query is
//! refused when it names the platform's tables or could do so unseen.

use postgres::SimpleQueryMessage;

use crate::{
    Error, Value,
    console::{Column, Limits, Outcome},
    postgres::tx::PostgresTx,
};

/// Words that begin statements which could reach any table unseen.
const REFUSED: [&str; 8] = [
    "DO",
    "CALL",
    "COPY",
    "EXECUTE",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "RULE",
];

impl PostgresTx<'_> {
    pub(crate) fn console(&mut self, sql: &str, limits: Limits) -> Result<Outcome, Error> {
        check(sql, self.writes())?;
        let limit_ms = limits.time.as_millis();
        self.simple(&format!("SET LOCAL statement_timeout = {limit_ms}"))?;
        let mut outcome = Outcome::default();
        let mut bytes = 0_usize;
        for message in self.simple(sql)? {
            match message {
                SimpleQueryMessage::RowDescription(columns) => {
                    outcome.columns = columns
                        .iter()
                        .map(|column| Column {
                            name: column.name().to_owned(),
                            kind: String::new(),
                        })
                        .collect();
                    outcome.rows.clear();
                }
                SimpleQueryMessage::Row(row) => {
                    let values: Vec<Value> = (0..row.len())
                        .map(|index| match row.get(index) {
                            Some(text) => Value::Text(text.to_owned()),
                            None => Value::Null,
                        })
                        .collect();
                    bytes = values
                        .iter()
                        .map(crate::console::room)
                        .fold(bytes, usize::saturating_add);
                    if outcome.rows.len() == limits.rows || bytes > limits.bytes {
                        return Err(limits.exceeded());
                    }
                    outcome.rows.push(values);
                }
                SimpleQueryMessage::CommandComplete(rows) if outcome.columns.is_empty() => {
                    outcome.affected = outcome.affected.saturating_add(rows);
                }
                _ => {}
            }
        }
        Ok(outcome)
    }
}

fn check(sql: &str, writes: bool) -> Result<(), Error> {
    let refused = |what: &str| Err(Error::Engine(format!("not authorized: {what}")));
    let upper = sql.to_ascii_uppercase();
    let mut words = upper
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty());
    if writes {
        if let Some(word) = words.clone().find(|word| REFUSED.contains(word)) {
            return refused(word);
        }
        if upper.contains("_MITO_") || upper.contains("U&") {
            return refused("the platform's tables can only be read");
        }
    }
    let engine = [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "PREPARE",
        "DISCARD",
        "LISTEN",
        "SET",
        "RESET",
        "ABORT",
    ];
    if let Some(word) = words.next().filter(|word| engine.contains(word)) {
        return refused(word);
    }
    // Further statements begin behind a semicolon.
    let later = upper
        .split(';')
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next());
    for word in later {
        if engine.contains(&word) {
            return refused(word);
        }
    }
    Ok(())
}
