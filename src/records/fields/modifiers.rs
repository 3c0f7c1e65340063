//! Names in bodies: `views+`, `+tags`, `tags-`, `code:autogenerate`. A modifier changes what a field
//! has instead of replacing it.

use mito_database::Value as Stored;
use serde_json::Value;

use crate::{
    Collection, Field,
    fields::{FieldKind, cast, convert},
};

/// What a name in a body asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modifier {
    /// The value itself.
    Set,
    /// Numbers are added, values appended.
    Append,
    /// Values are put before the others.
    Prepend,
    /// Numbers are subtracted, values removed.
    Remove,
    /// The value is what a generated text begins with.
    Generate,
}

/// The position of the field that a name means, and what it asks for. Names that mean nothing are
/// ignored, as everywhere in bodies.
pub(crate) fn resolve(collection: &Collection, name: &str) -> Option<(usize, Modifier)> {
    let position = |name: &str| {
        collection
            .fields
            .iter()
            .position(|field| field.name == name)
    };
    if let Some(at) = position(name) {
        return Some((at, Modifier::Set));
    }
    let (bare, modifier) = if let Some(bare) = name.strip_suffix(":autogenerate") {
        (bare, Modifier::Generate)
    } else if let Some(bare) = name.strip_suffix('+') {
        (bare, Modifier::Append)
    } else if let Some(bare) = name.strip_suffix('-') {
        (bare, Modifier::Remove)
    } else if let Some(bare) = name.strip_prefix('+') {
        (bare, Modifier::Prepend)
    } else {
        return None;
    };
    let at = position(bare)?;
    allows(&collection.fields[at], modifier).then_some((at, modifier))
}

fn allows(field: &Field, modifier: Modifier) -> bool {
    matches!(
        (field.kind_of(), modifier),
        (_, Modifier::Set)
            | (Some(FieldKind::Text), Modifier::Generate)
            | (Some(FieldKind::Number), Modifier::Append | Modifier::Remove)
            | (
                Some(FieldKind::Select | FieldKind::Relation | FieldKind::File),
                Modifier::Append | Modifier::Prepend | Modifier::Remove,
            )
    )
}

/// The column that `current` becomes. [`Modifier::Generate`] is for
/// [`generate`](super::generate).
pub(crate) fn apply(field: &Field, modifier: Modifier, current: &Stored, value: &Value) -> Stored {
    if modifier == Modifier::Set || modifier == Modifier::Generate {
        return convert::convert(field, value);
    }
    if field.kind_of() == Some(FieldKind::Number) {
        let before = match current {
            Stored::Real(real) => *real,
            _ => 0.0,
        };
        let given = cast::number(value);
        return Stored::Real(match modifier {
            Modifier::Remove => before - given,
            _ => before + given,
        });
    }
    let before = convert::values(field, current);
    let given = cast::list(value);
    convert::list(field, combine(modifier, before, given))
}

/// The values of before with the given ones added or taken away. An added value that was there
/// moves where it is added in front, and stays where it was otherwise.
pub(crate) fn combine(modifier: Modifier, before: Vec<String>, given: Vec<String>) -> Vec<String> {
    let (mut first, second) = match modifier {
        Modifier::Prepend => (given, before),
        Modifier::Remove => {
            let stays = |value: &String| !given.contains(value);
            return before.into_iter().filter(stays).collect();
        }
        Modifier::Set | Modifier::Generate => return given,
        Modifier::Append => (before, given),
    };
    for value in second {
        if !first.contains(&value) {
            first.push(value);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::show::show;

    fn check(definition: Value, before: Value, change: Value, expected: Value) {
        let mut definition = definition;
        definition["name"] = json!("f");
        let collection: Collection =
            serde_json::from_value(json!({"name": "c", "type": "base", "fields": [definition]}))
                .unwrap();
        let field = &collection.fields[0];
        let mut stored = convert::convert(field, &before);
        let (name, value) = change.as_object().unwrap().iter().next().unwrap();
        if let Some((_, modifier)) = resolve(&collection, name) {
            stored = apply(field, modifier, &stored, value);
        }
        assert_eq!(show(field, &stored), expected, "{before} {change}");
    }

    #[test]
    fn modifiers_change_what_is_there() {
        let number = json!({"type": "number"});
        let many = json!({"type": "select", "maxSelect": 3, "values": ["a", "b", "c"]});
        let one = json!({"type": "select", "maxSelect": 1, "values": ["a", "b"]});
        let text = json!({"type": "text"});
        for (field, before, change, expected) in [
            (&number, json!(10), json!({"f+": 5}), json!(15)),
            (&number, json!(10), json!({"f-": "5"}), json!(5)),
            (&number, json!(10), json!({"+f": 5}), json!(10)),
            (&number, json!(10), json!({"f+": [5]}), json!(10)),
            (
                &many,
                json!(["a", "b"]),
                json!({"f+": ["c", "a"]}),
                json!(["a", "b", "c"]),
            ),
            (
                &many,
                json!(["a", "b"]),
                json!({"+f": "b"}),
                json!(["b", "a"]),
            ),
            (&many, json!(["a", "b"]), json!({"f-": "a"}), json!(["b"])),
            (
                &many,
                json!(["a", "b"]),
                json!({"-f": "a"}),
                json!(["a", "b"]),
            ),
            (
                &many,
                json!(["a", "b"]),
                json!({"f++": "c"}),
                json!(["a", "b"]),
            ),
            (&one, json!("a"), json!({"f+": "b"}), json!("b")),
            (&one, json!("a"), json!({"+f": "b"}), json!("a")),
            (&one, json!(""), json!({"+f": "b"}), json!("b")),
            (&one, json!("a"), json!({"f-": "a"}), json!("")),
            (&text, json!("a"), json!({"f+": "b"}), json!("a")),
            (&text, json!("a"), json!({"f:isset": "b"}), json!("a")),
        ] {
            check(field.clone(), before, change, expected);
        }
    }
}
