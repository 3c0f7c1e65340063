//! Rules: administrators may do everything; a missing rule means administrators alone; an empty one
//! everybody; any other is a condition that the row must fulfil.

use crate::{
    Collection, Error, Records, RequestInfo, SUPERUSERS,
    filter::{self, Problem, Text, resolve::Author},
    names::quote,
    sql::Sql,
};
use mito_database::{Dialect, Tx, Value as Stored};

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    List,
    View,
    Create,
    Update,
    Delete,
}

/// The rule that applies; `None` lets every row through.
pub(crate) fn rule<'a>(
    collection: &'a Collection,
    operation: Operation,
    info: &RequestInfo,
) -> Result<Option<&'a str>, Error> {
    if info.is_superuser() {
        return Ok(None);
    }
    let rule = any_rule(collection, operation).ok_or_else(Error::superusers_only)?;
    Ok(Some(rule).filter(|rule| !rule.trim().is_empty()))
}

/// The collection's rule, whoever asks.
pub(crate) fn any_rule(collection: &Collection, operation: Operation) -> Option<&str> {
    let rule = match operation {
        Operation::List => &collection.list_rule,
        Operation::View => &collection.view_rule,
        Operation::Create => &collection.create_rule,
        Operation::Update => &collection.update_rule,
        Operation::Delete => &collection.delete_rule,
    };
    rule.as_deref()
}

/// Appends the condition of a rule on the rows of the collection's table.
pub(crate) fn condition(
    records: &Records,
    sql: &mut Sql,
    tx: &mut Tx<'_>,
    collection: &Collection,
    rule: &str,
    info: &RequestInfo,
) -> Result<(), Error> {
    let texts = [(rule, Author::Trusted)];
    let compiled = filter::compile(records, sql, tx, collection, &texts, info);
    compiled.map_err(|problem| unusable(collection, problem))
}

/// The collection's `authRule`: who may have a session. Administrators may always.
pub(crate) fn may_authenticate(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    info: &RequestInfo,
) -> Result<(), Error> {
    let refused = || {
        let message = "The request doesn't satisfy the collection requirements to authenticate.";
        Error::Forbidden(message.to_owned())
    };
    if collection.name == SUPERUSERS {
        return Ok(());
    }
    let rule = collection.auth_rule().ok_or_else(refused)?;
    let target = Target::Id(id);
    if check(records, tx, collection, rule, target, info)? {
        Ok(())
    } else {
        Err(refused())
    }
}

/// What a rule that cannot be used any more is to those who meet it.
pub(crate) fn unusable(collection: &Collection, problem: Problem) -> Error {
    match problem {
        Problem::Failed(error) => error,
        Problem::Invalid(reason) => Error::Internal(format!(
            "a rule of the collection {} is invalid: {reason}",
            collection.name
        )),
    }
}

/// Checks that the record exists and fulfils the rule; otherwise it is not found.
pub(crate) fn require(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    operation: Operation,
    info: &RequestInfo,
) -> Result<(), Error> {
    let rule = rule(collection, operation, info)?.unwrap_or_default();
    if check(records, tx, collection, rule, Target::Id(id), info)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// What a rule is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The stored record with that id.
    Id(&'a str),
    /// A record as it would be: its columns in the order of the fields. It is not in the table.
    Row(&'a [Stored]),
}

/// Whether the target exists and fulfils the rule; an empty one is fulfilled by all.
pub(crate) fn check(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    rule: &str,
    target: Target<'_>,
    info: &RequestInfo,
) -> Result<bool, Error> {
    let texts = [(rule, Author::Trusted)];
    let texts = if rule.trim().is_empty() {
        &[]
    } else {
        &texts[..]
    };
    passes(records, tx, collection, texts, target, info)
        .map_err(|problem| unusable(collection, problem))
}

/// Whether the target exists and fulfils all texts.
pub(crate) fn passes(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    texts: &[Text<'_>],
    target: Target<'_>,
    info: &RequestInfo,
) -> Result<bool, Problem> {
    let (mut sql, table) = match target {
        Target::Id(id) => {
            let table = quote(&collection.name);
            let mut sql = Sql::new(format!("SELECT 1 AS fulfilled FROM {table} WHERE id = "));
            sql.bind(Stored::Text(id.to_owned()));
            (sql, collection.name.as_str())
        }
        Target::Row(_) if texts.is_empty() => return Ok(true),
        Target::Row(columns) => (would_be(collection, columns, tx.dialect()), WOULD_BE),
    };
    if !texts.is_empty() {
        sql.push(" AND ");
        filter::compile_for(records, &mut sql, tx, collection, table, texts, info)?;
    }
    let found = sql.query_one(tx).map_err(Error::from)?;
    Ok(found.is_some())
}

/// Whether some record could fulfil the rule for this caller, whatever its fields are.
pub(crate) fn could_hold(
    records: &Records,
    tx: &mut Tx<'_>,
    collection: &Collection,
    rule: &str,
    info: &RequestInfo,
) -> Result<bool, Error> {
    filter::could_hold(records, tx, collection, rule, info)
        .map_err(|problem| unusable(collection, problem))
}

/// What a row that is not stored is called. No collection can have that name.
pub(crate) const WOULD_BE: &str = "_mito_would_be";

/// The start of a statement about one row that is not stored.
pub(crate) fn would_be(collection: &Collection, columns: &[Stored], dialect: Dialect) -> Sql {
    let table = quote(WOULD_BE);
    let mut sql = Sql::new(format!("WITH {table} AS (SELECT "));
    for (position, (field, stored)) in collection.fields.iter().zip(columns).enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.push("CAST(").bind(stored.clone()).push(" AS ");
        sql.push(field.storage().column_type(dialect)).push(") AS ");
        sql.push(&quote(&field.name));
    }
    sql.push(") SELECT 1 AS fulfilled FROM ").push(&table);
    sql.push(" WHERE 1=1");
    sql
}

#[cfg(test)]
mod tests;
