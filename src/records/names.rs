//! Names of collections, fields and indexes: which are allowed, and how they are written in SQL.
//! Nothing reaches a statement as an identifier without having passed through here.

/// The longest name of a collection, in characters.
pub(crate) const MAX_COLLECTION_NAME: usize = 255;
/// The longest name of a field, in characters.
pub(crate) const MAX_FIELD_NAME: usize = 100;
/// Where PostgreSQL cuts names, in bytes.
pub(crate) const MAX_POSTGRES_NAME: usize = 63;

/// Names of fields that the API gives a meaning of its own.
pub(crate) const RESERVED_FIELDS: &[&str] = &[
    "collectionId",
    "collectionName",
    "expand",
    "null",
    "true",
    "false",
    "_rowid_",
];

/// Whether `name` is a plain identifier: letters, digits and underscores, all ASCII.
pub(crate) fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether an index may be called `name`.
pub(crate) fn is_index_name(name: &str) -> bool {
    is_identifier(name) && name.len() <= MAX_POSTGRES_NAME && !is_of_an_engine(name)
}

/// Names that the platform and the engines keep for themselves.
pub(crate) fn is_of_an_engine(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    ["_mito_", "sqlite_", "pg_"]
        .iter()
        .any(|prefix| folded.starts_with(prefix))
}

/// The name as a quoted SQL identifier. Only names that passed [`is_identifier`] get here; the
/// doubling of quotes is the second lock on the door.
pub(crate) fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for character in name.chars() {
        if character == '"' {
            quoted.push('"');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_identifier(name), expected, "{name:?}");
        };
        check("contents", true);
        check("2fast", true);
        check("_x", true);
        check("", false);
        check("a b", false);
        check("a-b", false);
        check("a\u{0}", false);
        check("a\"; DROP TABLE users; --", false);
        check("ünïcode", false);
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
        check(&"a".repeat(64), false);
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
