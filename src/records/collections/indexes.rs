//! The `CREATE INDEX` statements of a collection. They come from outside, so they are read into
//! their parts and written anew; the text itself never reaches the database.

use mito_database::Dialect;

use crate::{
    Collection,
    collections::words::{self, Word},
    names,
};

/// The most columns of an index.
const MAX_COLUMNS: usize = 16;

/// Keywords of the expressions that an index may hold.
const KEYWORDS: &[&str] = &[
    "and", "as", "between", "case", "cast", "collate", "else", "end", "escape", "false", "glob",
    "in", "integer", "is", "like", "nocase", "not", "notnull", "null", "numeric", "or", "real",
    "text", "then", "true", "when",
];

/// A parsed index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) unique: bool,
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) columns: Vec<Column>,
    /// Only rows that fulfil it are in the index.
    pub(crate) condition: Vec<Word>,
}

/// A column of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The column; empty where an expression stands instead.
    pub(crate) name: String,
    /// The expression; empty where a column is named.
    pub(crate) expression: Vec<Word>,
    pub(crate) ignores_case: bool,
    pub(crate) descending: bool,
}

impl Index {
    /// Reads a statement as SQLite and PocketBase write it. The error says what is not understood.
    pub(crate) fn parse(statement: &str) -> Result<Self, String> {
        let all = words::split(statement)?;
        let mut reader = Reader { rest: &all };
        reader.expect("create")?;
        let unique = reader.take_if("unique");
        reader.expect("index")?;
        if reader.take_if("if") {
            reader.expect("not")?;
            reader.expect("exists")?;
        }
        let name = reader.name()?;
        reader.expect("on")?;
        let table = reader.table()?;
        let columns = columns(reader.parentheses()?)?;
        let condition = if reader.take_if("where") {
            std::mem::take(&mut reader.rest).to_vec()
        } else {
            Vec::new()
        };
        match reader.rest.first() {
            None => Ok(Self {
                unique,
                name,
                table,
                columns,
                condition,
            }),
            Some(word) => Err(format!("{word:?} was not expected")),
        }
    }

    /// Whether all that the index speaks of exists in the collection. The error says what does not.
    pub(crate) fn fits(&self, collection: &Collection) -> Result<(), String> {
        let exists = |name: &str| {
            let same = |field: &crate::Field| field.name.eq_ignore_ascii_case(name);
            if collection.fields.iter().any(same) {
                Ok(())
            } else {
                Err(format!("no such column: {name}"))
            }
        };
        for column in &self.columns {
            if !column.name.is_empty() {
                exists(&column.name)?;
            }
        }
        let expressions = self.columns.iter().map(|column| &column.expression);
        for expression in expressions.chain([&self.condition]) {
            words::harmless(expression, Dialect::Sqlite)?;
            if expression.iter().any(|word| word.is("select")) {
                return Err("subqueries prohibited in index expressions".to_owned());
            }
            for (position, word) in expression.iter().enumerate() {
                let called = expression
                    .get(position + 1)
                    .is_some_and(|next| next.is_sign("("));
                match word {
                    Word::Plain(name) if !called && !word.is_any(KEYWORDS) => exists(name)?,
                    Word::Quoted(name) => exists(name)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Whether rows are in the index when they have a value: `column != ''`.
    pub(crate) fn leaves_out_empty(&self) -> bool {
        let column = self.columns.first().map(|column| column.name.as_str());
        matches!(
            self.condition.as_slice(),
            [name, sign, Word::Text(empty)]
                if sign.is_sign("!=") && empty.is_empty() && name.name() == column
        )
    }

    /// The statement that creates it.
    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.sql(dialect))
            .collect();
        let unique = if self.unique { "UNIQUE " } else { "" };
        let condition = if self.condition.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", words::write(&quoted(&self.condition)))
        };
        format!(
            "CREATE {unique}INDEX {} ON {} ({}){condition}",
            names::quote(&self.name),
            names::quote(&self.table),
            columns.join(", "),
        )
    }

    /// The statement as PocketBase writes it.
    pub(crate) fn shown(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(Column::shown).collect();
        let columns = match columns.as_slice() {
            [single] => single.clone(),
            several => format!("\n  {}\n", several.join(",\n  ")),
        };
        let unique = if self.unique { "UNIQUE " } else { "" };
        let condition = if self.condition.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", words::write(&self.condition).replace('"', "`"))
        };
        format!(
            "CREATE {unique}INDEX `{}` ON `{}` ({columns}){condition}",
            self.name, self.table
        )
    }

    /// The same index after columns were given other names.
    pub(crate) fn with_columns_renamed(&self, renamed: impl Fn(&str) -> Option<String>) -> Self {
        let mut index = self.clone();
        let rename = |words: &mut Vec<Word>| {
            for word in words {
                if let Word::Plain(name) | Word::Quoted(name) = word
                    && let Some(new) = renamed(name)
                {
                    *word = Word::Quoted(new);
                }
            }
        };
        for column in &mut index.columns {
            if let Some(new) = renamed(&column.name) {
                column.name = new;
            }
            rename(&mut column.expression);
        }
        rename(&mut index.condition);
        index
    }
}

impl Column {
    fn sql(&self, dialect: Dialect) -> String {
        let order = if self.descending { " DESC" } else { "" };
        if !self.expression.is_empty() {
            return format!("({}){order}", words::write(&quoted(&self.expression)));
        }
        let column = names::quote(&self.name);
        match (self.ignores_case, dialect) {
            (false, _) => format!("{column}{order}"),
            (true, Dialect::Sqlite) => format!("{column} COLLATE NOCASE{order}"),
            (true, Dialect::Postgres) => format!("lower({column}){order}"),
        }
    }

    fn shown(&self) -> String {
        let column = if self.expression.is_empty() {
            format!("`{}`", self.name)
        } else {
            words::write(&self.expression).replace('"', "`")
        };
        let collation = if self.ignores_case {
            " COLLATE NOCASE"
        } else {
            ""
        };
        let order = if self.descending { " DESC" } else { "" };
        format!("{column}{collation}{order}")
    }
}

/// Names in quotes, so that PostgreSQL does not fold them; keywords and functions stay as they are.
fn quoted(expression: &[Word]) -> Vec<Word> {
    let mut quoted = Vec::with_capacity(expression.len());
    for (position, word) in expression.iter().enumerate() {
        let called = expression
            .get(position + 1)
            .is_some_and(|next| next.is_sign("("));
        quoted.push(match word {
            Word::Plain(name) if !called && !word.is_any(KEYWORDS) => Word::Quoted(name.clone()),
            other => other.clone(),
        });
    }
    quoted
}

struct Reader<'a> {
    rest: &'a [Word],
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take_if(&mut self, keyword: &str) -> bool {
        let found = self.rest.first().is_some_and(|word| word.is(keyword));
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), String> {
        if self.take_if(keyword) {
            return Ok(());
        }
        Err(format!("expected {keyword:?}"))
    }

    /// A name, with or without the name of the schema before it.
    fn name(&mut self) -> Result<String, String> {
        let mut word = self.next().ok_or("expected a name")?;
        if word.is("main") && self.rest.first().is_some_and(|next| next.is_sign(".")) {
            self.next();
            word = self.next().ok_or("expected a name")?;
        }
        let name = word.name().filter(|name| names::is_identifier(name));
        let name = name.ok_or_else(|| format!("{word:?} is not a name"))?;
        Ok(name.to_owned())
    }

    /// The table. Scaffolds leave it empty, as their collection has no name yet.
    fn table(&mut self) -> Result<String, String> {
        match self.rest.first() {
            Some(Word::Quoted(name)) if name.is_empty() => {
                self.next();
                Ok(String::new())
            }
            _ => self.name(),
        }
    }

    fn parentheses(&mut self) -> Result<&'a [Word], String> {
        if !self.rest.first().is_some_and(|word| word.is_sign("(")) {
            return Err("expected \"(\"".to_owned());
        }
        let end = words::closing(self.rest, 0).ok_or("a parenthesis is not closed")?;
        let inner = &self.rest[1..end];
        self.rest = &self.rest[end + 1..];
        Ok(inner)
    }
}

fn columns(all: &[Word]) -> Result<Vec<Column>, String> {
    let columns: Vec<Column> = words::list(all)
        .into_iter()
        .map(column)
        .collect::<Result<_, _>>()?;
    if columns.len() > MAX_COLUMNS {
        return Err(format!("an index has at most {MAX_COLUMNS} columns"));
    }
    Ok(columns)
}

fn column(mut column: &[Word]) -> Result<Column, String> {
    let mut descending = false;
    if let [rest @ .., last] = column
        && last.is_any(&["asc", "desc"])
    {
        descending = last.is("desc");
        column = rest;
    }
    let mut ignores_case = false;
    if let [rest @ .., collate, name] = column
        && collate.is("collate")
    {
        ignores_case = match name.name() {
            Some(name) if name.eq_ignore_ascii_case("nocase") => true,
            Some(name) if name.eq_ignore_ascii_case("binary") => false,
            _ => return Err(format!("the collation {name:?} is not known")),
        };
        column = rest;
    }
    match column {
        [] => Err("a column is missing".to_owned()),
        [name] if name.name().is_some_and(names::is_identifier) => Ok(Column {
            name: name.name().unwrap_or_default().to_owned(),
            expression: Vec::new(),
            ignores_case,
            descending,
        }),
        _ if ignores_case => Err("only columns have a collation".to_owned()),
        expression => Ok(Column {
            name: String::new(),
            expression: expression.to_vec(),
            ignores_case,
            descending,
        }),
    }
}

#[cfg(test)]
mod tests;
