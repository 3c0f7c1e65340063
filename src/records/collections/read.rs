//! Definitions as they are sent: JSON laid over what there is.

use serde_json::{Map, Value};

use crate::{
    Collection, CollectionKind, Error, Field, FieldError, Record,
    accounts::options::AuthOptions,
    collections::{
        options::{self, Malformed},
        system::crc32,
    },
};

const MALFORMED: &str = "Failed to load the submitted data due to invalid formatting.";

impl From<Malformed> for Error {
    fn from(_: Malformed) -> Self {
        Self::Invalid(MALFORMED.to_owned())
    }
}

/// A new collection of the type that the definition names, with what it says.
pub(crate) fn create(given: &Record) -> Result<Collection, Error> {
    let named = ["name", "type"].map(|key| options::text(given.get(key)));
    if named.contains(&Err(Malformed)) {
        let message = "Failed to load the collection type data due to invalid formatting.";
        return Err(Error::Invalid(message.to_owned()));
    }
    let mut collection = blank(kind(given)?.unwrap_or(CollectionKind::Base));
    collection.id = options::text(given.get("id"))?;
    collection.system = options::flag(given.get("system"))?;
    over(collection, given, None)
}

/// `existing` with what the definition says instead. Fields are replaced as a whole.
pub(crate) fn change(existing: &Collection, given: &Record) -> Result<Collection, Error> {
    let mut wanted = existing.clone();
    if let Some(kind) = kind(given)? {
        wanted.kind = kind;
    }
    if let Some(system) = given.get("system") {
        wanted.system = options::flag(Some(system))?;
    }
    over(wanted, given, Some(existing))
}

/// An empty collection.
pub(crate) fn blank(kind: CollectionKind) -> Collection {
    Collection {
        id: String::new(),
        name: String::new(),
        kind,
        fields: Vec::new(),
        indexes: Vec::new(),
        list_rule: None,
        view_rule: None,
        create_rule: None,
        update_rule: None,
        delete_rule: None,
        system: false,
        options: Map::new(),
    }
}

/// The type that is asked for; `None` when nothing is said.
fn kind(given: &Record) -> Result<Option<CollectionKind>, Error> {
    match options::text(given.get("type"))?.as_str() {
        "" => Ok(None),
        "base" => Ok(Some(CollectionKind::Base)),
        "auth" => Ok(Some(CollectionKind::Auth)),
        "view" => Ok(Some(CollectionKind::View)),
        _ => {
            let error = FieldError::new("validation_in_invalid", "Must be a valid value.");
            Err(Error::field("type", error))
        }
    }
}

fn over(
    mut wanted: Collection,
    given: &Record,
    existing: Option<&Collection>,
) -> Result<Collection, Error> {
    if let Some(name) = given.get("name") {
        wanted.name = options::text(Some(name))?;
    }
    if given.contains_key("indexes") {
        wanted.indexes = options::texts(given.get("indexes"))?;
    }
    for (name, rule) in [
        ("listRule", &mut wanted.list_rule),
        ("viewRule", &mut wanted.view_rule),
        ("createRule", &mut wanted.create_rule),
        ("updateRule", &mut wanted.update_rule),
        ("deleteRule", &mut wanted.delete_rule),
    ] {
        match given.get(name) {
            None => {}
            Some(Value::Null) => *rule = None,
            Some(Value::String(text)) => *rule = Some(text.clone()),
            Some(_) => return Err(Malformed.into()),
        }
    }
    match given.get("fields") {
        None => {}
        Some(Value::Null) => wanted.fields = Vec::new(),
        Some(Value::Array(fields)) => wanted.fields = self::fields(fields)?,
        Some(_) => return Err(Malformed.into()),
    }
    special(&mut wanted, given, existing)?;
    Ok(wanted)
}

/// The options that only one type of collection has.
fn special(
    wanted: &mut Collection,
    given: &Record,
    existing: Option<&Collection>,
) -> Result<(), Error> {
    let query = options::text(given.get("viewQuery"))?;
    if wanted.kind == CollectionKind::View {
        if given.contains_key("viewQuery") {
            wanted.set_view_query(query);
        } else if wanted.view_query().is_empty() {
            wanted.set_view_query(String::new());
        }
    }
    // The options are read whatever the type is, so that what is malformed is told.
    let mut submitted = wanted.clone();
    submitted.options.clone_from(given);
    let before = existing.filter(|existing| existing.is_auth());
    let auth = AuthOptions::complete(&submitted, before)?;
    if wanted.is_auth() {
        auth.store_in(&mut wanted.options);
    }
    Ok(())
}

fn fields(given: &[Value]) -> Result<Vec<Field>, Malformed> {
    let mut fields = Vec::with_capacity(given.len());
    for field in given {
        let field = field.as_object().ok_or(Malformed)?;
        put(&mut fields, options::read(field)?);
    }
    Ok(fields)
}

/// Puts a field in: over the one of the same id, or of the same name if it has no id of its own.
pub(crate) fn put(fields: &mut Vec<Field>, mut field: Field) {
    let same = if field.id.is_empty() {
        let named = |known: &Field| !field.name.is_empty() && known.name == field.name;
        fields.iter().position(named)
    } else {
        fields.iter().position(|known| known.id == field.id)
    };
    if let Some(position) = same {
        if field.id.is_empty() {
            field.id.clone_from(&fields[position].id);
        }
        fields[position] = field;
        return;
    }
    if field.id.is_empty() {
        let base = format!("{}{}", field.kind, crc32(&field.name));
        let mut number = 1_usize;
        field.id.clone_from(&base);
        while fields.iter().any(|known| known.id == field.id) {
            number += 1;
            field.id = format!("{base}{number}");
        }
    }
    fields.push(field);
}
