//! Whether a subscriber may know of a record, remembered for all whom the rule cannot tell apart.

use std::{collections::HashMap, sync::Arc};

use mito_database::{Tx, Value as Stored};

use super::{
    deliver::{AccountKey, account},
    topic::Topic,
};
use crate::{
    Collection, Error, Records, RequestInfo,
    filter::{Problem, resolve::Author},
    records::access::{self, Operation, Target},
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
    records: &'a Records,
    subject: &'a Subject,
    by_rule: HashMap<Seen, bool>,
    /// What other collections let one list depends on the account.
    by_filter: HashMap<(Arc<str>, Option<AccountKey>), bool>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(records: &'a Records, subject: &'a Subject) -> Self {
        Self {
            records,
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
        let collection = &self.subject.collection;
        let checked = access::check(self.records, tx, collection, rule, self.target(), info);
        let verdict = match checked {
            Err(Error::Database(error)) => return Err(error.into()),
            // A rule that cannot be read lets nobody through.
            other => other.unwrap_or(false),
        };
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
        if !superuser && (text.contains("@request.") || text.contains("@collection.")) {
            return Ok(false);
        }
        let account = info.identity.as_ref().map(account);
        let key = (Arc::clone(&topic.text), account);
        if let Some(verdict) = self.by_filter.get(&key) {
            return Ok(*verdict);
        }
        let verdict = match self.passes(tx, text, info, superuser) {
            Err(Error::Invalid(_)) => false,
            other => other?,
        };
        self.by_filter.insert(key, verdict);
        Ok(verdict)
    }

    fn target(&self) -> Target<'_> {
        if self.subject.is_gone {
            Target::Row(&self.subject.values)
        } else {
            Target::Id(&self.subject.id)
        }
    }

    fn passes(
        &self,
        tx: &mut Tx<'_>,
        filter: &str,
        info: &RequestInfo,
        trusted: bool,
    ) -> Result<bool, Error> {
        let author = if trusted {
            Author::Trusted
        } else {
            Author::Anybody
        };
        let (collection, target) = (&self.subject.collection, self.target());
        let texts = [(filter, author)];
        access::passes(self.records, tx, collection, &texts, target, info).map_err(|problem| {
            match problem {
                Problem::Failed(error) => error,
                Problem::Invalid(reason) => Error::Invalid(reason),
            }
        })
    }
}
