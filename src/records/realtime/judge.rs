//! Whether a subscriber may know of a record, remembered for all whom the rule cannot tell apart.

use std::{collections::HashMap, sync::Arc};

use mito_database::{Tx, Value as Stored};

use super::{
    deliver::{AccountKey, account},
    topic::Topic,
};
use crate::{
    Collection, Error, RequestInfo,
    filter,
    names::quote,
    records::access::{self, Operation},
    sql::Sql,
};

/// The record that an event is about.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) collection: Arc<Collection>,
    pub(crate) id: String,
    /// In the order of the collection's fields.
    pub(crate) values: Vec<Stored>,
    /// It has been deleted.
    pub(crate) is_gone: bool,
}

/// What a rule can tell apart: the account if it speaks of it, the topic if it speaks of parameters
/// or headers.
type Seen = (Operation, Option<AccountKey>, Option<Arc<str>>);

/// The verdicts on one record.
pub(crate) struct Judge<'a> {
    subject: &'a Subject,
    by_rule: HashMap<Seen, bool>,
    by_filter: HashMap<(Arc<str>, bool), bool>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            by_rule: HashMap::new(),
            by_filter: HashMap::new(),
        }
    }

    pub(crate) fn subject(&self) -> &'a Subject {
        self.subject
    }

    /// Whether the rule of `operation` and the topic's own filter let this subscriber know.
    pub(crate) fn lets_know(
        &mut self,
        tx: &mut Tx<'_>,
        operation: Operation,
        topic: &Topic,
        info: &RequestInfo,
    ) -> Result<bool, Error> {
        Ok(self.rule(tx, operation, topic, info)? && self.filter(tx, topic, info)?)
    }

    fn rule(
        &mut self,
        tx: &mut Tx<'_>,
        operation: Operation,
        topic: &Topic,
        info: &RequestInfo,
    ) -> Result<bool, Error> {
        let Ok(rule) = access::rule(&self.subject.collection, operation, info) else {
            return Ok(false);
        };
        let Some(rule) = rule else { return Ok(true) };
        let speaks_of = |what: &str| rule.contains(what);
        let seen = (
            operation,
            info.identity
                .as_ref()
                .filter(|_| speaks_of("@request.auth"))
                .map(account),
            (speaks_of("@request.query") || speaks_of("@request.headers"))
                .then(|| Arc::clone(&topic.text)),
        );
        if let Some(verdict) = self.by_rule.get(&seen) {
            return Ok(*verdict);
        }
        let verdict = self.holds(tx, rule, info, true)?;
        self.by_rule.insert(seen, verdict);
        Ok(verdict)
    }

    /// A filter that is wrong lets nothing through.
    fn filter(
        &mut self,
        tx: &mut Tx<'_>,
        topic: &Topic,
        info: &RequestInfo,
    ) -> Result<bool, Error> {
        let text = topic.parameter("filter");
        if text.trim().is_empty() {
            return Ok(true);
        }
        let superuser = info.is_superuser();
        if !superuser && text.contains("@request.") {
            return Ok(false);
        }
        let key = (Arc::clone(&topic.text), superuser);
        if let Some(verdict) = self.by_filter.get(&key) {
            return Ok(*verdict);
        }
        let verdict = match self.holds(tx, text, info, superuser) {
            Err(Error::Invalid(_)) => false,
            other => other?,
        };
        self.by_filter.insert(key, verdict);
        Ok(verdict)
    }

    fn holds(
        &self,
        tx: &mut Tx<'_>,
        condition: &str,
        info: &RequestInfo,
        trusted: bool,
    ) -> Result<bool, Error> {
        let collection = &self.subject.collection;
        let table = quote(&collection.name);
        let mut sql = Sql::default();
        if self.subject.is_gone {
            // The record as it was takes the place of the table.
            sql.push("WITH ").push(&table).push(" AS (SELECT ");
            for (at, (field, value)) in collection
                .fields
                .iter()
                .zip(&self.subject.values)
                .enumerate()
            {
                if at > 0 {
                    sql.push(", ");
                }
                sql.bind(value.clone()).push(" AS ").push(&quote(&field.name));
            }
            sql.push(") ");
        }
        sql.push("SELECT id FROM ").push(&table).push(" WHERE id = ");
        sql.bind(Stored::Text(self.subject.id.clone()));
        sql.push(" AND (");
        let scope = access::scope(tx, collection, info, trusted);
        filter::compile(&mut sql, condition, scope).map_err(Error::Invalid)?;
        sql.push(")");
        Ok(sql.query_one(tx)?.is_some())
    }
}
