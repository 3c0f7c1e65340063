//! Who is told what of one event. The record is loaded once; the rule is asked once for everybody
//! whom it cannot tell apart; a message is written once for everybody who sees the same.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use mito_database::{Action, Event, Tx, Value as Stored};
use mito_network::Identity;
use serde_json::{Value, json};

use super::{
    judge::{Judge, Subject},
    message,
    registry::{Audience, Client},
    topic::Topic,
};
use crate::{
    Collection, Error, Record, Records, RequestInfo, RuleContext,
    fields::Storage,
    records::{
        access::Operation,
        expand,
        read::{self, Viewer},
    },
};

/// A message and whom it is for.
pub(crate) type Delivery = (Arc<Client>, Bytes);

/// An account, as far as it tells subscribers apart.
pub(crate) type AccountKey = (String, String);

/// Who sees the same of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum View {
    Superuser,
    /// The account that the record is.
    Own,
    Public,
    /// What others may not see is expanded, or not, for this account alone.
    Account(AccountKey),
}

impl Records {
    /// The messages of an event. Nothing is sent here: the closure that this runs in may run twice.
    pub(crate) fn deliveries(
        &self,
        tx: &mut Tx<'_>,
        event: &Event,
    ) -> Result<Vec<Delivery>, Error> {
        let collection = match self.shared_collection_in(tx, &event.collection) {
            Err(Error::NotFound) => return Ok(Vec::new()),
            other => other?,
        };
        let audiences = self.audiences(&collection, event);
        if audiences.is_empty() {
            return Ok(Vec::new());
        }
        let Some(subject) = subject(tx, collection, event)? else {
            return Ok(Vec::new());
        };
        let mut telling = Telling {
            judge: Judge::new(self, &subject),
            action: action(event.action),
            written: HashMap::new(),
        };
        let mut deliveries = Vec::new();
        for (operation, audience) in audiences {
            telling.tell(self, tx, operation, audience, &mut deliveries)?;
        }
        Ok(deliveries)
    }

    /// Everybody who might be told, with the operation whose rule decides.
    fn audiences(&self, collection: &Collection, event: &Event) -> Vec<(Operation, Audience)> {
        let registry = self.inner.realtime.registry();
        let mut audiences = Vec::new();
        for name in [&collection.name, &collection.id] {
            for (target, operation) in [
                (format!("{name}/{}", event.record), Operation::View),
                (format!("{name}/*"), Operation::List),
                (name.clone(), Operation::List),
            ] {
                let asked = registry.audiences(&target, event.sequence).into_iter();
                audiences.extend(asked.map(|audience| (operation, audience)));
            }
        }
        audiences
    }
}

/// The record that an event is about: as it is now, or as it was before it was deleted. One that has
/// gone since has an event of its own.
fn subject(
    tx: &mut Tx<'_>,
    collection: Arc<Collection>,
    event: &Event,
) -> Result<Option<Subject>, Error> {
    if event.action != Action::Delete {
        let row = read::row(tx, &collection, &event.record)?;
        return Ok(row.map(|row| Subject {
            values: row.values().to_vec(),
            id: event.record.clone(),
            collection,
            is_gone: false,
        }));
    }
    let detail: Value = serde_json::from_str(&event.detail)
        .map_err(|error| Error::Internal(format!("an event's detail is damaged: {error}")))?;
    let Some(Value::Object(record)) = detail.get("record") else {
        return Ok(None);
    };
    Ok(Some(Subject {
        values: stored(&collection, record),
        id: event.record.clone(),
        collection,
        is_gone: true,
    }))
}

/// The columns of a record as they were before it was shown.
fn stored(collection: &Collection, record: &Record) -> Vec<Stored> {
    let column = |field: &crate::Field| {
        let value = record.get(&field.name).unwrap_or(&Value::Null);
        match (field.storage(), value) {
            (Storage::Text, Value::String(text)) => Stored::Text(text.clone()),
            (Storage::Text, _) => Stored::Text(String::new()),
            (Storage::Number, value) => Stored::Real(value.as_f64().unwrap_or_default()),
            (Storage::Bool, value) => Stored::Integer(i64::from(*value == Value::Bool(true))),
            (Storage::List, Value::Array(_)) => Stored::Text(value.to_string()),
            (Storage::List, _) => Stored::Text("[]".to_owned()),
            (Storage::Json, Value::Null) => Stored::Null,
            (Storage::Json, value) => Stored::Text(value.to_string()),
        }
    };
    collection.fields.iter().map(column).collect()
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    }
}

/// One event on its way to its subscribers.
struct Telling<'a> {
    judge: Judge<'a>,
    action: &'static str,
    /// Messages that were written already.
    written: HashMap<(Arc<str>, View), Bytes>,
}

impl Telling<'_> {
    fn tell(
        &mut self,
        records: &Records,
        tx: &mut Tx<'_>,
        operation: Operation,
        audience: Audience,
        deliveries: &mut Vec<Delivery>,
    ) -> Result<(), Error> {
        let Audience { topic, members } = audience;
        let groups = by_account(members);
        let identities: Vec<&Identity> = groups
            .iter()
            .filter_map(|(identity, _)| identity.as_deref())
            .collect();
        self.judge.expect(tx, operation, &identities)?;
        for (identity, clients) in groups {
            let info = request(&topic, identity.as_deref());
            if !self.judge.lets_know(tx, operation, &topic, &info)? {
                continue;
            }
            let message = self.write(records, tx, &topic, &info)?;
            deliveries.extend(clients.into_iter().map(|client| (client, message.clone())));
        }
        Ok(())
    }

    fn write(
        &mut self,
        records: &Records,
        tx: &mut Tx<'_>,
        topic: &Topic,
        info: &RequestInfo,
    ) -> Result<Bytes, Error> {
        let subject = self.judge.subject();
        let key = (Arc::clone(&topic.text), view(subject, topic, info));
        if let Some(written) = self.written.get(&key) {
            return Ok(written.clone());
        }
        let viewer = Viewer::of(info.identity.as_ref());
        let mut record = read::shown(&subject.collection, &subject.values, &viewer);
        if self.manages(tx, info)? {
            let whole = read::shown(&subject.collection, &subject.values, &Viewer::Worker);
            record.extend(whole.into_iter().filter(|(name, _)| name == "email"));
        }
        let expand = topic.parameter("expand");
        if !expand.is_empty() {
            let found = std::slice::from_mut(&mut record);
            let expanded = expand::apply(tx, records, &subject.collection, found, expand, info);
            // One that is wrong expands nothing.
            if let Err(Error::Database(error)) = expanded {
                return Err(error.into());
            }
        }
        let record = (topic.pick)(Value::Object(record), topic.parameter("fields"));
        let written = message(
            &topic.text,
            &json!({"action": self.action, "record": record}),
        );
        self.written.insert(key, written.clone());
        Ok(written)
    }
}

impl Telling<'_> {
    /// Whether the subscriber may manage the account that the record is.
    fn manages(&mut self, tx: &mut Tx<'_>, info: &RequestInfo) -> Result<bool, Error> {
        match manage_rule(&self.judge.subject().collection) {
            Some(rule) if !info.is_superuser() => self.judge.holds(tx, rule, info),
            _ => Ok(false),
        }
    }
}

/// A rule by which accounts may be managed, if there is one.
fn manage_rule(collection: &Collection) -> Option<&str> {
    let rule = collection.options.get("manageRule").and_then(Value::as_str);
    rule.filter(|rule| collection.is_auth() && !rule.trim().is_empty())
}

/// What rules see of a subscriber.
fn request(topic: &Topic, identity: Option<&Identity>) -> RequestInfo {
    RequestInfo {
        context: RuleContext::Realtime,
        method: "GET".to_owned(),
        identity: identity.cloned(),
        query: topic.query.clone(),
        headers: topic.headers.clone(),
        ..RequestInfo::default()
    }
}

fn view(subject: &Subject, topic: &Topic, info: &RequestInfo) -> View {
    let Some(identity) = &info.identity else {
        return View::Public;
    };
    if identity.is_superuser() {
        return View::Superuser;
    }
    let is_managed = manage_rule(&subject.collection).is_some();
    if is_managed || !topic.parameter("expand").is_empty() {
        return View::Account(account(identity));
    }
    if identity.id == subject.id && identity.collection_id == subject.collection.id {
        return View::Own;
    }
    View::Public
}

pub(crate) fn account(identity: &Identity) -> AccountKey {
    (identity.collection_id.clone(), identity.id.clone())
}

type Group = (Option<Arc<Identity>>, Vec<Arc<Client>>);

/// Clients of the same account, and of nobody, together.
fn by_account(members: Vec<(Arc<Client>, Option<Arc<Identity>>)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Option<AccountKey>, usize> = HashMap::new();
    for (client, identity) in members {
        let place = *places
            .entry(identity.as_deref().map(account))
            .or_insert_with(|| {
                groups.push((identity, Vec::new()));
                groups.len() - 1
            });
        groups[place].1.push(client);
    }
    groups
}
