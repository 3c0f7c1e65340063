//! The options of each type of field: their names, their types and what they are when nothing is
//! said. What a type does not know is left out, as in PocketBase.

use serde_json::{Map, Value};

use crate::{
    Field,
    fields::{FieldKind, dates},
};

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// A whole number, 0 by default.
    Integer,
    /// A number or null, null by default.
    Number,
    /// `false` by default.
    Flag,
    /// Text, empty by default.
    Text,
    /// A point in time as text; what is none is empty.
    Date,
    /// A list of texts, empty by default.
    Texts,
}

use Holds::{Date, Flag, Integer, Number, Text, Texts};

/// A definition that has the wrong form: text where a number belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

const COMMON: &[(&str, Holds)] = &[("hidden", Flag), ("presentable", Flag), ("system", Flag)];

fn of(kind: FieldKind) -> &'static [(&'static str, Holds)] {
    match kind {
        FieldKind::Text => &[
            ("autogeneratePattern", Text),
            ("max", Integer),
            ("min", Integer),
            ("pattern", Text),
            ("primaryKey", Flag),
        ],
        FieldKind::Editor => &[("convertURLs", Flag), ("maxSize", Integer)],
        FieldKind::Number => &[("max", Number), ("min", Number), ("onlyInt", Flag)],
        FieldKind::Bool | FieldKind::GeoPoint => &[],
        FieldKind::Email | FieldKind::Url => &[("exceptDomains", Texts), ("onlyDomains", Texts)],
        FieldKind::Date => &[("max", Date), ("min", Date)],
        FieldKind::Autodate => &[("onCreate", Flag), ("onUpdate", Flag)],
        FieldKind::Select => &[("maxSelect", Integer), ("values", Texts)],
        FieldKind::File => &[
            ("maxSelect", Integer),
            ("maxSize", Integer),
            ("mimeTypes", Texts),
            ("protected", Flag),
            ("thumbs", Texts),
        ],
        FieldKind::Relation => &[
            ("cascadeDelete", Flag),
            ("collectionId", Text),
            ("maxSelect", Integer),
            ("minSelect", Integer),
        ],
        FieldKind::Json => &[("maxSize", Integer)],
        FieldKind::Password => &[
            ("cost", Integer),
            ("max", Integer),
            ("min", Integer),
            ("pattern", Text),
        ],
    }
}

/// The field that a definition describes, with every option of its type.
pub(crate) fn read(given: &Map<String, Value>) -> Result<Field, Malformed> {
    let kind = text(given.get("type"))?;
    let mut field = Field {
        id: text(given.get("id"))?,
        name: text(given.get("name"))?,
        kind,
        required: flag(given.get("required"))?,
        options: Map::new(),
    };
    let known = field.kind_of().ok_or(Malformed)?;
    for (name, holds) in all(known) {
        field
            .options
            .insert(name.to_owned(), value(holds, given.get(name))?);
    }
    Ok(field)
}

/// Gives a field the options of its type that it lacks.
pub(crate) fn fill(field: &mut Field) {
    let Some(kind) = field.kind_of() else { return };
    for (name, holds) in all(kind) {
        if !field.options.contains_key(name) {
            field.options.insert(name.to_owned(), absent(holds));
        }
    }
}

fn all(kind: FieldKind) -> impl Iterator<Item = (&'static str, Holds)> {
    // A date that is set by itself has nothing to explain.
    let help = (kind != FieldKind::Autodate).then_some(("help", Text));
    COMMON.iter().chain(of(kind)).copied().chain(help)
}

fn absent(holds: Holds) -> Value {
    match holds {
        Integer => Value::from(0),
        Number => Value::Null,
        Flag => Value::Bool(false),
        Text | Date => Value::String(String::new()),
        Texts => Value::Array(Vec::new()),
    }
}

fn value(holds: Holds, given: Option<&Value>) -> Result<Value, Malformed> {
    let Some(given) = given.filter(|given| !given.is_null()) else {
        return Ok(absent(holds));
    };
    match holds {
        Integer if given.is_i64() => Ok(given.clone()),
        Number if given.is_number() => Ok(given.clone()),
        Flag if given.is_boolean() => Ok(given.clone()),
        Text if given.is_string() => Ok(given.clone()),
        Date => match given {
            Value::String(text) => {
                let date = dates::parse(text).map(dates::format_utc);
                Ok(Value::String(date.unwrap_or_default()))
            }
            _ => Err(Malformed),
        },
        Texts => texts(Some(given)).map(Value::from),
        Integer | Number | Flag | Text => Err(Malformed),
    }
}

/// A text; nothing and null are empty.
pub(crate) fn text(given: Option<&Value>) -> Result<String, Malformed> {
    match given {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Malformed),
    }
}

/// A flag; nothing and null are `false`.
pub(crate) fn flag(given: Option<&Value>) -> Result<bool, Malformed> {
    match given {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Malformed),
    }
}

/// A list of texts; nothing and null are empty.
pub(crate) fn texts(given: Option<&Value>) -> Result<Vec<String>, Malformed> {
    match given {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect(),
        Some(_) => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(given: Value, expected: Result<Value, Malformed>) {
        let read = read(given.as_object().unwrap()).map(|field| json!(field));
        assert_eq!(read, expected, "{given}");
    }

    #[test]
    fn every_type_has_all_of_its_options() {
        check(
            json!({"name": "n", "type": "number", "min": 0}),
            Ok(json!({
                "id": "", "name": "n", "type": "number", "required": false, "help": "",
                "hidden": false, "presentable": false, "system": false,
                "max": null, "min": 0, "onlyInt": false,
            })),
        );
        check(
            json!({"id": "a", "name": "at", "type": "autodate", "onCreate": true}),
            Ok(json!({
                "id": "a", "name": "at", "type": "autodate",
                "hidden": false, "presentable": false, "system": false,
                "onCreate": true, "onUpdate": false,
            })),
        );
        check(
            json!({"name": "d", "type": "date", "min": "2024-01-02", "max": "never", "zzz": 1}),
            Ok(json!({
                "id": "", "name": "d", "type": "date", "required": false, "help": "",
                "hidden": false, "presentable": false, "system": false,
                "max": "", "min": "2024-01-02 00:00:00.000Z",
            })),
        );
    }

    #[test]
    fn what_has_the_wrong_form_is_no_field() {
        for wrong in [
            json!({"name": "x"}),
            json!({"name": "x", "type": "zzz"}),
            json!({"name": 5, "type": "text"}),
            json!({"name": "x", "type": "text", "min": "5"}),
            json!({"name": "x", "type": "text", "min": 1.5}),
            json!({"name": "x", "type": "text", "required": "yes"}),
            json!({"name": "x", "type": "email", "onlyDomains": "a.com"}),
            json!({"name": "x", "type": "select", "values": [5]}),
            json!({"name": "x", "type": "date", "min": 5}),
        ] {
            check(wrong, Err(Malformed));
        }
    }
}
