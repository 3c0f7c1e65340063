//! What a definition must look like before it becomes a table.

use mito_core::Random;
use mito_database::{Dialect, Tx};

use crate::{
    Collection, CollectionKind, Error, FieldError,
    accounts::options::AuthOptions,
    collections::{
        field_checks::{self, length, no_match, via},
        indexes::Index,
        store,
    },
    error::FieldErrors,
    filter::{self, Problem, Saved},
    names,
};

/// The longest id of a collection, in characters.
const MAX_ID: usize = 100;
/// The most fields of a collection. SQLite allows 2,000 columns, PostgreSQL 1,600.
const MAX_FIELDS: usize = 500;
/// The most indexes of a collection.
const MAX_INDEXES: usize = 100;
/// Names that bodies of requests give a meaning of its own in auth collections.
const RESERVED_IN_AUTH: [&str; 2] = ["passwordConfirm", "oldPassword"];

/// The collections that there are besides the one that is looked at.
pub(crate) struct Others {
    all: Vec<Collection>,
    /// Those that come with the same import.
    coming: Vec<Collection>,
    /// Draws texts from patterns, to see whether they are any good.
    pub(crate) random: Random,
}

impl Others {
    /// All collections as the transaction sees them.
    pub(crate) fn load(tx: &mut Tx<'_>, random: &Random) -> Result<Self, Error> {
        Ok(Self {
            all: store::all(tx)?,
            coming: Vec::new(),
            random: random.clone(),
        })
    }

    /// Takes in what a collection of the same import will be.
    pub(crate) fn expect(&mut self, wanted: &Collection) {
        match self.all.iter_mut().find(|known| known.id == wanted.id) {
            Some(known) => known.clone_from(wanted),
            None => self.coming.push(wanted.clone()),
        }
    }

    pub(crate) fn kind_by_id(&self, id: &str) -> Option<CollectionKind> {
        let mut all = self.all.iter().chain(&self.coming);
        all.find(|collection| collection.id == id)
            .map(|collection| collection.kind)
    }

    fn besides<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Collection> {
        let all = self.all.iter().chain(&self.coming);
        all.filter(move |other| other.id != id)
    }
}

/// Checks everything that the definition says; `problem` is what is wrong with a view's query.
pub(crate) fn collection(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: Option<&Collection>,
    others: &Others,
    problem: Option<&FieldError>,
) -> Result<(), Error> {
    if existing.is_some_and(|existing| existing.kind != collection.kind) {
        let message = "Collection type cannot be changed.";
        let error = FieldError::new("validation_collection_type_change", message);
        return Err(Error::field("type", error));
    }
    let mut errors = FieldErrors::new();
    let mut set = |name: &str, error: Option<FieldError>| {
        if let Some(error) = error {
            errors.insert(name.to_owned(), error);
        }
    };
    set("name", name(collection, existing, others, tx.dialect()));
    if existing.is_none() {
        set("id", id(collection, others));
    }
    if existing.is_some_and(|existing| existing.system != collection.system) {
        let message = "System collection state cannot be changed.";
        set(
            "system",
            Some(FieldError::new(
                "validation_collection_system_flag_change",
                message,
            )),
        );
    }
    set("viewQuery", problem.cloned());
    fields(collection, existing, others, tx.dialect(), &mut errors);
    indexes(collection, others, &mut errors);
    let fields_are_fine = !errors
        .keys()
        .any(|name| name == "fields" || name.starts_with("fields."));
    if fields_are_fine {
        rules(tx, collection, existing, &mut errors)?;
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(errors))
    }
}

fn name(
    collection: &Collection,
    existing: Option<&Collection>,
    others: &Others,
    dialect: Dialect,
) -> Option<FieldError> {
    let name = collection.name.as_str();
    if name.is_empty() {
        return Some(FieldError::required());
    }
    if existing.is_some_and(|existing| existing.system && existing.name != name) {
        let message = "System collection name cannot be changed.";
        let code = "validation_collection_system_name_change";
        return Some(FieldError::new(code, message));
    }
    let longest = match dialect {
        Dialect::Sqlite => names::MAX_COLLECTION_NAME,
        Dialect::Postgres => names::MAX_POSTGRES_NAME,
    };
    if let Some(error) = length(name, longest) {
        return Some(error);
    }
    if !names::is_identifier(name) {
        return Some(no_match());
    }
    if let Some(error) = via(name) {
        return Some(error);
    }
    if names::is_of_an_engine(name) {
        let message = "The name shouldn't match with an existing internal table.";
        return Some(FieldError::new(
            "validation_collection_name_invalid",
            message,
        ));
    }
    let taken = |other: &Collection| other.name.eq_ignore_ascii_case(name);
    if others.besides(&collection.id).any(taken) {
        return Some(name_exists());
    }
    others
        .besides(&collection.id)
        .any(|other| other.id == name)
        .then(|| {
            let message = "The name must not match an existing collection id.";
            FieldError::new("validation_collection_name_id_duplicate", message)
        })
}

/// The name belongs to another collection.
pub(crate) fn name_exists() -> FieldError {
    let message = "Collection name must be unique (case insensitive).";
    FieldError::new("validation_collection_name_exists", message)
}

fn id(collection: &Collection, others: &Others) -> Option<FieldError> {
    let id = collection.id.as_str();
    if let Some(error) = length(id, MAX_ID) {
        return Some(error);
    }
    if !names::is_identifier(id) {
        return Some(no_match());
    }
    // A collection is found by its id or its name, so no id may be another's name.
    let taken = others.all.iter().any(|other| other.id == id)
        || others
            .besides(id)
            .any(|other| other.name.eq_ignore_ascii_case(id));
    taken.then(|| {
        let message = "The model id is invalid or already exists.";
        FieldError::new("validation_invalid_or_existing_id", message)
    })
}

fn fields(
    collection: &Collection,
    existing: Option<&Collection>,
    others: &Others,
    dialect: Dialect,
    errors: &mut FieldErrors,
) {
    if let Some((name, error)) = fields_together(collection, existing) {
        errors.insert(name, error);
        return;
    }
    for (position, field) in collection.fields.iter().enumerate() {
        let before = existing.and_then(|existing| existing.field_by_id(&field.id));
        for (option, error) in field_checks::check(collection, field, before, others, dialect) {
            errors.insert(format!("fields.{position}.{option}"), error);
        }
    }
}

/// What is wrong with the fields together, by the name that it has in the answer.
fn fields_together(
    collection: &Collection,
    existing: Option<&Collection>,
) -> Option<(String, FieldError)> {
    let whole = |error: FieldError| Some(("fields".to_owned(), error));
    if collection.fields.len() > MAX_FIELDS {
        let message = format!("A collection has at most {MAX_FIELDS} fields.");
        return whole(FieldError::new("validation_too_many_fields", message));
    }
    for (position, field) in collection.fields.iter().enumerate() {
        let same = |known: &crate::Field| {
            !field.name.is_empty() && known.name.eq_ignore_ascii_case(&field.name)
        };
        if collection.fields[..position].iter().any(same) {
            let message = format!("Duplicated or invalid field name {}.", field.name);
            let error = FieldError::new("validation_duplicated_field_name", message);
            let error = error.with("fieldName", field.name.clone());
            return Some((format!("fields.{position}.name"), error));
        }
    }
    if collection.fields.is_empty() {
        return whole(FieldError::required());
    }
    if collection.field("id").is_none() {
        let message = "Missing or invalid \"id\" PK field.";
        return whole(FieldError::new("validation_missing_primary_key", message));
    }
    if collection.kind == CollectionKind::View {
        return None;
    }
    let before = existing.map_or(&[][..], |existing| &existing.fields);
    let is_lost = |old: &&crate::Field| {
        let new = collection.field_by_id(&old.id);
        old.flag("system") && new.is_none_or(|new| new.name != old.name)
    };
    if before.iter().any(|old| is_lost(&old)) {
        let message = "System fields cannot be deleted or renamed.";
        return whole(FieldError::new("validation_system_field_change", message));
    }
    for (position, field) in collection.fields.iter().enumerate() {
        let old = existing.and_then(|existing| existing.field_by_id(&field.id));
        if old.is_some_and(|old| old.kind != field.kind) {
            let message = "Field type cannot be changed.";
            let error = FieldError::new("validation_field_type_change", message);
            return Some((format!("fields.{position}"), error));
        }
        if collection.is_auth() && RESERVED_IN_AUTH.contains(&field.name.as_str()) {
            let message = "The field name is reserved and cannot be used.";
            let error = FieldError::new("validation_reserved_field_name", message);
            return Some((format!("fields.{position}.name"), error));
        }
    }
    None
}

fn indexes(collection: &Collection, others: &Others, errors: &mut FieldErrors) {
    if collection.kind == CollectionKind::View {
        if !collection.indexes.is_empty() {
            let message = "View collections don't support indexes.";
            let error = FieldError::new("validation_indexes_not_supported", message);
            errors.insert("indexes".to_owned(), error);
        }
        return;
    }
    if collection.indexes.len() > MAX_INDEXES {
        let message = format!("A collection has at most {MAX_INDEXES} indexes.");
        let error = FieldError::new("validation_too_many_indexes", message);
        errors.insert("indexes".to_owned(), error);
        return;
    }
    let mut seen: Vec<Index> = Vec::new();
    for (position, statement) in collection.indexes.iter().enumerate() {
        match index(collection, statement, &seen, others) {
            Ok(index) => seen.push(index),
            Err(error) => {
                errors.insert(format!("indexes.{position}"), error);
            }
        }
    }
}

fn index(
    collection: &Collection,
    statement: &str,
    seen: &[Index],
    others: &Others,
) -> Result<Index, FieldError> {
    let invalid = |message: String| FieldError::new("validation_invalid_index_expression", message);
    let mut index = Index::parse(statement)
        .map_err(|_| invalid("Invalid CREATE INDEX expression.".to_owned()))?;
    index.table.clone_from(&collection.name);
    let same_name = |other: &Index| other.name.eq_ignore_ascii_case(&index.name);
    if seen.iter().any(same_name) {
        let message = "The index name already exists.";
        return Err(FieldError::new("validation_duplicated_index_name", message));
    }
    let same =
        |other: &&Index| other.columns == index.columns && other.condition == index.condition;
    if seen.iter().any(|other| same(&other)) {
        let message = "The index definition already exists.";
        return Err(FieldError::new(
            "validation_duplicated_index_definition",
            message,
        ));
    }
    let is_used = |other: &&Collection| {
        let mut used = other
            .indexes
            .iter()
            .filter_map(|used| Index::parse(used).ok());
        used.any(|used| same_name(&used))
    };
    if let Some(other) = others.besides(&collection.id).find(is_used) {
        let message = format!(
            "The index name is already used in {} collection.",
            other.name
        );
        let error = FieldError::new("validation_existing_index_name", message);
        return Err(error.with("usedTableName", other.name.clone()));
    }
    if !names::is_index_name(&index.name) {
        let message = format!(
            "Failed to create index {0} - object name reserved for internal use: {0}.",
            index.name
        );
        return Err(invalid(message));
    }
    index
        .fits(collection)
        .map_err(|reason| invalid(format!("Failed to create index {} - {reason}.", index.name)))?;
    Ok(index)
}

fn rules(
    tx: &mut Tx<'_>,
    collection: &Collection,
    existing: Option<&Collection>,
    errors: &mut FieldErrors,
) -> Result<(), Error> {
    let mut failure = None;
    let mut wrong_rule = |rule: &str| match filter::check_rule(&mut Saved(tx), collection, rule) {
        Ok(()) => None,
        Err(Problem::Failed(error)) => {
            failure = Some(error);
            None
        }
        Err(Problem::Invalid(reason)) => {
            let message = format!("Invalid rule. Raw error: {reason}.");
            Some(FieldError::new("validation_invalid_rule", message))
        }
    };
    let was_system = existing.filter(|existing| existing.system);
    let before = was_system.map(record_rules);
    for (position, (name, rule)) in record_rules(collection).into_iter().enumerate() {
        let writes = position > 1;
        let error = if collection.kind == CollectionKind::View && writes && rule.is_some() {
            Some(FieldError::new("validation_nil", "Must be blank."))
        } else if let Some(error) = rule.and_then(&mut wrong_rule) {
            Some(error)
        } else if before.is_some_and(|before| before[position].1 != rule) {
            let message = "System collection API rule cannot be changed.";
            let code = "validation_collection_system_rule_change";
            Some(FieldError::new(code, message))
        } else {
            None
        };
        if let Some(error) = error {
            errors.insert(name.to_owned(), error);
        }
    }
    if collection.is_auth() {
        let options = AuthOptions::of(collection);
        let mut wrong = options.check(collection, existing, &mut wrong_rule);
        errors.append(&mut wrong);
    }
    failure.map_or(Ok(()), Err)
}

fn record_rules(collection: &Collection) -> [(&'static str, Option<&str>); 5] {
    [
        ("listRule", collection.list_rule.as_deref()),
        ("viewRule", collection.view_rule.as_deref()),
        ("createRule", collection.create_rule.as_deref()),
        ("updateRule", collection.update_rule.as_deref()),
        ("deleteRule", collection.delete_rule.as_deref()),
    ]
}
