//! Rules: administrators may do everything; a missing rule means administrators alone; an empty one
//! everybody; any other is a condition that the row must fulfil.

use crate::{
    Collection, Error, Records, RequestInfo, SUPERUSERS,
    filter::{self, Scope},
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
    let rule = match operation {
        Operation::List => &collection.list_rule,
        Operation::View => &collection.view_rule,
        Operation::Create => &collection.create_rule,
        Operation::Update => &collection.update_rule,
        Operation::Delete => &collection.delete_rule,
    };
    let rule = rule.as_deref().ok_or_else(Error::superusers_only)?;
    Ok(Some(rule).filter(|rule| !rule.trim().is_empty()))
}

/// Appends the condition of a rule on the rows of the collection's table.
pub(crate) fn condition(
    _records: &Records,
    sql: &mut Sql,
    tx: &mut Tx<'_>,
    collection: &Collection,
    rule: &str,
    info: &RequestInfo,
) -> Result<(), Error> {
    let scope = scope(tx, collection, info, true);
    filter::compile(sql, rule, scope).map_err(|reason| invalid(collection, &reason))
}

/// Whether some record could fulfil the rule for this caller.
pub(crate) fn could_hold(
    tx: &Tx<'_>,
    collection: &Collection,
    rule: &str,
    info: &RequestInfo,
) -> Result<bool, Error> {
    let scope = scope(tx, collection, info, true);
    filter::could_hold(rule, scope).map_err(|reason| invalid(collection, &reason))
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

fn invalid(collection: &Collection, reason: &str) -> Error {
    let name = &collection.name;
    Error::Internal(format!(
        "a rule of the collection {name} is invalid: {reason}"
    ))
}

/// What names mean for this caller, now.
pub(crate) fn scope<'a>(
    tx: &Tx<'_>,
    collection: &'a Collection,
    info: &'a RequestInfo,
    trusted: bool,
) -> Scope<'a> {
    let now = jiff::Timestamp::from_millisecond(tx.now_ms()).unwrap_or_default();
    Scope {
        collection,
        info,
        now,
        dialect: tx.dialect(),
        trusted,
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
    let mut sql = match target {
        Target::Id(id) => {
            let mut sql = Sql::new(format!(
                "SELECT 1 AS fulfilled FROM {} WHERE id = ",
                quote(&collection.name)
            ));
            sql.bind(Stored::Text(id.to_owned()));
            sql
        }
        Target::Row(_) if rule.trim().is_empty() => return Ok(true),
        Target::Row(columns) => would_be(collection, columns, tx.dialect()),
    };
    if !rule.trim().is_empty() {
        sql.push(" AND (");
        condition(records, &mut sql, tx, collection, rule, info)?;
        sql.push(")");
    }
    Ok(sql.query_one(tx)?.is_some())
}

/// The start of a statement in which the collection's name stands for one row that is not stored.
pub(crate) fn would_be(collection: &Collection, columns: &[Stored], dialect: Dialect) -> Sql {
    let table = quote(&collection.name);
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
