//! A record as it would be after a write: what is stored, with what was submitted on top. Making a
//! draft writes nothing.

use std::{borrow::Cow, sync::Arc};

use mito_core::Random;
use mito_database::{Tx, Value as Stored};
use serde_json::Value;

use crate::{
    Collection, Error, Field, FieldError, Record, Records,
    error::FieldErrors,
    fields::{
        FieldKind, cast, check, convert, dates, generate,
        modifiers::{self, Modifier},
        show,
    },
    names::quote,
    records::{files, submitted::Submitted},
};

/// The token key of an account that none was given to.
const TOKEN_KEY_PATTERN: &str = "[a-zA-Z0-9]{50}";

/// A record as it would be.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) collection: &'a Collection,
    /// The columns as they are stored; none of a new record.
    pub(crate) before: Option<Vec<Stored>>,
    /// The columns as they would be, in the order of the fields.
    pub(crate) columns: Vec<Stored>,
    /// What is wrong.
    pub(crate) errors: FieldErrors,
}

impl<'a> Draft<'a> {
    /// A new record with nothing in it.
    pub(crate) fn new(collection: &'a Collection) -> Self {
        Self {
            collection,
            before: None,
            columns: collection.fields.iter().map(convert::blank).collect(),
            errors: FieldErrors::new(),
        }
    }

    /// A stored record, unchanged.
    pub(crate) fn of(collection: &'a Collection, stored: &[Stored]) -> Self {
        Self {
            collection,
            before: Some(stored.to_vec()),
            columns: stored.to_vec(),
            errors: FieldErrors::new(),
        }
    }

    /// Whether the record does not exist yet.
    pub(crate) fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// The id that it would have.
    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// The position of a field.
    fn position(&self, name: &str) -> Option<usize> {
        self.collection
            .fields
            .iter()
            .position(|field| field.name == name)
    }

    /// The text of a column; empty when it holds none.
    pub(crate) fn text(&self, name: &str) -> &str {
        text_in(self.collection, &self.columns, name)
    }

    /// Whether a flag would be set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.position(name)
            .is_some_and(|at| matches!(self.columns[at], Stored::Integer(flag) if flag != 0))
    }

    /// Sets a column whatever was submitted.
    pub(crate) fn set(&mut self, name: &str, stored: Stored) {
        if let Some(at) = self.position(name) {
            self.columns[at] = stored;
        }
    }

    /// Whether a column would change.
    pub(crate) fn changes(&self, name: &str) -> bool {
        let Some(at) = self.position(name) else {
            return false;
        };
        match &self.before {
            Some(before) => before[at] != self.columns[at],
            None => true,
        }
    }

    /// Puts what was submitted in. Hidden fields are for administrators and workers. Returns the
    /// body as rules see it: modifiers replaced by the values that they lead to.
    pub(crate) fn load(
        &mut self,
        submitted: &Submitted,
        trusted: bool,
        random: &Random,
    ) -> Arc<Record> {
        let mut named: Vec<(usize, Modifier, &str, Cow<'_, Value>)> = Vec::new();
        let mut hidden: Vec<&str> = Vec::new();
        for (name, value) in &*submitted.values {
            if let Some((at, modifier)) = modifiers::resolve(self.collection, name) {
                named.push((at, modifier, name, Cow::Borrowed(value)));
            }
        }
        for (name, staged) in &*submitted.files {
            let Some((at, modifier)) = modifiers::resolve(self.collection, name) else {
                continue;
            };
            if self.collection.fields[at].kind_of() != Some(FieldKind::File) {
                continue;
            }
            let mut kept: Vec<String> = Vec::new();
            // Files replace what there was, but not what is named beside them.
            if let Some(found) = named.iter().position(|(.., known, _)| known == name) {
                let (.., value) = named.remove(found);
                kept = cast::list(&value);
            }
            kept.extend(staged.iter().map(|file| file.key.name.clone()));
            named.push((at, modifier, name, Cow::Owned(Value::from(kept))));
        }
        // A modifier changes the value that comes with it.
        named.sort_by_key(|(_, modifier, ..)| match modifier {
            Modifier::Set => 0,
            Modifier::Remove => 1,
            Modifier::Append | Modifier::Prepend | Modifier::Generate => 2,
        });
        let mut resolved: Vec<(usize, &str)> = Vec::new();
        for (at, modifier, name, value) in named {
            let field = &self.collection.fields[at];
            if field.is_hidden() && !trusted {
                if field.kind_of() != Some(FieldKind::Password) {
                    hidden.push(name);
                }
                continue;
            }
            self.put(at, modifier, &value, random);
            if modifier != Modifier::Set || matches!(value, Cow::Owned(_)) {
                resolved.push((at, name));
            }
        }
        self.body(submitted, &resolved, &hidden)
    }

    fn put(&mut self, at: usize, modifier: Modifier, value: &Value, random: &Random) {
        let field = &self.collection.fields[at];
        match field.kind_of() {
            // The clock and the accounts set these.
            Some(FieldKind::Autodate | FieldKind::Password) => {}
            _ if modifier == Modifier::Generate => {
                let made = generate::generate(random, field.text_option("autogeneratePattern"));
                let text = format!("{}{}", cast::text(value), made.unwrap_or_default());
                self.columns[at] = Stored::Text(text);
            }
            _ => self.columns[at] = modifiers::apply(field, modifier, &self.columns[at], value),
        }
    }

    fn body(
        &self,
        submitted: &Submitted,
        resolved: &[(usize, &str)],
        hidden: &[&str],
    ) -> Arc<Record> {
        if resolved.is_empty() && hidden.is_empty() {
            return Arc::clone(&submitted.values);
        }
        let mut body = (*submitted.values).clone();
        for (at, name) in resolved {
            let field = &self.collection.fields[*at];
            body.shift_remove(*name);
            body.insert(field.name.clone(), show::show(field, &self.columns[*at]));
        }
        for name in hidden {
            body.shift_remove(*name);
        }
        Arc::new(body)
    }

    /// Gives a new record an id if none was submitted.
    pub(crate) fn fill_id(&mut self, record_id: Option<&str>, random: &Random) {
        let Some(at) = self.position("id").filter(|_| self.is_new()) else {
            return;
        };
        if is_blank(&self.columns[at])
            && let Some(id) = made_up(&self.collection.fields[at], record_id, random)
        {
            self.columns[at] = Stored::Text(id);
        }
    }

    /// Fills in what the platform decides: made-up texts of new records, dates.
    pub(crate) fn fill(&mut self, now_ms: i64, random: &Random) {
        let new = self.is_new();
        if new {
            self.fill_id(None, random);
        }
        for (at, field) in self.collection.fields.iter().enumerate() {
            let made = match field.kind_of() {
                Some(FieldKind::Autodate) => {
                    let option = if new { "onCreate" } else { "onUpdate" };
                    if !field.flag(option) {
                        continue;
                    }
                    Some(dates::format_ms(now_ms))
                }
                Some(FieldKind::Text) if new && is_blank(&self.columns[at]) => {
                    made_up(field, None, random)
                }
                _ => continue,
            };
            if let Some(made) = made {
                self.columns[at] = Stored::Text(made);
            }
        }
    }

    /// Checks every column against its field, whether it was submitted or not: a definition may
    /// have become stricter since the record was written.
    pub(crate) fn check(&mut self, submitted: &Submitted) {
        for (at, field) in self.collection.fields.iter().enumerate() {
            let stored = &self.columns[at];
            let before = self.before.as_ref().map(|before| &before[at]);
            let is_key = field.name == "id";
            let checked = match before {
                Some(before) if is_key && before != stored => Err(key_change()),
                _ => check::check(field, stored),
            };
            let checked = checked.and_then(|()| match field.kind_of() {
                Some(FieldKind::File) => files::check(field, before, stored, submitted),
                _ => Ok(()),
            });
            if let Err(error) = checked {
                self.errors.insert(field.name.clone(), error);
            }
        }
        for (name, error) in &*submitted.errors {
            self.errors.insert(name.clone(), error.clone());
        }
    }

    /// Checks what takes the database to know, except for unique values, which the write itself
    /// finds out.
    pub(crate) fn check_in(&mut self, records: &Records, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (at, field) in self.collection.fields.iter().enumerate() {
            if self.errors.contains_key(&field.name) {
                continue;
            }
            let before = self.before.as_ref().map(|before| &before[at]);
            let unchanged = before == Some(&self.columns[at]);
            let wrong = match field.kind_of() {
                Some(FieldKind::Relation) if !unchanged => {
                    super::relations::check(records, tx, field, &self.columns[at])?
                }
                Some(FieldKind::Text) if self.is_new() && field.flag("primaryKey") => {
                    self.taken_key(tx, field)?
                }
                _ => None,
            };
            if let Some(error) = wrong {
                self.errors.insert(field.name.clone(), error);
            }
        }
        Ok(())
    }

    /// Ids that differ in nothing but case would be the same file name on some systems.
    fn taken_key(&self, tx: &mut Tx<'_>, field: &Field) -> Result<Option<FieldError>, Error> {
        if check::is_default_pattern(field) {
            return Ok(None);
        }
        let sql = format!(
            "SELECT 1 AS taken FROM {} WHERE lower(id) = lower($1) LIMIT 1",
            quote(&self.collection.name)
        );
        let taken = tx.query_one(&sql, &[&self.id()])?.is_some();
        Ok(taken.then(|| {
            FieldError::new(
                "validation_pk_invalid",
                "The record primary key is invalid or already exists.",
            )
        }))
    }

    /// The draft, unless something is wrong with it.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.errors.is_empty() {
            return Ok(self);
        }
        Err(Error::Fields(self.errors))
    }
}

/// The text of a column; empty when it holds none.
pub(crate) fn text_in<'a>(collection: &Collection, columns: &'a [Stored], name: &str) -> &'a str {
    let at = collection
        .fields
        .iter()
        .position(|field| field.name == name);
    match at.and_then(|at| columns.get(at)) {
        Some(Stored::Text(text)) => text,
        _ => "",
    }
}

fn is_blank(stored: &Stored) -> bool {
    matches!(stored, Stored::Text(text) if text.is_empty())
}

fn made_up(field: &Field, record_id: Option<&str>, random: &Random) -> Option<String> {
    if let Some(id) = record_id.filter(|_| field.name == "id") {
        return Some(id.to_owned());
    }
    let pattern = match field.text_option("autogeneratePattern") {
        "" if field.is_secret() => TOKEN_KEY_PATTERN,
        "" => return None,
        pattern => pattern,
    };
    generate::generate(random, pattern)
}

fn key_change() -> FieldError {
    FieldError::new(
        "validation_pk_change",
        "The record primary key cannot be changed.",
    )
}

#[cfg(test)]
mod tests;
