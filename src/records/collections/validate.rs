//! What a definition must look like before it becomes a table.

use std::collections::BTreeSet;

use mito_database::Tx;
use serde_json::Value;

use crate::{
    Collection, Error, Field, FieldError,
    collections::{indexes::Index, store},
    error::FieldErrors,
    fields::FieldKind,
    filter::{self, Problem},
    names,
};

/// The most fields of a collection.
const MAX_FIELDS: usize = 200;
/// The most indexes of a collection.
const MAX_INDEXES: usize = 50;
/// The most values of a select field.
const MAX_SELECT_VALUES: usize = 1_000;

/// Checks everything that the definition says by itself.
pub(crate) fn collection(
    collection: &Collection,
    existing: Option<&Collection>,
) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    if !names::is_collection_name(&collection.name, collection.system) {
        errors.insert("name".to_owned(), FieldError::invalid_format());
    }
    if !names::is_identifier(&collection.id) || collection.id.len() > names::MAX_COLLECTION_NAME {
        // A generated id is `pbc_` and digits; PocketBase's own collections begin with `_pb_`.
        errors.insert("id".to_owned(), FieldError::invalid_format());
    }
    if existing.is_some_and(|existing| existing.kind != collection.kind) {
        let error = FieldError::new(
            "validation_collection_type_change",
            "The collection type cannot be changed.",
        );
        errors.insert("type".to_owned(), error);
    }
    if let Err(error) = fields(collection, existing) {
        errors.insert("fields".to_owned(), error);
    }
    if errors.is_empty() {
        indexes(collection, &mut errors);
        if let Some(existing) = existing.filter(|existing| existing.system) {
            system_rules(collection, existing, &mut errors);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(errors))
    }
}

/// Checks that the collections that relations point at exist, by id or name, and puts their ids in.
pub(crate) fn relations(tx: &mut Tx<'_>, collection: &mut Collection) -> Result<(), Error> {
    for field in &mut collection.fields {
        if field.kind_of() != Some(FieldKind::Relation) {
            continue;
        }
        let target = field.text_option("collectionId").to_owned();
        let Some(target) = store::find(tx, &target)? else {
            let message = format!("The relation {:?} points at no collection.", field.name);
            let error = FieldError::new("validation_field_relation_missing_collection", message);
            return Err(Error::field("fields", error));
        };
        field
            .options
            .insert("collectionId".to_owned(), Value::String(target.id));
    }
    Ok(())
}

fn fields(collection: &Collection, existing: Option<&Collection>) -> Result<(), FieldError> {
    let wrong = |message: String| FieldError::new("validation_invalid_field", message);
    if collection.fields.len() > MAX_FIELDS {
        return Err(wrong(format!(
            "A collection has at most {MAX_FIELDS} fields."
        )));
    }
    let mut seen = BTreeSet::new();
    for field in &collection.fields {
        if !names::is_field_name(&field.name) {
            return Err(wrong(format!(
                "{:?} cannot be the name of a field.",
                field.name
            )));
        }
        if !seen.insert(field.name.to_ascii_lowercase()) {
            return Err(FieldError::new(
                "validation_duplicated_field_name",
                format!("Duplicated or invalid field name {}.", field.name),
            ));
        }
        check_field(field).map_err(&wrong)?;
        let before = existing.and_then(|existing| existing.field(&field.name));
        if before
            .is_some_and(|before| before.kind != field.kind || before.storage() != field.storage())
        {
            return Err(FieldError::new(
                "validation_field_type_change",
                format!("The type of the field {:?} cannot be changed.", field.name),
            ));
        }
    }
    Ok(())
}

fn check_field(field: &Field) -> Result<(), String> {
    let kind = field.kind_of().ok_or_else(|| {
        format!(
            "The field {:?} has no known type: {:?}.",
            field.name, field.kind
        )
    })?;
    match kind {
        FieldKind::Text => {
            let pattern = field.text_option("pattern");
            crate::fields::patterns::compile(pattern).map_err(|_| {
                format!(
                    "The pattern of the field {:?} is not a regular expression.",
                    field.name
                )
            })?;
        }
        FieldKind::Select => {
            let values = field.list_option("values").count();
            if values == 0 || values > MAX_SELECT_VALUES {
                return Err(format!(
                    "The select field {:?} needs 1 to {MAX_SELECT_VALUES} values.",
                    field.name
                ));
            }
        }
        FieldKind::Password if field.name != "password" => {
            return Err("Only auth collections have a password.".to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn indexes(collection: &Collection, errors: &mut FieldErrors) {
    if collection.indexes.len() > MAX_INDEXES {
        let message = format!("A collection has at most {MAX_INDEXES} indexes.");
        errors.insert(
            "indexes".to_owned(),
            FieldError::new("validation_too_many", message),
        );
    }
    for statement in &collection.indexes {
        let parsed = Index::parse(statement);
        if let Err(reason) = parsed.and_then(|index| index.fits(collection)) {
            let message = format!("Invalid CREATE INDEX expression: {reason}.");
            let error = FieldError::new("validation_invalid_index_expression", message);
            errors.insert("indexes".to_owned(), error);
        }
    }
}

/// Checks that rules can be evaluated; the collections that they speak of have been stored.
pub(crate) fn rules(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    let mut errors = FieldErrors::new();
    let named = record_rules(collection)
        .map(|(name, rule)| (name, rule.map(String::as_str)))
        .into_iter()
        .chain([("authRule", collection.auth_rule())]);
    for (name, rule) in named {
        let checked = filter::check_rule(&mut filter::Saved(tx), collection, rule.unwrap_or(""));
        match checked {
            Ok(()) => {}
            Err(Problem::Failed(error)) => return Err(error),
            Err(Problem::Invalid(reason)) => {
                let message = format!("Invalid rule. Raw error: {reason}.");
                let error = FieldError::new("validation_invalid_rule", message);
                errors.insert(name.to_owned(), error);
            }
        }
    }
    let auth_rule = collection.options.get("authRule");
    if auth_rule.is_some_and(|rule| !rule.is_string() && !rule.is_null()) {
        let message = "Invalid rule. Raw error: it is neither text nor null.";
        let error = FieldError::new("validation_invalid_rule", message);
        errors.insert("authRule".to_owned(), error);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(errors))
    }
}

/// Who may become an administrator is not for a definition to say.
fn system_rules(collection: &Collection, existing: &Collection, errors: &mut FieldErrors) {
    let mut compare = |name: &str, same: bool| {
        if !same {
            let message = "The rules of a system collection cannot be changed.";
            let error = FieldError::new("validation_collection_system_rule_change", message);
            errors.insert(name.to_owned(), error);
        }
    };
    for ((name, rule), (_, before)) in record_rules(collection).iter().zip(record_rules(existing)) {
        compare(name, *rule == before);
    }
    for name in ["authRule", "manageRule"] {
        let option = |collection: &Collection| collection.options.get(name).cloned();
        compare(name, option(collection) == option(existing));
    }
}

fn record_rules(collection: &Collection) -> [(&'static str, Option<&String>); 5] {
    [
        ("listRule", collection.list_rule.as_ref()),
        ("viewRule", collection.view_rule.as_ref()),
        ("createRule", collection.create_rule.as_ref()),
        ("updateRule", collection.update_rule.as_ref()),
        ("deleteRule", collection.delete_rule.as_ref()),
    ]
}
