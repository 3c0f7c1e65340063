//! Names of collections, fields and indexes: which are allowed, and how they are written in SQL.
//! Nothing reaches a statement as an identifier without having passed through here.

/// The longest name of a collection, in characters.
pub(crate) const MAX_COLLECTION_NAME: usize = 60;
/// The longest name of a field, in characters. PostgreSQL cuts identifiers at 63 bytes.
pub(crate) const MAX_FIELD_NAME: usize = 60;

/// Names of fields that the API gives a meaning of its own.
const RESERVED_FIELDS: &[&str] = &[
    "collectionid",
    "collectionname",
    "expand",
    "null",
    "true",
    "false",
    "passwordconfirm",
    "oldpassword",
    "_rowid_",
    "rowid",
    "oid",
];

/// Whether `name` is a plain identifier: a letter or underscore, then letters, digits and
/// underscores, all ASCII.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
}

/// Whether a collection may be called `name`. `system` collections may begin with an underscore.
pub(crate) fn is_collection_name(name: &str, system: bool) -> bool {
    let folded = name.to_ascii_lowercase();
    is_identifier(name)
        && name.len() <= MAX_COLLECTION_NAME
        && (system || !name.starts_with('_'))
        && !is_of_an_engine(&folded)
        && !folded.contains("_via_")
}

/// Whether a field may be called `name`.
pub(crate) fn is_field_name(name: &str) -> bool {
    is_identifier(name)
        && name.len() <= MAX_FIELD_NAME
        && !name.starts_with("__")
        && !name.contains("_via_")
        && !RESERVED_FIELDS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether an index may be called `name`.
pub(crate) fn is_index_name(name: &str) -> bool {
    is_identifier(name)
        && name.len() <= MAX_FIELD_NAME
        && !is_of_an_engine(&name.to_ascii_lowercase())
}

/// Names that the platform and the engines keep for themselves.
fn is_of_an_engine(folded: &str) -> bool {
    ["_mito_", "sqlite_", "pg_"]
        .iter()
        .any(|prefix| folded.starts_with(prefix))
}

/// The name as a quoted SQL identifier. Only names that passed [`is_identifier`] get here; the
/// doubling of quotes is the second lock on the door.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collection_names() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_collection_name(name, false), expected, "{name:?}");
        };
        check("contents", true);
        check("jobs2", true);
        check("camelCase", true);
        check("", false);
        check("2fast", false);
        check("_private", false);
        check("_mito_queue_jobs", false);
        check("sqlite_master", false);
        check("pg_class", false);
        check("a b", false);
        check("a\"; DROP TABLE users; --", false);
        check("ünïcode", false);
        check(&"a".repeat(61), false);
        assert!(is_collection_name("_superusers", true));
        assert!(!is_collection_name("_mito_records_sessions", true));
    }

    #[test]
    fn field_names() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_field_name(name), expected, "{name:?}");
        };
        check("title", true);
        check("source_key", true);
        check("expand", false);
        check("ROWID", false);
        check("collectionId", false);
        check("a-b", false);
        check("a\u{0}", false);
    }

    #[test]
    fn index_names() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_index_name(name), expected, "{name:?}");
        };
        check("idx_title", true);
        check("_mito_records_created_0", false);
        check("SQLite_autoindex_t_1", false);
        check("a-b", false);
        check(&"a".repeat(61), false);
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
