//! Rules: administrators may do everything; a missing rule means administrators alone; an empty one
//! everybody; any other is a condition that the row must fulfil.

use crate::{
    Collection, Error, RequestInfo, SUPERUSERS,
    filter::{self, Scope},
    names::quote,
    sql::Sql,
};
use mito_database::{Tx, Value as Stored};

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

/// Appends the condition of a rule.
pub(crate) fn condition(
    sql: &mut Sql,
    tx: &Tx<'_>,
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
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
) -> Result<(), Error> {
    let refused = || {
        let message = "The request doesn't satisfy the collection requirements to authenticate.";
        Error::Forbidden(message.to_owned())
    };
    if collection.name == SUPERUSERS {
        return Ok(());
    }
    let rule = collection.auth_rule().ok_or_else(refused)?;
    if fulfils(tx, collection, id, rule, &RequestInfo::default())? {
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
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    operation: Operation,
    info: &RequestInfo,
) -> Result<(), Error> {
    let rule = rule(collection, operation, info)?.unwrap_or_default();
    if fulfils(tx, collection, id, rule, info)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Whether the record exists and fulfils the rule; an empty one is fulfilled by all.
fn fulfils(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
    rule: &str,
    info: &RequestInfo,
) -> Result<bool, Error> {
    let mut sql = Sql::new(format!(
        "SELECT id FROM {} WHERE id = ",
        quote(&collection.name)
    ));
    sql.bind(Stored::Text(id.to_owned()));
    if !rule.trim().is_empty() {
        sql.push(" AND (");
        condition(&mut sql, tx, collection, rule, info)?;
        sql.push(")");
    }
    Ok(sql.query_one(tx)?.is_some())
}
