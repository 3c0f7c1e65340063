//! A statement under construction: text with `$n` in it, and the values that they stand for.

use mito_database::{Dialect, Error, Row, ToValue, Tx, Value};

/// SQL text whose values are parameters. Values can only be added by [`Sql::bind`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Value>,
}

impl Sql {
    /// A statement that begins with `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            parameters: Vec::new(),
        }
    }

    /// Appends text of the program's own: keywords and quoted identifiers.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter with this value.
    pub(crate) fn bind(&mut self, value: Value) -> &mut Self {
        self.parameters.push(value);
        self.text.push('$');
        self.text.push_str(&self.parameters.len().to_string());
        self
    }

    /// Adds a parameter with this value without saying where; returns how it is written.
    pub(crate) fn parameter(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("${}", self.parameters.len())
    }

    /// All rows of the statement.
    pub(crate) fn query(&self, tx: &mut Tx<'_>) -> Result<Vec<Row>, Error> {
        tx.query(&self.text, &self.bound())
    }

    /// The first row of the statement.
    pub(crate) fn query_one(&self, tx: &mut Tx<'_>) -> Result<Option<Row>, Error> {
        tx.query_one(&self.text, &self.bound())
    }

    /// Runs the statement.
    pub(crate) fn execute(&self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        tx.execute(&self.text, &self.bound())
    }

    fn bound(&self) -> Vec<&dyn ToValue> {
        self.parameters
            .iter()
            .map(|value| value as &dyn ToValue)
            .collect()
    }
}

/// The texts of a column that holds lists, as a table called `name` with the column `value`.
pub(crate) fn elements(dialect: Dialect, column: &str, name: &str) -> String {
    let list = format!("CASE {column} WHEN '' THEN '[]' ELSE {column} END");
    match dialect {
        Dialect::Sqlite => format!("json_each({list}) {name}"),
        Dialect::Postgres => format!("jsonb_array_elements_text(({list})::jsonb) {name}(value)"),
    }
}
