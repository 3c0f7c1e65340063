//! The language over a table that is no collection: columns of the program's own, and what is inside
//! a JSON column. Nothing else can be named.

use std::sync::Arc;

use jiff::Timestamp;
use mito_database::Dialect;
use serde_json::{Map, Value as Json};

use crate::{
    Collection, CollectionKind, Error, Field, RequestInfo,
    filter::{
        Problem,
        ast::{Expression, Operand},
        cache::Parsed,
        emit, parser,
        plan::Definition,
        resolve::{self, Author, Schema, Scope},
    },
    sql::Sql,
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Text,
    Number,
    /// Paths lead into it: `data.status`.
    Json,
}

/// A table and the columns that filters may name.
#[derive(Clone, Debug)]
pub(crate) struct FixedTable {
    collection: Collection,
}

impl FixedTable {
    /// The table of that name with these columns.
    pub(crate) fn new(table: &str, columns: &[(&str, Column)]) -> Self {
        let field = |(name, column): &(&str, Column)| Field {
            id: String::new(),
            name: (*name).to_owned(),
            kind: match column {
                Column::Text => "text",
                Column::Number => "number",
                Column::Json => "json",
            }
            .to_owned(),
            required: false,
            options: Map::new(),
        };
        let collection = serde_json::from_value::<Collection>(serde_json::json!({
            "id": table, "name": table, "type": "base", "fields": Json::Array(Vec::new()),
        }));
        let mut collection = collection.expect("a definition without fields");
        // Columns of such tables may hold nothing, as those of views.
        collection.kind = CollectionKind::View;
        collection.fields = columns.iter().map(field).collect();
        Self { collection }
    }

    /// Appends the condition of a filter; the error is a reason in words.
    pub(crate) fn compile(
        &self,
        sql: &mut Sql,
        text: &str,
        now: Timestamp,
        dialect: Dialect,
    ) -> Result<(), String> {
        let info = RequestInfo::default();
        let scope = Scope { info: &info, now };
        let expression = parser::parse(text)?;
        if let Some(name) = requested(&expression) {
            return Err(format!("failed to resolve field {name:?}"));
        }
        let expressions = [(&expression, Author::Trusted)];
        let definition = Definition::Borrowed(&self.collection);
        let parsed = Parsed::default();
        let plan =
            resolve::resolve_expressions(&expressions, definition, &scope, &parsed, &mut Nothing);
        match plan {
            Ok(plan) => {
                emit::condition(sql, &plan, &self.collection.name, dialect);
                Ok(())
            }
            Err(Problem::Invalid(reason)) => Err(reason),
            Err(Problem::Failed(error)) => Err(error.to_string()),
        }
    }

    /// The SQL of a name to sort by, in turn; the error is a reason in words.
    pub(crate) fn sortable(
        &self,
        sql: &mut Sql,
        name: &str,
        descending: bool,
        dialect: Dialect,
    ) -> Result<Vec<String>, String> {
        let info = RequestInfo::default();
        let scope = Scope {
            info: &info,
            now: Timestamp::UNIX_EPOCH,
        };
        let definition = Definition::Borrowed(&self.collection);
        let found = resolve::resolve_names(
            &[name],
            Author::Trusted,
            definition,
            &scope,
            &Parsed::default(),
            &mut Nothing,
        );
        match found {
            Ok((plan, operands)) => {
                let table = &self.collection.name;
                let operand = &operands[0];
                let order = emit::sortable(sql, &plan, operand, table, dialect, descending);
                Ok(order)
            }
            Err(Problem::Invalid(reason)) => Err(reason),
            Err(Problem::Failed(error)) => Err(error.to_string()),
        }
    }
}

/// A name that speaks of a request, which such filters know nothing of.
fn requested(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => parts.iter().find_map(requested),
        Expression::Compare(comparison) => [&comparison.left, &comparison.right]
            .into_iter()
            .find_map(|operand| match operand {
                Operand::Name(name) if name.starts_with("@request.") => Some(name.as_str()),
                _ => None,
            }),
    }
}

/// There are no other tables.
struct Nothing;

impl Schema for Nothing {
    fn find(&mut self, _: &str) -> Result<Option<Arc<Collection>>, Error> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<String, String> {
        let columns = [
            ("id", Column::Text),
            ("level", Column::Number),
            ("data", Column::Json),
        ];
        let table = FixedTable::new("_logs", &columns);
        let mut sql = Sql::default();
        table.compile(&mut sql, text, Timestamp::UNIX_EPOCH, Dialect::Sqlite)?;
        Ok(sql.text)
    }

    #[test]
    fn columns_and_what_is_inside_them() {
        assert_eq!(
            compiled("level > 0 && id ~ 'x'").as_deref(),
            Ok("(\"_logs\".\"level\" > $1 AND \"_logs\".\"id\" LIKE $2 ESCAPE '\\')")
        );
        assert!(compiled("data.status >= 400").is_ok_and(|sql| sql.contains("json_extract")));
    }

    #[test]
    fn nothing_else_can_be_named() {
        for text in [
            "other = 1",
            "@collection.users.id = ''",
            "users_via_id.id = ''",
            "id.x = 1",
            "@request.auth.id = ''",
        ] {
            assert!(compiled(text).is_err(), "{text}");
        }
    }
}
