//! The fields, ids and indexes that a collection has without being asked: `id` for all; password,
//! token key and e-mail for those that can sign in.

use crc_fast::{CrcAlgorithm, checksum};
use serde_json::{Map, Value, json};

use crate::{Collection, Field};

/// The wanted definition with everything that is implied by it, on top of what exists. Fields that
/// exist and are not wanted any more stay, with their data.
pub(crate) fn complete(mut wanted: Collection, existing: Option<&Collection>) -> Collection {
    if let Some(existing) = existing {
        wanted.id.clone_from(&existing.id);
        wanted.system = existing.system;
        for (name, value) in &existing.options {
            wanted
                .options
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        for index in &existing.indexes {
            if !wanted.indexes.contains(index) {
                wanted.indexes.push(index.clone());
            }
        }
        for field in &existing.fields {
            if wanted.field(&field.name).is_none() {
                wanted.fields.push(field.clone());
            }
        }
    } else {
        wanted.system = false;
        if wanted.id.is_empty() {
            let seed = format!("{}{}", kind_name(&wanted), wanted.name);
            wanted.id = format!("pbc_{}", crc32(&seed));
        }
    }
    let mut fields = system_fields(&wanted);
    for field in wanted.fields {
        match fields.iter_mut().find(|implied| implied.name == field.name) {
            // Only limits of implied fields can be changed, not what they are.
            Some(implied) if implied.kind == field.kind => {
                let (kind, hidden) = (implied.kind.clone(), implied.options.get("hidden").cloned());
                *implied = Field {
                    kind,
                    required: implied.required || field.required,
                    ..field
                };
                implied
                    .options
                    .insert("system".to_owned(), Value::Bool(true));
                implied
                    .options
                    .insert("hidden".to_owned(), hidden.unwrap_or(Value::Bool(false)));
            }
            Some(_) => {}
            None => fields.push(field),
        }
    }
    for field in &mut fields {
        fill_options(field);
    }
    wanted.fields = fields;
    add_auth_parts(&mut wanted);
    wanted
}

fn kind_name(collection: &Collection) -> &'static str {
    if collection.is_auth() { "auth" } else { "base" }
}

/// The checksum that PocketBase makes ids of.
pub(crate) fn crc32(text: &str) -> u64 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, text.as_bytes())
}

fn system_fields(collection: &Collection) -> Vec<Field> {
    let mut fields = vec![implied(
        "id",
        "text",
        true,
        json!({
            "autogeneratePattern": "[a-z0-9]{15}", "min": 15, "max": 15,
            "pattern": "^[a-z0-9]+$", "primaryKey": true,
        }),
    )];
    if collection.is_auth() {
        let token_key =
            json!({"autogeneratePattern": "[a-zA-Z0-9]{50}", "min": 30, "max": 60, "hidden": true});
        fields.extend([
            implied(
                "password",
                "password",
                true,
                json!({"min": 8, "max": 0, "hidden": true}),
            ),
            implied("tokenKey", "text", true, token_key),
            implied("email", "email", true, json!({})),
            implied("emailVisibility", "bool", false, json!({})),
            implied("verified", "bool", false, json!({})),
        ]);
    }
    fields
}

fn implied(name: &str, kind: &str, required: bool, options: Value) -> Field {
    let mut options = match options {
        Value::Object(options) => options,
        _ => Map::new(),
    };
    options.insert("system".to_owned(), Value::Bool(true));
    Field {
        id: String::new(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        required,
        options,
    }
}

/// Writes out the options that PocketBase's clients expect to find.
fn fill_options(field: &mut Field) {
    if field.id.is_empty() {
        field.id = format!("{}{}", field.kind, crc32(&field.name));
    }
    let defaults = match field.kind.as_str() {
        "text" => {
            json!({"autogeneratePattern": "", "max": 0, "min": 0, "pattern": "", "primaryKey": false})
        }
        "editor" => json!({"convertURLs": false, "maxSize": 0}),
        "number" => json!({"max": null, "min": null, "onlyInt": false}),
        "email" | "url" => json!({"exceptDomains": [], "onlyDomains": []}),
        "date" => json!({"max": "", "min": ""}),
        "autodate" => json!({"onCreate": true, "onUpdate": false}),
        "select" => json!({"maxSelect": 1, "values": []}),
        "relation" => json!({"cascadeDelete": false, "maxSelect": 1, "minSelect": 0}),
        "json" => json!({"maxSize": 0}),
        _ => json!({}),
    };
    let common = json!({"hidden": false, "presentable": false, "system": false});
    for options in [common, defaults] {
        for (name, value) in options.as_object().into_iter().flatten() {
            field
                .options
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
    }
}

fn add_auth_parts(collection: &mut Collection) {
    if !collection.is_auth() {
        return;
    }
    let defaults = json!({
        "authRule": "", "manageRule": null,
        "passwordAuth": {"enabled": true, "identityFields": ["email"]},
    });
    for (name, value) in defaults.as_object().into_iter().flatten() {
        collection
            .options
            .entry(name.clone())
            .or_insert_with(|| value.clone());
    }
    let (name, id) = (&collection.name, &collection.id);
    for index in [
        format!("CREATE UNIQUE INDEX `idx_tokenKey_{id}` ON `{name}` (`tokenKey`)"),
        format!("CREATE UNIQUE INDEX `idx_email_{id}` ON `{name}` (`email`) WHERE `email` != ''"),
    ] {
        if !collection.indexes.contains(&index) {
            collection.indexes.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_pocketbase_gives() {
        let things: Collection =
            serde_json::from_value(json!({"name": "things", "type": "base", "fields": [
                {"name": "title", "type": "text"}
            ]}))
            .unwrap();
        let things = complete(things, None);
        assert_eq!(things.id, "pbc_1492593907");
        let ids: Vec<&str> = things
            .fields
            .iter()
            .map(|field| field.id.as_str())
            .collect();
        assert_eq!(ids, ["text3208210256", "text724990059"]);
    }

    #[test]
    fn what_is_not_wanted_any_more_stays() {
        let parse = |fields: Value| -> Collection {
            serde_json::from_value(json!({"name": "c", "type": "base", "fields": fields})).unwrap()
        };
        let old = complete(parse(json!([{"name": "a", "type": "text"}])), None);
        let new = complete(parse(json!([{"name": "b", "type": "text"}])), Some(&old));
        let names: Vec<&str> = new.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["id", "b", "a"]);
        assert_eq!(new.id, old.id);
    }
}
