//! The `CREATE INDEX` statements of a collection. They come from outside, so they are read into
//! their parts and written anew; the text itself never reaches the database.

use mito_database::Dialect;

use crate::{Collection, names};

/// The most columns of an index.
const MAX_COLUMNS: usize = 16;

/// A parsed index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) unique: bool,
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) columns: Vec<Column>,
    /// `column != ''`: only rows with a value are in the index.
    pub(crate) not_empty: Option<String>,
}

/// A column of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ignores_case: bool,
    pub(crate) descending: bool,
}

impl Index {
    /// Reads a statement as PocketBase writes it. The error says what is not understood.
    pub(crate) fn parse(statement: &str) -> Result<Self, String> {
        let mut words = Words {
            words: split(statement)?,
            next: 0,
        };
        words.expect("create")?;
        let unique = words.take_if("unique");
        words.expect("index")?;
        if words.take_if("if") {
            words.expect("not")?;
            words.expect("exists")?;
        }
        let name = words.name()?;
        words.expect("on")?;
        let table = words.name()?;
        words.expect("(")?;
        let mut columns = Vec::new();
        loop {
            columns.push(words.column()?);
            if columns.len() > MAX_COLUMNS {
                return Err(format!("an index has at most {MAX_COLUMNS} columns"));
            }
            if words.take_if(")") {
                break;
            }
            words.expect(",")?;
        }
        let not_empty = if words.take_if("where") {
            let column = words.name()?;
            words.expect("!=")?;
            words.expect("''")?;
            Some(column)
        } else {
            None
        };
        match words.peek() {
            None => Ok(Self {
                unique,
                name,
                table,
                columns,
                not_empty,
            }),
            Some(word) => Err(format!("{word:?} was not expected")),
        }
    }

    /// Whether the index is of this collection and all its columns exist.
    pub(crate) fn fits(&self, collection: &Collection) -> Result<(), String> {
        if self.table != collection.name {
            return Err(format!("the index is on {:?}", self.table));
        }
        if !names::is_index_name(&self.name) {
            return Err(format!("{:?} cannot be the name of an index", self.name));
        }
        let mut columns = self
            .columns
            .iter()
            .map(|column| &column.name)
            .chain(&self.not_empty);
        match columns.find(|column| collection.field(column).is_none()) {
            Some(column) => Err(format!("there is no field {column:?}")),
            None => Ok(()),
        }
    }

    /// The statement that creates it.
    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let quoted = names::quote(&column.name);
                let order = if column.descending { " DESC" } else { "" };
                match (column.ignores_case, dialect) {
                    (false, _) => format!("{quoted}{order}"),
                    (true, Dialect::Sqlite) => format!("{quoted} COLLATE NOCASE{order}"),
                    (true, Dialect::Postgres) => format!("lower({quoted}){order}"),
                }
            })
            .collect();
        let unique = if self.unique { "UNIQUE " } else { "" };
        let filter = self
            .not_empty
            .as_ref()
            .map(|column| format!(" WHERE {} != ''", names::quote(column)))
            .unwrap_or_default();
        format!(
            "CREATE {unique}INDEX {} ON {} ({}){filter}",
            names::quote(&self.name),
            names::quote(&self.table),
            columns.join(", "),
        )
    }
}

struct Words {
    words: Vec<String>,
    next: usize,
}

impl Words {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.next).map(String::as_str)
    }

    fn take_if(&mut self, word: &str) -> bool {
        let found = self
            .peek()
            .is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take_if(word) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(found) => format!("expected {word:?}, found {found:?}"),
            None => format!("expected {word:?}"),
        })
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.peek().ok_or("expected a name")?;
        let name = word.trim_matches(['`', '"', '[', ']']).to_owned();
        if !names::is_identifier(&name) {
            return Err(format!("{word:?} is not a name"));
        }
        self.next += 1;
        Ok(name)
    }

    fn column(&mut self) -> Result<Column, String> {
        let name = self.name()?;
        let mut ignores_case = false;
        if self.take_if("collate") {
            self.expect("nocase")?;
            ignores_case = true;
        }
        let descending = self.take_if("desc");
        if !descending {
            self.take_if("asc");
        }
        Ok(Column {
            name,
            ignores_case,
            descending,
        })
    }
}

/// Words, quoted names, `(`, `)`, `,`, `!=` and `''`.
fn split(statement: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = statement.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | ',' => 1,
            '!' if rest.starts_with("!=") => 2,
            '\'' if rest.starts_with("''") => 2,
            '`' | '"' | '[' => {
                let end = if first == '[' { ']' } else { first };
                rest[1..].find(end).ok_or("a quoted name does not end")? + 2
            }
            _ if first.is_ascii_alphanumeric() || first == '_' => rest
                .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
                .unwrap_or(rest.len()),
            _ => return Err(format!("{first:?} was not expected")),
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_and_written_anew() {
        let check = |statement: &str, expected: Result<&str, &str>| {
            let written = Index::parse(statement).map(|index| index.sql(Dialect::Sqlite));
            assert_eq!(
                written.as_deref().map_err(String::as_str),
                expected,
                "{statement}"
            );
        };
        check(
            "CREATE UNIQUE INDEX `idx_t` ON `things` (`title`)",
            Ok("CREATE UNIQUE INDEX \"idx_t\" ON \"things\" (\"title\")"),
        );
        check(
            "create index if not exists i on t (a collate nocase, b desc) where b != ''",
            Ok(
                "CREATE INDEX \"i\" ON \"t\" (\"a\" COLLATE NOCASE, \"b\" DESC) \
                WHERE \"b\" != ''",
            ),
        );
        check(
            "CREATE INDEX i ON t (a); DROP TABLE users",
            Err("';' was not expected"),
        );
        check(
            "CREATE INDEX i ON t (lower(a))",
            Err("expected \",\", found \"(\""),
        );
        check(
            "CREATE INDEX `i\"; DROP` ON t (a)",
            Err("\"`i\\\"; DROP`\" is not a name"),
        );
        check(
            "DROP TABLE users",
            Err("expected \"create\", found \"DROP\""),
        );
        check("CREATE INDEX `i", Err("a quoted name does not end"));
        check("", Err("expected \"create\""));
    }
}
