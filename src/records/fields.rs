//! Fields: their types, how their values are stored, and how a value from outside becomes one.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cast`] | JSON as texts, numbers, flags and lists, by PocketBase's rules |
//! | [`convert`](mod@convert) | JSON in: what it makes in a column |
//! | [`check`](mod@check) | what a column may be, with PocketBase's error codes |
//! | [`modifiers`] | `views+`, `+tags`, `tags-`, `code:autogenerate` |
//! | [`generate`](mod@generate) | texts made up for a pattern |
//! | [`accept`] | converted and checked in one step |
//! | [`show`] | columns out: back to JSON |
//! | [`dates`] | `YYYY-MM-DD HH:MM:SS.mmmZ` |
//! | [`patterns`] | regular expressions of text fields |

pub(crate) mod accept;
pub(crate) mod cast;
pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod dates;
pub(crate) mod generate;
pub(crate) mod modifiers;
pub(crate) mod patterns;
pub(crate) mod show;

use mito_database::Dialect;
use serde_json::Value;

use crate::Field;

/// The types of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    Editor,
    Number,
    Bool,
    Email,
    Url,
    Date,
    Autodate,
    Select,
    File,
    Relation,
    Json,
    GeoPoint,
    Password,
}

/// How a column holds its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Text, empty by default.
    Text,
    /// A 64-bit float.
    Number,
    /// 0 or 1.
    Bool,
    /// The text of a JSON array of strings.
    List,
    /// The text of any JSON, or null.
    Json,
}

impl Storage {
    /// What `CAST` makes a parameter of the column's kind with.
    pub(crate) fn column_type(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Text | Self::List | Self::Json, _) => "TEXT",
            (Self::Number, Dialect::Sqlite) => "REAL",
            (Self::Number, Dialect::Postgres) => "DOUBLE PRECISION",
            (Self::Bool, Dialect::Sqlite) => "INTEGER",
            (Self::Bool, Dialect::Postgres) => "BIGINT",
        }
    }
}

impl Field {
    pub(crate) fn kind_of(&self) -> Option<FieldKind> {
        Some(match self.kind.as_str() {
            "text" => FieldKind::Text,
            "editor" => FieldKind::Editor,
            "number" => FieldKind::Number,
            "bool" => FieldKind::Bool,
            "email" => FieldKind::Email,
            "url" => FieldKind::Url,
            "date" => FieldKind::Date,
            "autodate" => FieldKind::Autodate,
            "select" => FieldKind::Select,
            "file" => FieldKind::File,
            "relation" => FieldKind::Relation,
            "json" => FieldKind::Json,
            "geoPoint" => FieldKind::GeoPoint,
            "password" => FieldKind::Password,
            _ => return None,
        })
    }

    pub(crate) fn storage(&self) -> Storage {
        match self.kind_of() {
            Some(FieldKind::Number) => Storage::Number,
            Some(FieldKind::Bool) => Storage::Bool,
            Some(FieldKind::Json | FieldKind::GeoPoint) => Storage::Json,
            Some(FieldKind::Select | FieldKind::File | FieldKind::Relation)
                if self.max_select() > 1 =>
            {
                Storage::List
            }
            _ => Storage::Text,
        }
    }

    /// Left out of what anybody but an administrator sees and may filter by.
    pub(crate) fn is_hidden(&self) -> bool {
        self.flag("hidden")
    }

    /// Never shown to anybody and never part of a filter or rule.
    pub(crate) fn is_secret(&self) -> bool {
        self.kind_of() == Some(FieldKind::Password)
            || (self.name == "tokenKey" && self.flag("system"))
    }

    pub(crate) fn max_select(&self) -> u64 {
        self.options
            .get("maxSelect")
            .and_then(Value::as_u64)
            .unwrap_or(1)
    }

    pub(crate) fn flag(&self, option: &str) -> bool {
        self.options
            .get(option)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    pub(crate) fn text_option(&self, option: &str) -> &str {
        self.options
            .get(option)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn number_option(&self, option: &str) -> Option<f64> {
        self.options.get(option).and_then(Value::as_f64)
    }

    /// A limit; `None` when it is left out or zero.
    pub(crate) fn limit_option(&self, option: &str) -> Option<usize> {
        let limit = self
            .options
            .get(option)
            .and_then(Value::as_u64)
            .filter(|limit| *limit > 0)?;
        Some(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    pub(crate) fn list_option(&self, option: &str) -> impl Iterator<Item = &str> {
        let list = self.options.get(option).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }
}
