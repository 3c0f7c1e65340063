//! The fields, ids and indexes that a collection has without being asked: `id` for all; password,
//! token key and e-mail for those that can sign in.

use crc_fast::{CrcAlgorithm, checksum};
use serde_json::{Map, Value, json};

use crate::{
    Collection, CollectionKind, Field,
    collections::{indexes::Index, options, read, store},
};

/// The pattern of ids where the collection sets none.
pub(crate) const ID_PATTERN: &str = "^[a-z0-9]+$";

/// Adds what the definition implies.
pub(crate) fn imply(collection: &mut Collection) {
    if collection.id.is_empty() {
        let seed = format!("{}{}", store::kind_name(collection.kind), collection.name);
        collection.id = format!("pbc_{}", crc32(&seed));
    }
    if collection.kind == CollectionKind::View {
        return;
    }
    complete_id(collection);
    if collection.is_auth() {
        complete_auth_fields(collection);
        let id = collection.id.clone();
        complete_auth_indexes(collection, &id);
    }
}

/// The checksum that PocketBase makes ids of.
pub(crate) fn crc32(text: &str) -> u64 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, text.as_bytes())
}

/// The field `id` of a view: its ids come from somewhere else.
pub(crate) fn view_id() -> Field {
    implied(
        "id",
        "text",
        true,
        json!({"pattern": ID_PATTERN, "primaryKey": true}),
    )
}

fn complete_id(collection: &mut Collection) {
    let is_id = |field: &&mut Field| field.name == "id" && field.kind == "text";
    if let Some(field) = collection.fields.iter_mut().find(is_id) {
        field.required = true;
        for (option, value) in [("system", true), ("primaryKey", true), ("hidden", false)] {
            field.options.insert(option.to_owned(), Value::Bool(value));
        }
        if field.text_option("pattern").is_empty() {
            let pattern = Value::String(ID_PATTERN.to_owned());
            field.options.insert("pattern".to_owned(), pattern);
        }
        return;
    }
    let options = json!({
        "autogeneratePattern": "[a-z0-9]{15}", "min": 15, "max": 15,
        "pattern": ID_PATTERN, "primaryKey": true,
    });
    let id = implied("id", "text", true, options);
    // Not beside a field that has taken its id: that is an error to tell.
    if collection.field_by_id(&id.id).is_none() {
        collection.fields.insert(0, id);
    }
}

fn complete_auth_fields(collection: &mut Collection) {
    let token_key =
        json!({"autogeneratePattern": "[a-zA-Z0-9]{50}", "min": 30, "max": 60, "hidden": true});
    for wanted in [
        implied(
            "password",
            "password",
            true,
            json!({"min": 8, "hidden": true}),
        ),
        implied("tokenKey", "text", true, token_key),
        implied("email", "email", true, json!({})),
        implied("emailVisibility", "bool", false, json!({})),
        implied("verified", "bool", false, json!({})),
    ] {
        let same = |field: &&mut Field| field.name == wanted.name && field.kind == wanted.kind;
        let Some(field) = collection.fields.iter_mut().find(same) else {
            let wanted = Field {
                id: String::new(),
                ..wanted
            };
            read::put(&mut collection.fields, wanted);
            continue;
        };
        let mut set = |option: &str, value: bool| {
            field.options.insert(option.to_owned(), Value::Bool(value));
        };
        set("system", true);
        match wanted.name.as_str() {
            "password" | "tokenKey" => {
                set("hidden", true);
                field.required = true;
            }
            // Who sees an address is for its owner to say.
            "email" => set("hidden", false),
            _ => {}
        }
    }
}

/// Two accounts never share a token key or an address.
pub(crate) fn complete_auth_indexes(collection: &mut Collection, suffix: &str) {
    for (column, condition) in [("tokenKey", ""), ("email", " WHERE `email` != ''")] {
        let has = collection.indexes.iter().any(|statement| {
            Index::parse(statement).is_ok_and(|index| {
                index.unique
                    && matches!(index.columns.as_slice(), [only] if only.name.eq_ignore_ascii_case(column))
            })
        });
        if !has {
            collection.indexes.push(format!(
                "CREATE UNIQUE INDEX `idx_{column}_{suffix}` ON `{}` (`{column}`){condition}",
                collection.name
            ));
        }
    }
}

fn implied(name: &str, kind: &str, required: bool, options: Value) -> Field {
    let mut options = match options {
        Value::Object(options) => options,
        _ => Map::new(),
    };
    options.insert("system".to_owned(), Value::Bool(true));
    let mut field = Field {
        id: format!("{kind}{}", crc32(name)),
        name: name.to_owned(),
        kind: kind.to_owned(),
        required,
        options,
    };
    options::fill(&mut field);
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_pocketbase_gives() {
        let given = json!({"name": "things", "fields": [{"name": "title", "type": "text"}]});
        let mut things = read::create(given.as_object().unwrap()).unwrap();
        imply(&mut things);
        assert_eq!(things.id, "pbc_1492593907");
        let ids: Vec<&str> = things
            .fields
            .iter()
            .map(|field| field.id.as_str())
            .collect();
        assert_eq!(ids, ["text3208210256", "text724990059"]);
    }

    #[test]
    fn accounts_have_what_they_need_to_sign_in() {
        let given = json!({"name": "a", "type": "auth", "fields": [
            {"name": "email", "type": "text"},
            {"name": "password", "type": "password", "min": 3, "required": false},
        ]});
        let mut accounts = read::create(given.as_object().unwrap()).unwrap();
        imply(&mut accounts);
        let described: Vec<String> = accounts
            .fields
            .iter()
            .map(|field| format!("{}:{}:{}", field.name, field.id, field.required))
            .collect();
        assert_eq!(
            described,
            [
                "id:text3208210256:true",
                "email:text3885137012:true",
                "password:password901924565:true",
                "tokenKey:text2504183744:true",
                "emailVisibility:bool1547992806:false",
                "verified:bool256245529:false",
            ]
        );
        assert_eq!(accounts.fields[1].kind, "email");
        assert_eq!(accounts.indexes.len(), 2);
    }
}
