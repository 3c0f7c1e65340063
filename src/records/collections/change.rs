//! Collections are made, changed, emptied and removed, each in one transaction that has the writer
//! to itself: a failure leaves everything as it was.

use mito_core::Random;
use mito_database::Tx;

use crate::{
    Collection, CollectionKind, Error, FieldError, Record, Records,
    accounts::{SUPERUSERS, options::AuthOptions},
    collections::{
        indexes::Index,
        read, schema, store, system,
        validate::{self, Others},
        views,
    },
    fields::FieldKind,
    names::quote,
};

/// Records that are removed between two looks at what is left.
const PAGE: i64 = 500;
/// Sessions that one statement ends.
const SESSIONS_AT_ONCE: i64 = 10_000;
/// Characters that are added to an id that is taken.
const SUFFIX_LENGTH: usize = 4;

impl Records {
    /// Creates a collection that must not exist yet.
    pub async fn create_collection(&self, definition: Record) -> Result<Collection, Error> {
        let mut wanted = read::create(&definition)?;
        system::imply(&mut wanted);
        self.try_query(&wanted).await?;
        let random = self.inner.random.clone();
        let create = move |tx: &mut Tx<'_>| {
            let mut wanted = wanted.clone();
            // The id is made of the name. A collection that has it, under that name or another that
            // it was given since, is no fault of the id.
            if !definition.contains_key("id") && store::find_by_id(tx, &wanted.id)?.is_some() {
                wanted.id = format!("{}{}", wanted.id, random.id(SUFFIX_LENGTH));
            }
            save(tx, wanted, None, &random).map_err(|error| told(error, "create"))
        };
        let created = self.inner.database.exclusive(create).await?;
        tracing::info!(collection = %created.name, "created a collection");
        Ok(created)
    }

    /// Changes what the definition says of the collection with that id or name.
    pub async fn update_collection(
        &self,
        name: &str,
        definition: Record,
    ) -> Result<Collection, Error> {
        let existing = self.collection(name).await?;
        self.try_query(&read::change(&existing, &definition)?)
            .await?;
        let (records, name) = (self.clone(), name.to_owned());
        let update = move |tx: &mut Tx<'_>| {
            let existing = records.collection_in(tx, &name)?;
            if definition.get("id").is_some_and(|id| *id != existing.id) {
                return Err(Error::NotFound);
            }
            let mut wanted = read::change(&existing, &definition)?;
            system::imply(&mut wanted);
            let random = &records.inner.random;
            let updated =
                save(tx, wanted, Some(&existing), random).map_err(|error| told(error, "update"))?;
            let ended = end_with_secret(tx, &existing, &updated)?;
            Ok::<_, Error>((updated, ended))
        };
        let (updated, ended) = self.inner.database.exclusive(update).await?;
        self.mark_all_ended(&ended);
        tracing::info!(collection = %updated.name, "changed a collection");
        Ok(updated)
    }

    /// Removes the collection with that id or name and everything in it.
    pub async fn delete_collection(&self, name: &str) -> Result<(), Error> {
        let (records, name) = (self.clone(), name.to_owned());
        let delete = move |tx: &mut Tx<'_>| {
            let collection = records.collection_in(tx, &name)?;
            if collection.system {
                return Err(Error::Invalid("Failed to delete collection.".to_owned()));
            }
            let references = references(tx, &collection)?;
            if !references.is_empty() {
                return Err(Error::Invalid(format!(
                    "Failed to delete collection probably due to existing reference in {}.",
                    references.join(", ")
                )));
            }
            let ended = records.remove_collection(tx, &collection)?;
            Ok((collection.name, ended))
        };
        let (name, ended) = self.inner.database.exclusive(delete).await?;
        self.mark_all_ended(&ended);
        tracing::info!(collection = %name, "removed a collection");
        Ok(())
    }

    /// Removes a collection whatever points at it. Returns the sessions that end with it.
    pub(crate) fn remove_collection(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
    ) -> Result<Vec<String>, Error> {
        tx.frees_space();
        store::remove(tx, &collection.id)?;
        if collection.kind == CollectionKind::View {
            views::remove(tx, &[&collection.name])?;
            return Ok(Vec::new());
        }
        let fields: Vec<_> = collection.fields.iter().collect();
        self.files().discard_all_in(tx, collection, &fields)?;
        schema::remove(tx, collection)?;
        forget_accounts(tx, collection)
    }

    /// Removes all records of the collection with that id or name, as if one by one.
    pub async fn truncate_collection(&self, name: &str) -> Result<(), Error> {
        let (records, name) = (self.clone(), name.to_owned());
        let truncate = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &name)?;
            if collection.kind == CollectionKind::View {
                let message = "View collections cannot be truncated since they don't store their \
                     own records.";
                return Err(Error::Invalid(message.to_owned()));
            }
            if collection.name == SUPERUSERS {
                return Err(Error::Invalid(CANNOT_TRUNCATE.to_owned()));
            }
            records.remove_all(tx, &collection)
        };
        let ended = self.inner.database.exclusive(truncate).await?;
        self.mark_all_ended(&ended);
        Ok(())
    }

    fn remove_all(&self, tx: &mut Tx<'_>, collection: &Collection) -> Result<Vec<String>, Error> {
        tx.frees_space();
        let sql = format!(
            "SELECT id FROM {} ORDER BY id LIMIT {PAGE}",
            quote(&collection.name)
        );
        let mut ended = Vec::new();
        loop {
            let rows = tx.query(&sql, &[])?;
            if rows.is_empty() {
                return Ok(ended);
            }
            for row in rows {
                let id: String = row.get("id")?;
                match self.remove(tx, collection, &id, None) {
                    Ok(removed) => ended.extend(removed.sessions),
                    // A record of the same collection has taken it along.
                    Err(Error::NotFound) => {}
                    Err(Error::Invalid(_)) => {
                        return Err(Error::Invalid(CANNOT_TRUNCATE.to_owned()));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Lets a query run where it holds nobody up and is stopped in time, before it is a view.
    async fn try_query(&self, wanted: &Collection) -> Result<(), Error> {
        if wanted.kind != CollectionKind::View {
            return Ok(());
        }
        let (text, random) = (wanted.view_query().to_owned(), self.inner.random.clone());
        let attempt = move |tx: &mut Tx<'_>| views::fields(tx, &text, &random).map(drop);
        match self.inner.database.read(attempt).await {
            Err(Error::Database(mito_database::Error::TimedOut)) => {
                let error = views::invalid("the query takes too long");
                Err(Error::field("viewQuery", error))
            }
            other => other,
        }
    }
}

const CANNOT_TRUNCATE: &str = "Failed to truncate collection (most likely due to required cascade \
     delete record references).";

/// Saves a whole definition and makes its table what it says.
fn save(
    tx: &mut Tx<'_>,
    mut wanted: Collection,
    existing: Option<&Collection>,
    random: &Random,
) -> Result<Collection, Error> {
    let others = Others::load(tx, random)?;
    let problem = infer(tx, &mut wanted, random)?;
    validate::collection(tx, &wanted, existing, &others, problem.as_ref())?;
    apply(tx, &mut wanted, existing, random)?;
    store::find_by_id(tx, &wanted.id)?.ok_or(Error::NotFound)
}

/// Fills in the fields of a view; returns what is wrong with its query.
pub(crate) fn infer(
    tx: &mut Tx<'_>,
    wanted: &mut Collection,
    random: &Random,
) -> Result<Option<FieldError>, Error> {
    if wanted.kind != CollectionKind::View {
        return Ok(None);
    }
    wanted.fields.clear();
    if wanted.view_query().trim().is_empty() {
        return Ok(Some(FieldError::required()));
    }
    match views::fields(tx, wanted.view_query(), random)? {
        Ok(fields) => {
            wanted.fields = fields;
            Ok(None)
        }
        Err(reason) => Ok(Some(views::invalid(&reason))),
    }
}

/// Makes the tables and views what a checked definition says.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    wanted: &mut Collection,
    existing: Option<&Collection>,
    random: &Random,
) -> Result<(), Error> {
    normalise_indexes(wanted);
    if wanted.kind == CollectionKind::View {
        return apply_view(tx, wanted, existing, random);
    }
    let moves = existing.is_some_and(|existing| schema::moves_names(wanted, existing));
    let mut views = if moves {
        views::suspend(tx)?
    } else {
        Vec::new()
    };
    store::save(tx, wanted)?;
    schema::bring_up(tx, wanted, existing)?;
    if let Some(existing) = existing
        && existing.name != wanted.name
    {
        views::follow_rename(tx, &mut views, &existing.name, &wanted.name)?;
    }
    if moves {
        views::resume(tx, views, random)
    } else if existing.is_some() {
        views::refresh(tx, random)
    } else {
        Ok(())
    }
}

fn apply_view(
    tx: &mut Tx<'_>,
    wanted: &Collection,
    existing: Option<&Collection>,
    random: &Random,
) -> Result<(), Error> {
    let Some(existing) = existing else {
        store::save(tx, wanted)?;
        return views::create(tx, wanted);
    };
    let mut views = views::suspend(tx)?;
    views.retain(|view| view.id != wanted.id);
    store::save(tx, wanted)?;
    if existing.name != wanted.name {
        views::follow_rename(tx, &mut views, &existing.name, &wanted.name)?;
    }
    views.push(wanted.clone());
    views::resume(tx, views, random)
}

/// Statements on another table are written anew for this one.
fn normalise_indexes(wanted: &mut Collection) {
    for statement in &mut wanted.indexes {
        if let Ok(mut index) = Index::parse(statement)
            && index.table != wanted.name
        {
            index.table.clone_from(&wanted.name);
            *statement = index.shown();
        }
    }
}

/// Another secret for tokens ends all that there are, as it does in PocketBase, whose tokens are
/// signed with it. Returns the sessions.
fn end_with_secret(
    tx: &mut Tx<'_>,
    before: &Collection,
    after: &Collection,
) -> Result<Vec<String>, Error> {
    let secret = |collection| AuthOptions::of(collection).auth_token.secret;
    if !after.is_auth() || secret(before) == secret(after) {
        return Ok(Vec::new());
    }
    end_sessions(tx, &after.id)
}

fn end_sessions(tx: &mut Tx<'_>, collection_id: &str) -> Result<Vec<String>, Error> {
    let sql = "DELETE FROM _mito_records_sessions WHERE id IN (SELECT id \
         FROM _mito_records_sessions WHERE collection_id = $1 LIMIT $2) RETURNING id";
    let mut ended = Vec::new();
    loop {
        let sessions = tx.query(sql, &[&collection_id, &SESSIONS_AT_ONCE])?;
        if sessions.is_empty() {
            return Ok(ended);
        }
        for session in sessions {
            ended.push(session.get("id")?);
        }
    }
}

/// Removes what there is about the accounts of a collection. Returns their sessions.
fn forget_accounts(tx: &mut Tx<'_>, collection: &Collection) -> Result<Vec<String>, Error> {
    if !collection.is_auth() {
        return Ok(Vec::new());
    }
    let id = &collection.id;
    let sessions = end_sessions(tx, id)?;
    tx.execute(
        "DELETE FROM _mito_records_codes WHERE collection_id = $1",
        &[id],
    )?;
    for name in ["_externalAuths", "_mfas", "_otps", "_authOrigins"] {
        if store::find(tx, name)?.is_some() {
            let sql = format!("DELETE FROM {} WHERE \"collectionRef\" = $1", quote(name));
            tx.execute(&sql, &[id])?;
        }
    }
    Ok(sessions)
}

/// The collections that have relations to this one, and the views that speak of it.
pub(crate) fn references(tx: &mut Tx<'_>, collection: &Collection) -> Result<Vec<String>, Error> {
    let points = |other: &Collection| {
        other.id != collection.id
            && other.fields.iter().any(|field| {
                field.kind_of() == Some(FieldKind::Relation)
                    && field.text_option("collectionId") == collection.id
            })
    };
    let mut names: Vec<String> = store::all(tx)?
        .into_iter()
        .filter(points)
        .map(|other| other.name)
        .collect();
    for view in views::speaking_of(tx, &collection.name)? {
        if !names.contains(&view) {
            names.push(view);
        }
    }
    Ok(names)
}

/// What the engine refuses is the request's fault: a column that a view needs, a name that it keeps.
pub(crate) fn told(error: Error, operation: &str) -> Error {
    let reason = match error {
        Error::Database(
            error @ (mito_database::Error::Statement { .. } | mito_database::Error::Constraint(_)),
        ) => error.to_string(),
        Error::Invalid(reason) if reason.starts_with("error in view") => reason,
        other => return other,
    };
    Error::Invalid(format!(
        "Failed to {operation} collection. Raw error: {reason}."
    ))
}
