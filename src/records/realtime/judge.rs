//! Whether a subscriber may know of a record, remembered for all whom the rule cannot tell apart.

use std::{collections::HashMap, sync::Arc};

use mito_database::{Tx, Value as Stored};
use mito_network::Identity;

use super::{
    deliver::{AccountKey, account},
    topic::Topic,
};
use crate::{
    Collection, Error, Records, RequestInfo,
    filter::{
        self, Problem, Text,
        evaluate::{Evaluator, Verdict},
        resolve::Author,
    },
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
    evaluator: Evaluator<'a>,
    by_rule: HashMap<Seen, bool>,
    /// What other collections let one list depends on the account.
    by_filter: HashMap<(Arc<str>, Option<AccountKey>), bool>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(records: &'a Records, subject: &'a Subject) -> Self {
        Self {
            records,
            subject,
            evaluator: Evaluator::new(records, Arc::clone(&subject.collection), &subject.values),
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
        let verdict = self.holds(tx, rule, info)?;
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
        let author = if superuser {
            Author::Superuser
        } else {
            Author::Anybody
        };
        let verdict = self.fulfils(tx, (text, author), info)?;
        self.by_filter.insert(key, verdict);
        Ok(verdict)
    }

    /// Whether the record fulfils a rule. One that cannot be read lets nobody through.
    pub(crate) fn holds(
        &mut self,
        tx: &mut Tx<'_>,
        rule: &str,
        info: &RequestInfo,
    ) -> Result<bool, Error> {
        self.fulfils(tx, (rule, Author::Trusted), info)
    }

    /// Reads the accounts of all subscribers at once if the rule of `operation` speaks of more than
    /// their ids.
    pub(crate) fn expect(
        &mut self,
        tx: &mut Tx<'_>,
        operation: Operation,
        identities: &[&Identity],
    ) -> Result<(), Error> {
        let Some(rule) = access::any_rule(&self.subject.collection, operation) else {
            return Ok(());
        };
        if identities.len() < 2 || !filter::reads_account(rule) {
            return Ok(());
        }
        let mut by_collection: HashMap<&str, Vec<String>> = HashMap::new();
        for identity in identities {
            let ids = by_collection.entry(&identity.collection).or_default();
            ids.push(identity.id.clone());
        }
        for (collection, ids) in by_collection {
            self.evaluator.expect_accounts(tx, collection, &ids)?;
        }
        Ok(())
    }

    fn target(&self) -> Target<'_> {
        if self.subject.is_gone {
            Target::Row(&self.subject.values)
        } else {
            Target::Id(&self.subject.id)
        }
    }

    /// Whether the record fulfils a text, which is asked of the database only where it must be.
    fn fulfils(
        &mut self,
        tx: &mut Tx<'_>,
        text: Text<'_>,
        info: &RequestInfo,
    ) -> Result<bool, Error> {
        if text.0.trim().is_empty() {
            return Ok(true);
        }
        let found = match self.evaluator.evaluate(tx, &[text], info) {
            Ok(Verdict::Yes) => Ok(true),
            Ok(Verdict::No) => Ok(false),
            Ok(Verdict::NeedsSql) => {
                let collection = &self.subject.collection;
                access::passes(self.records, tx, collection, &[text], self.target(), info)
            }
            Err(problem) => Err(problem),
        };
        match found {
            Ok(found) => Ok(found),
            Err(Problem::Failed(Error::Database(error))) => Err(error.into()),
            Err(Problem::Failed(_) | Problem::Invalid(_)) => Ok(false),
        }
    }
}
