//! Many definitions at once: the API's import, and starters.

use std::collections::BTreeMap;

use mito_database::Tx;
use serde_json::{Map, Value};

use crate::{
    Collection, CollectionKind, Error, Field, FieldError, Record, Records,
    collections::{
        change, read, store, system,
        validate::{self, Others},
    },
    error::FieldErrors,
    fields::FieldKind,
    names::quote,
};

/// The most collections in one import.
const MAX_COLLECTIONS: usize = 500;

/// What becomes of what the import does not speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Other collections and other fields stay.
    Stays,
    /// Indexes stay too: a starter adds to what there is.
    StaysWithIndexes,
    /// Other collections and other fields go, but for those of the platform.
    Goes,
    /// Collections of another installation take the places of their namesakes that are still empty;
    /// others stay. An error is told by the id of its collection.
    GivesWay,
}

/// A definition of an import on its way.
struct Planned {
    wanted: Collection,
    existing: Option<Collection>,
}

impl Records {
    /// Creates the collections or changes those of the same id or name, all or none. Fields that are
    /// not named stay, unless `delete_missing` takes them and all other collections away.
    pub async fn import_definitions(
        &self,
        definitions: Vec<Record>,
        delete_missing: bool,
    ) -> Result<(), Error> {
        let rest = if delete_missing {
            Rest::Goes
        } else {
            Rest::Stays
        };
        self.import(definitions, rest).await
    }

    /// Creates the collections, or brings existing ones of the same name up to the given fields
    /// and indexes without losing data. Relations may name the collection that they point at.
    pub async fn import_collections(&self, collections: Vec<Collection>) -> Result<(), Error> {
        let definitions = collections
            .into_iter()
            .map(definition)
            .collect::<Result<_, _>>()?;
        self.import(definitions, Rest::StaysWithIndexes).await
    }

    async fn import(&self, definitions: Vec<Record>, rest: Rest) -> Result<(), Error> {
        if definitions.is_empty() {
            return Err(Error::field("collections", FieldError::required()));
        }
        if definitions.len() > MAX_COLLECTIONS {
            return Err(Error::Invalid(format!(
                "At most {MAX_COLLECTIONS} collections can be imported at once."
            )));
        }
        let (records, count) = (self.clone(), definitions.len());
        let import = move |tx: &mut Tx<'_>| records.import_in(tx, &definitions, rest);
        let ended = self.inner.database.exclusive(import).await?;
        self.mark_all_ended(&ended);
        tracing::info!(collections = count, "imported collections");
        Ok(())
    }

    /// Definitions are written first, so that relations, rules and queries may speak of collections
    /// of the same import; then each is checked, then the tables follow, then the views.
    pub(crate) fn import_in(
        &self,
        tx: &mut Tx<'_>,
        given: &[Record],
        rest: Rest,
    ) -> Result<Vec<String>, Error> {
        let mut planned = Vec::with_capacity(given.len());
        let mut ended = Vec::new();
        if rest == Rest::GivesWay {
            ended.extend(self.remove_empty_namesakes(tx, given)?);
        }
        for definition in given {
            planned.push(
                plan(tx, definition, rest).map_err(|error| not_loaded(rest, definition, error))?,
            );
        }
        if rest == Rest::StaysWithIndexes {
            name_relations(tx, &mut planned)?;
        }
        if rest == Rest::Goes {
            ended.extend(self.remove_others(tx, &planned)?);
        }
        require_own_names(tx, &planned, rest)?;
        let (mut views, mut tables): (Vec<_>, Vec<_>) = planned
            .into_iter()
            .partition(|planned| planned.wanted.kind == CollectionKind::View);
        let mut others = Others::load(tx, &self.inner.random)?;
        for planned in tables.iter().chain(&views) {
            others.expect(&planned.wanted);
            store::save(tx, &planned.wanted)?;
        }
        for Planned { wanted, existing } in &tables {
            validate::collection(tx, wanted, existing.as_ref(), &others, None)
                .map_err(|error| wrong(rest, wanted, error))?;
        }
        for planned in &mut tables {
            let random = &self.inner.random;
            let Planned { wanted, existing } = planned;
            change::apply(tx, wanted, existing.as_ref(), random)
                .map_err(|error| not_applied(rest, wanted, error))?;
        }
        for planned in &mut views {
            let random = &self.inner.random;
            let problem = change::infer(tx, &mut planned.wanted, random)?;
            let Planned { wanted, existing } = planned;
            validate::collection(tx, wanted, existing.as_ref(), &others, problem.as_ref())
                .map_err(|error| wrong(rest, wanted, error))?;
            change::apply(tx, wanted, existing.as_ref(), random)
                .map_err(|error| not_applied(rest, wanted, error))?;
        }
        Ok(ended)
    }

    /// Removes empty collections that have the names, but not the ids, of what comes.
    fn remove_empty_namesakes(
        &self,
        tx: &mut Tx<'_>,
        given: &[Record],
    ) -> Result<Vec<String>, Error> {
        let text = |definition: &Record, key: &str| {
            let text = definition.get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut ended = Vec::new();
        for definition in given {
            let (id, name) = (text(definition, "id"), text(definition, "name"));
            if let Some(namesake) = store::find(tx, &name)?
                && namesake.id != id
                && !namesake.system
                && !namesake.is_view()
                && !given.iter().any(|other| text(other, "id") == namesake.id)
                && is_empty(tx, &namesake)?
                && change::references(tx, &namesake)?.is_empty()
            {
                let removed = self.remove_collection(tx, &namesake);
                ended.extend(removed.map_err(|error| of_collection(&id, error))?);
            }
        }
        Ok(ended)
    }

    fn remove_others(&self, tx: &mut Tx<'_>, planned: &[Planned]) -> Result<Vec<String>, Error> {
        let kept = |collection: &Collection| {
            collection.system
                || planned
                    .iter()
                    .any(|planned| planned.wanted.id == collection.id)
        };
        let mut others = store::all(tx)?;
        others.retain(|collection| !kept(collection));
        // Views go first: nothing is left to look at what they looked at.
        others.sort_by_key(|collection| collection.kind != CollectionKind::View);
        let mut ended = Vec::new();
        for collection in others {
            ended.extend(self.remove_collection(tx, &collection)?);
        }
        Ok(ended)
    }
}

/// No two collections of an import, and none of it and another, have the same name.
fn require_own_names(tx: &mut Tx<'_>, planned: &[Planned], rest: Rest) -> Result<(), Error> {
    for (position, Planned { wanted, .. }) in planned.iter().enumerate() {
        let same = |other: &Planned| {
            other.wanted.id == wanted.id || other.wanted.name.eq_ignore_ascii_case(&wanted.name)
        };
        let named = store::find(tx, &wanted.name)?;
        let is_other = |other: Collection| {
            other.id != wanted.id && !planned.iter().any(|coming| coming.wanted.id == other.id)
        };
        if planned[..position].iter().any(same) || named.is_some_and(is_other) {
            return Err(wrong(
                rest,
                wanted,
                Error::field("name", validate::name_exists()),
            ));
        }
    }
    Ok(())
}

fn plan(tx: &mut Tx<'_>, definition: &Record, rest: Rest) -> Result<Planned, Error> {
    let text = |key: &str| {
        definition
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let existing = match (text("id"), text("name")) {
        ("", "") => None,
        ("", name) => store::find(tx, name)?.filter(|found| found.name == name),
        (id, _) => store::find_by_id(tx, id)?,
    };
    let Some(existing) = existing else {
        let mut wanted = read::create(definition)?;
        system::imply(&mut wanted);
        return Ok(Planned {
            wanted,
            existing: None,
        });
    };
    let mut wanted = read::change(&existing, definition)?;
    wanted.system = existing.system;
    let gives_way = rest == Rest::GivesWay && is_empty(tx, &existing)?;
    match rest {
        Rest::StaysWithIndexes => keep_ids(&mut wanted, &existing, |_| true),
        Rest::GivesWay => keep_ids(&mut wanted, &existing, |field| {
            !gives_way || field.flag("system")
        }),
        Rest::Stays | Rest::Goes => {}
    }
    for field in &existing.fields {
        let missing = wanted.field_by_id(&field.id).is_none();
        if missing && (!(rest == Rest::Goes || gives_way) || field.flag("system")) {
            wanted.fields.push(field.clone());
        }
    }
    if rest == Rest::StaysWithIndexes {
        for index in &existing.indexes {
            if !wanted.indexes.contains(index) {
                wanted.indexes.push(index.clone());
            }
        }
    }
    system::imply(&mut wanted);
    Ok(Planned {
        wanted,
        existing: Some(existing),
    })
}

/// Whether nothing would be lost with the collection.
fn is_empty(tx: &mut Tx<'_>, collection: &Collection) -> Result<bool, Error> {
    if collection.is_view() {
        return Ok(true);
    }
    let sql = format!("SELECT id FROM {} LIMIT 1", quote(&collection.name));
    Ok(tx.query_one(&sql, &[])?.is_none())
}

/// Gives fields the ids that their namesakes have already, where `keeps` says so.
fn keep_ids(wanted: &mut Collection, existing: &Collection, keeps: impl Fn(&Field) -> bool) {
    for field in &mut wanted.fields {
        if existing.field_by_id(&field.id).is_none()
            && let Some(known) = existing.field(&field.name)
            && keeps(known)
        {
            field.id.clone_from(&known.id);
        }
    }
}

/// A definition as it would be sent, without what is only a default.
fn definition(mut collection: Collection) -> Result<Record, Error> {
    for field in &mut collection.fields {
        let says = |option: &str| field.options.contains_key(option);
        if field.kind_of() == Some(FieldKind::Autodate) && !says("onCreate") && !says("onUpdate") {
            field
                .options
                .insert("onCreate".to_owned(), Value::Bool(true));
        }
    }
    let (has_id, is_system) = (!collection.id.is_empty(), collection.system);
    let Value::Object(mut definition) = serde_json::to_value(collection)
        .map_err(|error| Error::Internal(format!("cannot write a definition: {error}")))?
    else {
        return Err(Error::Internal("a definition is no object".to_owned()));
    };
    if !has_id {
        definition.shift_remove("id");
    }
    if !is_system {
        definition.shift_remove("system");
    }
    Ok(definition)
}

/// Puts ids where relations name collections of the same import or existing ones.
fn name_relations(tx: &mut Tx<'_>, planned: &mut [Planned]) -> Result<(), Error> {
    let mut ids: BTreeMap<String, String> = store::all(tx)?
        .into_iter()
        .map(|collection| (collection.name, collection.id))
        .collect();
    for planned in planned.iter() {
        ids.insert(planned.wanted.name.clone(), planned.wanted.id.clone());
    }
    for planned in planned {
        for field in &mut planned.wanted.fields {
            if let Some(id) = ids.get(field.text_option("collectionId")) {
                let id = Value::String(id.clone());
                field.options.insert("collectionId".to_owned(), id);
            }
        }
    }
    Ok(())
}

/// A definition that cannot be read is the import's fault.
fn not_loaded(rest: Rest, definition: &Record, error: Error) -> Error {
    if rest == Rest::GivesWay {
        let id = definition.get("id").and_then(Value::as_str);
        return of_collection(id.unwrap_or_default(), error);
    }
    match error {
        Error::Invalid(reason) => failure(format!(
            "Failed to import the collections configuration. Raw error:\n{reason}"
        )),
        Error::Fields(errors) => {
            let reasons = serde_json::to_string_pretty(&nested(&errors)).unwrap_or_default();
            failure(format!("Data validations failed:\n{reasons}."))
        }
        other => other,
    }
}

/// An error told by the id of the collection that it is about: `ID:path`.
fn of_collection(id: &str, error: Error) -> Error {
    match error {
        Error::Fields(errors) => Error::Fields(
            errors
                .into_iter()
                .map(|(path, error)| (format!("{id}:{path}"), error))
                .collect(),
        ),
        Error::Invalid(reason) => Error::field(
            &format!("{id}:"),
            FieldError::new("validation_invalid", reason),
        ),
        other => other,
    }
}

fn not_applied(rest: Rest, collection: &Collection, error: Error) -> Error {
    if rest != Rest::GivesWay {
        return error;
    }
    of_collection(&collection.id, change::told(error, "import"))
}

/// The errors of one definition as one sentence about the import. Starters, whose makers see them
/// one by one, and indexes that data stands against, keep their own.
fn wrong(rest: Rest, collection: &Collection, error: Error) -> Error {
    if rest == Rest::GivesWay {
        return of_collection(&collection.id, error);
    }
    let Error::Fields(errors) = error else {
        return error;
    };
    if rest == Rest::StaysWithIndexes || errors.keys().all(|name| name.starts_with("indexes")) {
        return Error::Fields(errors);
    }
    let reasons = serde_json::to_string_pretty(&nested(&errors)).unwrap_or_default();
    failure(format!(
        "Data validations failed for collection {:?} ({}):\n{reasons}.",
        collection.name, collection.id
    ))
}

fn failure(message: String) -> Error {
    let error = FieldError::new("validation_collections_import_failure", message);
    Error::field("collections", error)
}

/// `fields.2.name` as an object in objects, with the sentence at its end.
fn nested(errors: &FieldErrors) -> Value {
    let mut root = Map::new();
    for (path, error) in errors {
        insert(&mut root, path, &error.message);
    }
    Value::Object(root)
}

fn insert(into: &mut Map<String, Value>, path: &str, sentence: &str) {
    let Some((name, rest)) = path.split_once('.') else {
        into.insert(path.to_owned(), Value::String(sentence.to_owned()));
        return;
    };
    let inner = into
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()));
    match inner {
        Value::Object(inner) => insert(inner, rest, sentence),
        other => *other = Value::String(sentence.to_owned()),
    }
}
