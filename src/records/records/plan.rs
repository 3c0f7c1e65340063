//! Writes of requests: the rules asked, then the values checked, in the order that PocketBase does
//! both. A plan writes nothing; carrying it out does.

use std::sync::Arc;

use mito_database::{Tx, Value as Stored};
use serde_json::Value;

use crate::{
    Collection, CollectionKind, Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        self,
        change::{self, PasswordChange, Secrets},
    },
    error::FieldErrors,
    fields::{FieldKind, modifiers},
    records::{
        access::{self, Operation, Target},
        draft::Draft,
        read::{self, Viewer},
        submitted::Submitted,
    },
};

/// A write that may be done.
pub(crate) struct Plan<'a> {
    pub(crate) draft: Draft<'a>,
    /// The new password that it asks for.
    pub(crate) password: Option<PasswordChange>,
}

/// What a write has led to.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) collection: Arc<Collection>,
    /// The record as it is now.
    columns: Vec<Stored>,
    /// The record as the caller sees it, where that takes the database to know.
    answer: Option<Record>,
    /// The sessions of the account that were ended or whose hot copies are out of date.
    pub(crate) sessions: Vec<String>,
    /// Whether they were ended.
    pub(crate) ended: bool,
}

impl Written {
    /// The record as the caller may see it.
    pub(crate) fn record(self, info: &RequestInfo) -> Record {
        if let Some(answer) = self.answer {
            return answer;
        }
        let viewer = Viewer::of(info.identity.as_ref());
        read::shown(&self.collection, &self.columns, &viewer)
    }
}

impl Records {
    /// The collection that a request writes to.
    pub(crate) fn writable_collection(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
    ) -> Result<Arc<Collection>, Error> {
        let missing = |error| match error {
            Error::NotFound => Error::MissingCollection,
            other => other,
        };
        if name.contains('\0') {
            return Err(Error::MissingCollection);
        }
        let collection = self.shared_collection_in(tx, name).map_err(missing)?;
        if collection.kind == CollectionKind::View {
            return Err(Error::Invalid("Unsupported collection type.".to_owned()));
        }
        Ok(collection)
    }

    /// The new record that a request asks for.
    pub(crate) fn plan_create<'a>(
        &self,
        tx: &mut Tx<'_>,
        collection: &'a Collection,
        submitted: &Submitted,
        info: &RequestInfo,
    ) -> Result<Plan<'a>, Error> {
        let rule = access::rule(collection, Operation::Create, info)?;
        refuse_nul(collection, &submitted.values)?;
        let mut draft = Draft::new(collection);
        let random = &self.inner.random;
        let body = draft.load(submitted, info.is_superuser(), random);
        draft.fill_id(submitted.record_id.as_deref(), random);
        let info = with_body(info, body);
        let mut password = None;
        if collection.is_auth() {
            let row = as_judged(collection, &draft.columns);
            self.require_create(tx, collection, rule, &row, &info)?;
            let manages = change::manages(self, tx, collection, Target::Row(&row), &info)?;
            password = change::check_form(&draft, &submitted.values, manages)?;
        } else {
            self.require_create(tx, collection, rule, &draft.columns, &info)?;
        }
        draft.fill(tx.now_ms(), random);
        draft.check(submitted);
        change::check_strength(&mut draft, password.as_ref());
        draft.check_in(self, tx)?;
        Ok(Plan {
            draft: draft.checked()?,
            password,
        })
    }

    fn require_create(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        rule: Option<&str>,
        row: &[Stored],
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let Some(rule) = rule else {
            return Ok(());
        };
        if access::check(self, tx, collection, rule, Target::Row(row), info)? {
            return Ok(());
        }
        Err(Error::Invalid("Failed to create record.".to_owned()))
    }

    /// The change that a request asks for.
    pub(crate) fn plan_update<'a>(
        &self,
        tx: &mut Tx<'_>,
        collection: &'a Collection,
        id: &str,
        submitted: &Submitted,
        info: &RequestInfo,
    ) -> Result<Plan<'a>, Error> {
        let rule = access::rule(collection, Operation::Update, info)?;
        refuse_nul(collection, &submitted.values)?;
        let stored = stored(tx, collection, id)?;
        let mut draft = Draft::of(collection, &stored);
        let body = draft.load(submitted, info.is_superuser(), &self.inner.random);
        let info = with_body(info, body);
        if let Some(rule) = rule
            && !access::check(self, tx, collection, rule, Target::Id(id), &info)?
        {
            return Err(Error::NotFound);
        }
        let mut password = None;
        if collection.is_auth() {
            let manages = change::manages(self, tx, collection, Target::Id(id), &info)?;
            password = change::check_form(&draft, &submitted.values, manages)?;
        }
        draft.fill(tx.now_ms(), &self.inner.random);
        draft.check(submitted);
        change::check_strength(&mut draft, password.as_ref());
        draft.check_in(self, tx)?;
        Ok(Plan {
            draft: draft.checked()?,
            password,
        })
    }

    /// Creates a record as a request asks for it.
    pub(crate) fn create_as_asked(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        submitted: &Submitted,
        secrets: Option<&Secrets>,
        info: &RequestInfo,
    ) -> Result<Written, Error> {
        let collection = self.writable_collection(tx, name)?;
        let plan = self.plan_create(tx, &collection, submitted, info)?;
        let mut draft = plan.draft;
        if collection.is_auth() {
            change::apply(self, &mut draft, plan.password.as_ref(), secrets)?;
        }
        self.insert_draft(tx, &draft, submitted, info.request_id.as_deref())?;
        let (id, columns) = (draft.id().to_owned(), draft.columns);
        Ok(Written {
            answer: self.answer(tx, &collection, &id, info)?,
            collection,
            columns,
            sessions: Vec::new(),
            ended: false,
        })
    }

    /// Changes a record as a request asks for it.
    pub(crate) fn update_as_asked(
        &self,
        tx: &mut Tx<'_>,
        (name, id): (&str, &str),
        submitted: &Submitted,
        secrets: Option<&Secrets>,
        info: &RequestInfo,
    ) -> Result<Written, Error> {
        let collection = self.writable_collection(tx, name)?;
        let plan = self.plan_update(tx, &collection, id, submitted, info)?;
        let mut draft = plan.draft;
        if collection.is_auth() {
            change::apply(self, &mut draft, plan.password.as_ref(), secrets)?;
        }
        self.update_draft(tx, &draft, submitted, info.request_id.as_deref())?;
        let ended = collection.is_auth() && draft.changes("tokenKey");
        let sessions = change::follow(tx, &collection, id, ended)?;
        let columns = draft.columns;
        Ok(Written {
            answer: self.answer(tx, &collection, id, info)?,
            collection,
            columns,
            sessions,
            ended,
        })
    }

    /// The record as the caller sees it, where that takes more than its columns to know: related
    /// records, or whether the caller manages accounts.
    fn answer(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
        info: &RequestInfo,
    ) -> Result<Option<Record>, Error> {
        let is_plain = !collection.is_auth() || info.is_superuser();
        if is_plain && !info.query.contains_key("expand") {
            return Ok(None);
        }
        read::answer_by_id(tx, self, collection, id, info).map(Some)
    }

    /// Deletes a record as a request asks for it; returns the sessions that this has ended.
    pub(crate) fn delete_as_asked(
        &self,
        tx: &mut Tx<'_>,
        (name, id): (&str, &str),
        info: &RequestInfo,
    ) -> Result<Vec<String>, Error> {
        let collection = self.writable_collection(tx, name)?;
        let rule = access::rule(&collection, Operation::Delete, info)?;
        stored(tx, &collection, id)?;
        if let Some(rule) = rule
            && !access::check(self, tx, &collection, rule, Target::Id(id), info)?
        {
            return Err(Error::NotFound);
        }
        accounts::protect_last_superuser(tx, &collection)?;
        let removed = self.remove(tx, &collection, id, info.request_id.as_deref())?;
        Ok(removed.sessions)
    }
}

/// The row of a new account that rules are asked about: whoever may create accounts may not pass for
/// one that is verified on the way.
pub(crate) fn as_judged(collection: &Collection, columns: &[Stored]) -> Vec<Stored> {
    let mut row = columns.to_vec();
    let verified = collection
        .fields
        .iter()
        .position(|field| field.name == "verified");
    if let Some(at) = verified.filter(|_| collection.is_auth()) {
        row[at] = Stored::Integer(0);
    }
    row
}

/// The request with the body as rules see it.
pub(crate) fn with_body(info: &RequestInfo, body: Arc<Record>) -> RequestInfo {
    RequestInfo {
        body,
        ..info.clone()
    }
}

fn stored(tx: &mut Tx<'_>, collection: &Collection, id: &str) -> Result<Vec<Stored>, Error> {
    if id.contains('\0') {
        return Err(Error::NotFound);
    }
    let row = read::row(tx, collection, id)?.ok_or(Error::NotFound)?;
    Ok(row.values().to_vec())
}

/// PostgreSQL takes no NUL, neither in a column nor in a parameter of a rule.
fn refuse_nul(collection: &Collection, values: &Record) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    for (name, value) in values {
        if !has_nul(value) {
            continue;
        }
        let field = modifiers::resolve(collection, name).map(|(at, _)| &collection.fields[at]);
        let Some(field) = field else {
            let message = "Something went wrong while processing your request.";
            return Err(Error::Invalid(message.to_owned()));
        };
        let error = match field.kind_of() {
            Some(FieldKind::Json) => {
                FieldError::new("validation_invalid_json", "Must be a valid json value.")
            }
            _ => FieldError::invalid_format(),
        };
        errors.insert(field.name.clone(), error);
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error::Fields(errors))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
