//! The filter and rule language: `title ~ 'rust' && (views > 10 || author = @request.auth.id)`.
//!
//! Text becomes words ([`lexer`]), words an [`ast::Expression`] ([`parser`], kept by [`cache`]).
//! [`resolve`] looks up what names mean for a collection and a request and makes a [`plan`] of it:
//! fields, and joins for the rows that paths lead to. [`arrange`] finds out which parts of the plan
//! speak of the same rows. From there it is SQL ([`emit`]) or, for a change that subscribers may be
//! told of, decided without a query each ([`evaluate`]). [`values`] is what both agree on.
//! [`explain`] says why a rule holds, and [`fixed`] lends the language to tables of the program's own.
//!
//! Every value is a bound parameter, every identifier a field of a collection.

pub(crate) mod arrange;
pub(crate) mod ast;
pub(crate) mod cache;
pub(crate) mod emit;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod fixed;
pub(crate) mod lexer;
pub(crate) mod macros;
pub(crate) mod moments;
pub(crate) mod parser;
pub(crate) mod plan;
pub(crate) mod resolve;
pub(crate) mod values;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use mito_database::{Dialect, Tx};

use crate::{
    Collection, Error, Records, RequestInfo,
    collections::store,
    filter::{
        cache::Parsed,
        plan::Definition,
        resolve::{Author, Schema, Scope},
    },
    sql::Sql,
};

/// The longest filter or rule, in characters.
pub(crate) const MAX_LENGTH: usize = 3_500;
/// The most comparisons in one.
pub(crate) const MAX_EXPRESSIONS: usize = 200;
/// The deepest nesting of parentheses.
pub(crate) const MAX_DEPTH: usize = 100;
/// The most arguments of a function.
pub(crate) const MAX_ARGUMENTS: usize = 10;
/// The most relations that a path leads through.
pub(crate) const MAX_RELATIONS: usize = 6;
/// The most steps through relations of all paths together, the record itself included. They are the
/// bits of a set.
pub(crate) const MAX_JOINS: usize = 64;

/// Why a text is no condition.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It says nothing that could be evaluated; a reason in words.
    Invalid(String),
    /// It could not be found out.
    Failed(Error),
}

impl From<String> for Problem {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A text and who wrote it.
pub(crate) type Text<'a> = (&'a str, Author);

/// Whether a rule speaks of fields of the account that asks which every request does not know anyway.
pub(crate) fn reads_account(rule: &str) -> bool {
    let belongs = |character: char| character.is_ascii_alphanumeric() || "_.:".contains(character);
    rule.split("@request.auth.").skip(1).any(|rest| {
        let end = rest.find(|each| !belongs(each)).unwrap_or(rest.len());
        !["id", "email", "collectionId", "collectionName"].contains(&&rest[..end])
    })
}

/// Finds collections through the transaction's definitions.
pub(crate) struct Known<'a, 't> {
    pub(crate) records: &'a Records,
    pub(crate) tx: &'a mut Tx<'t>,
}

impl Schema for Known<'_, '_> {
    fn find(&mut self, name: &str) -> Result<Option<Arc<Collection>>, Error> {
        self.records.inner.definitions.find(self.tx, name)
    }
}

/// The time of a transaction.
pub(crate) fn now(tx: &Tx<'_>) -> Timestamp {
    Timestamp::from_millisecond(tx.now_ms()).unwrap_or_default()
}

/// Appends the condition that all texts make together, for rows of the collection's table.
pub(crate) fn compile(
    records: &Records,
    sql: &mut Sql,
    tx: &mut Tx<'_>,
    collection: &Collection,
    texts: &[Text<'_>],
    info: &RequestInfo,
) -> Result<(), Problem> {
    compile_for(records, sql, tx, collection, &collection.name, texts, info)
}

/// [`compile`] for rows of the collection that are called `table` in the statement.
pub(crate) fn compile_for(
    records: &Records,
    sql: &mut Sql,
    tx: &mut Tx<'_>,
    collection: &Collection,
    table: &str,
    texts: &[Text<'_>],
    info: &RequestInfo,
) -> Result<(), Problem> {
    let scope = Scope { info, now: now(tx) };
    let (parsed, dialect) = (&records.inner.filters, tx.dialect());
    let mut schema = Known { records, tx };
    let definition = Definition::Borrowed(collection);
    let plan = resolve::resolve(texts, definition, &scope, parsed, &mut schema)?;
    emit::condition(sql, &plan, table, dialect);
    Ok(())
}

/// Whether some record could fulfil the rule. The language has no negation, so a condition that fails
/// with every field taken as fitting fails with all of them.
pub(crate) fn could_hold(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    rule: &str,
    info: &RequestInfo,
) -> Result<bool, Problem> {
    let scope = Scope { info, now: now(tx) };
    let parsed = &records.inner.filters;
    let mut schema = Known { records, tx };
    let definition = Definition::Borrowed(collection);
    let texts = [(rule, Author::Trusted)];
    let plan = resolve::resolve(&texts, definition, &scope, parsed, &mut schema)?;
    Ok(plan.condition.could_hold())
}

/// Whether a rule can be compiled for the collection, which `schema` need not know.
pub(crate) fn check_rule(
    schema: &mut dyn Schema,
    collection: &Collection,
    rule: &str,
) -> Result<(), Problem> {
    if rule.trim().is_empty() {
        return Ok(());
    }
    let info = RequestInfo::default();
    let scope = Scope {
        info: &info,
        now: Timestamp::UNIX_EPOCH,
    };
    let parsed = Parsed::default();
    let mut schema = Including { schema, collection };
    let texts = [(rule, Author::Trusted)];
    let definition = Definition::Borrowed(collection);
    let plan = resolve::resolve(&texts, definition, &scope, &parsed, &mut schema)?;
    emit::condition(
        &mut Sql::default(),
        &plan,
        &collection.name,
        Dialect::Sqlite,
    );
    Ok(())
}

/// The definitions that a transaction has stored.
pub(crate) struct Saved<'a, 't>(pub(crate) &'a mut Tx<'t>);

impl Schema for Saved<'_, '_> {
    fn find(&mut self, name: &str) -> Result<Option<Arc<Collection>>, Error> {
        Ok(store::find(self.0, name)?.map(Arc::new))
    }
}

/// Definitions, and the one that is about to be stored.
struct Including<'a> {
    schema: &'a mut dyn Schema,
    collection: &'a Collection,
}

impl Schema for Including<'_> {
    fn find(&mut self, name: &str) -> Result<Option<Arc<Collection>>, Error> {
        if name == self.collection.name || name == self.collection.id {
            return Ok(Some(Arc::new(self.collection.clone())));
        }
        self.schema.find(name)
    }
}
