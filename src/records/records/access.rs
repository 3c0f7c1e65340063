//! Rules: administrators may do everything; a missing rule means administrators alone; an empty one
//! everybody; any other is a condition that the row must fulfil.

use mito_database::{Tx, Value as Stored};
use mito_network::Identity;

use crate::{
    Collection, Error,
    filter::{self, Scope},
    names::quote,
    sql::Sql,
};

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    identity: Option<&Identity>,
) -> Result<Option<&'a str>, Error> {
    if identity.is_some_and(Identity::is_superuser) {
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
    identity: Option<&Identity>,
) -> Result<(), Error> {
    let scope = scope(tx, collection, identity, true);
    filter::compile(sql, rule, scope).map_err(|reason| {
        Error::Internal(format!(
            "a rule of the collection {} is invalid: {reason}",
            collection.name
        ))
    })
}

/// What names mean for this caller, now.
pub(crate) fn scope<'a>(
    tx: &Tx<'_>,
    collection: &'a Collection,
    identity: Option<&'a Identity>,
    trusted: bool,
) -> Scope<'a> {
    let now = jiff::Timestamp::from_millisecond(tx.now_ms()).unwrap_or_default();
    Scope {
        collection,
        identity,
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
    identity: Option<&Identity>,
) -> Result<(), Error> {
    let rule = rule(collection, operation, identity)?;
    let mut sql = Sql::new(format!(
        "SELECT id FROM {} WHERE id = ",
        quote(&collection.name)
    ));
    sql.bind(Stored::Text(id.to_owned()));
    if let Some(rule) = rule {
        sql.push(" AND (");
        condition(&mut sql, tx, collection, rule, identity)?;
        sql.push(")");
    }
    sql.query_one(tx)?.map(|_| ()).ok_or(Error::NotFound)
}
