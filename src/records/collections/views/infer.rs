//! Which fields the columns of a query are, as PocketBase sees it: a column of a collection is its
//! field, counts and casts are what they say, and everything else is JSON.

use mito_core::Random;
use serde_json::{Value, json};

use crate::{
    Collection, Field,
    collections::{
        options,
        system::{self, crc32},
        words::{self, Word},
    },
};

/// Characters that the id of a field of a view ends with.
const CLONE_LENGTH: usize = 4;
/// Keywords that end the list of tables.
const AFTER_TABLES: &[&str] = &[
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "window",
    "union",
    "intersect",
    "except",
    "fetch",
];
/// Keywords of joins: a table follows the last of them.
const JOINS: &[&str] = &[
    "join", "left", "right", "inner", "outer", "full", "cross", "natural",
];

/// Whether one of the columns is `*` or `table.*`.
pub(super) fn has_wildcard(words: &[Word]) -> bool {
    let select = Select::find(words);
    select.columns.iter().any(|column| {
        column.last().is_some_and(|last| last.is_sign("*"))
            && (column.len() == 1 || column[column.len() - 2].is_sign("."))
    })
}

/// The fields of the columns, in their order.
pub(super) fn fields(
    words: &[Word],
    columns: &[String],
    others: &[Collection],
    random: &Random,
) -> Vec<Field> {
    let select = Select::find(words);
    let tables = tables(select.tables, others);
    let known = select.columns.len() == columns.len();
    let field = |(position, name): (usize, &String)| {
        if name == "id" {
            return system::view_id();
        }
        let expression = known.then(|| without_alias(select.columns[position]));
        field(expression.unwrap_or_default(), name, &tables, random)
    };
    columns.iter().enumerate().map(field).collect()
}

/// The outermost `SELECT`.
struct Select<'a> {
    columns: Vec<&'a [Word]>,
    tables: &'a [Word],
}

impl<'a> Select<'a> {
    fn find(words: &'a [Word]) -> Self {
        let Some(start) = at_top(words, |word| word.is("select")) else {
            return Self {
                columns: Vec::new(),
                tables: &[],
            };
        };
        let mut rest = &words[start + 1..];
        if let Some((first, after)) = rest.split_first()
            && first.is_any(&["distinct", "all"])
        {
            rest = after;
        }
        let from = at_top(rest, |word| word.is("from"));
        let (columns, after) = match from {
            Some(from) => (&rest[..from], &rest[from + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let end = at_top(after, |word| word.is_any(AFTER_TABLES)).unwrap_or(after.len());
        Self {
            columns: words::list(columns),
            tables: &after[..end],
        }
    }
}

/// The first such word outside of parentheses.
fn at_top(words: &[Word], is: impl Fn(&Word) -> bool) -> Option<usize> {
    let mut depth = 0_i32;
    words.iter().position(|word| {
        if word.is_sign("(") {
            depth += 1;
        } else if word.is_sign(")") {
            depth -= 1;
        }
        depth == 0 && is(word)
    })
}

/// Names by which the query calls collections. The first is the one that bare columns are of.
fn tables<'a>(words: &[Word], others: &'a [Collection]) -> Vec<(String, Option<&'a Collection>)> {
    let mut tables = Vec::new();
    for item in words::list(words) {
        let mut rest = item;
        loop {
            while let Some((first, after)) = rest.split_first()
                && first.is_any(JOINS)
            {
                rest = after;
            }
            tables.push(table(rest, others));
            match at_top(rest, |word| word.is_any(JOINS)) {
                Some(next) => rest = &rest[next..],
                None => break,
            }
        }
    }
    tables
}

fn table<'a>(words: &[Word], others: &'a [Collection]) -> (String, Option<&'a Collection>) {
    let Some(name) = words.first().and_then(Word::name) else {
        // A query of its own, known by its alias alone.
        return (String::new(), None);
    };
    let mut after = &words[1..];
    if after.first().is_some_and(|word| word.is_sign(".")) {
        return (String::new(), None);
    }
    if after.first().is_some_and(|word| word.is("as")) {
        after = &after[1..];
    }
    let alias = after.first().filter(|word| {
        word.name().is_some() && !word.is_any(JOINS) && !word.is_any(&["on", "using"])
    });
    let alias = alias.and_then(Word::name).unwrap_or(name);
    let collection = others
        .iter()
        .find(|collection| collection.name.eq_ignore_ascii_case(name));
    (alias.to_owned(), collection)
}

/// A column without `AS name`.
fn without_alias(column: &[Word]) -> &[Word] {
    match column {
        [rest @ .., keyword, _] if keyword.is("as") => rest,
        [rest @ .., before, last] if is_alias(before, last) => &column[..=rest.len()],
        _ => column,
    }
}

/// Whether `last` names what ends with `before`.
fn is_alias(before: &Word, last: &Word) -> bool {
    let names = last.name().is_some() && !last.is("end");
    let ends = !matches!(before, Word::Sign(_)) || before.is_sign(")");
    names && ends
}

fn field(
    expression: &[Word],
    name: &str,
    tables: &[(String, Option<&Collection>)],
    random: &Random,
) -> Field {
    if let Some(field) = source(expression, tables) {
        let (collection, field) = field;
        if field.name == "id" {
            let options = json!({"collectionId": collection.id, "maxSelect": 1});
            return made("relation", name, options);
        }
        return Field {
            id: format!("_clone_{}", random.id(CLONE_LENGTH)),
            name: name.to_owned(),
            ..field.clone()
        };
    }
    match called(expression) {
        Some("count" | "total") => made("number", name, json!({})),
        Some("cast") => match cast(expression).as_deref() {
            Some("int" | "integer" | "real" | "decimal" | "numeric") => {
                made("number", name, json!({}))
            }
            Some("bool" | "boolean") => made("bool", name, json!({})),
            Some("text") => made("text", name, json!({})),
            _ => made("json", name, json!({"maxSize": 1})),
        },
        _ => made("json", name, json!({"maxSize": 1})),
    }
}

fn made(kind: &str, name: &str, options: Value) -> Field {
    let options = match options {
        Value::Object(options) => options,
        _ => serde_json::Map::new(),
    };
    let mut field = Field {
        id: format!("{kind}{}", crc32(name)),
        name: name.to_owned(),
        kind: kind.to_owned(),
        required: false,
        options,
    };
    options::fill(&mut field);
    field
}

/// The field that an expression is when it is nothing but the name of a column.
fn source<'a>(
    expression: &[Word],
    tables: &[(String, Option<&'a Collection>)],
) -> Option<(&'a Collection, &'a Field)> {
    let (collection, column) = match expression {
        [column] => (tables.first()?.1?, column),
        [table, dot, column] if dot.is_sign(".") => {
            let name = table.name()?;
            let named =
                |(alias, _): &&(String, Option<&Collection>)| alias.eq_ignore_ascii_case(name);
            (tables.iter().find(named)?.1?, column)
        }
        _ => return None,
    };
    let field = collection.field(column.name()?)?;
    Some((collection, field))
}

/// The function whose value an expression is.
fn called(expression: &[Word]) -> Option<&'static str> {
    let [function, open, ..] = expression else {
        return None;
    };
    let whole = open.is_sign("(")
        && words::closing(expression, 1).is_some_and(|end| end + 1 == expression.len());
    let name = function.name().filter(|_| whole)?;
    ["count", "total", "cast"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// The type of `cast(… as type)`, when it is one word.
fn cast(expression: &[Word]) -> Option<String> {
    match expression {
        [.., keyword, kind, _] if keyword.is("as") => kind.name().map(str::to_ascii_lowercase),
        _ => None,
    }
}
