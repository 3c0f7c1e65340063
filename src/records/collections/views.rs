//! Collections that are queries: real SQL views over the tables of other collections.
//!
//! | module | what it holds |
//! |---|---|
//! | [`infer`] | which fields the columns of a query are |

pub(crate) mod infer;

use mito_core::Random;
use mito_database::{Dialect, Row, Tx};

use crate::{
    Collection, CollectionKind, Error, Field, FieldError,
    collections::{
        store,
        words::{self, Word},
    },
    names::quote,
};

/// How many rows are looked at for ids that are missing.
const LOOKED_AT: i64 = 100;

/// A query that was read.
pub(crate) struct Query {
    words: Vec<Word>,
}

impl Query {
    /// Reads a query. The error says why it cannot be a view's.
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Self, String> {
        let mut words = words::split(text)?;
        while words.last().is_some_and(|word| word.is_sign(";")) {
            words.pop();
        }
        if words.iter().any(|word| word.is_sign(";")) {
            return Err("multiple statements are not supported".to_owned());
        }
        let reads = words
            .first()
            .is_some_and(|first| first.is_any(&["select", "with", "values"]) || first.is_sign("("));
        let writes = [
            "insert",
            "update",
            "delete",
            "merge",
            "into",
            "attach",
            "pragma",
            "vacuum",
            "returning",
        ];
        if !reads || words.iter().any(|word| word.is_any(&writes)) {
            return Err("only a single SELECT is supported".to_owned());
        }
        words::harmless(&words, dialect)?;
        if dialect == Dialect::Postgres {
            keep_letters(&mut words);
        }
        Ok(Self { words })
    }

    /// The query as SQL.
    fn sql(&self) -> String {
        words::write(&self.words)
    }

    /// The names of its columns, and whether they can be asked for at all.
    pub(crate) fn columns(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, mito_database::Error> {
        // A row comes whether the query has one or not.
        let sql = format!(
            "SELECT q.* FROM (SELECT 1 AS _one) AS o LEFT JOIN ({}) AS q ON 1 = 1 LIMIT 1",
            self.sql()
        );
        let row = tx.query_one(&sql, &[])?;
        Ok(row.map_or_else(Vec::new, |row| row.columns().to_vec()))
    }

    /// Whether all of the first rows have an id.
    fn has_ids(&self, tx: &mut Tx<'_>) -> Result<bool, mito_database::Error> {
        let sql = format!(
            "SELECT CAST(q.\"id\" AS TEXT) AS id FROM ({}) AS q LIMIT {LOOKED_AT}",
            self.sql()
        );
        let rows = tx.query(&sql, &[])?;
        let has = |row: &Row| row.get::<String>("id").is_ok_and(|id| !id.is_empty());
        Ok(rows.iter().all(has))
    }

    /// The fields of a view from the query. Ids are compared with texts, whatever they are made of.
    fn select(&self, view: &Collection) -> String {
        let column = |field: &Field| match field.name.as_str() {
            "id" => "CAST(q.\"id\" AS TEXT) AS \"id\"".to_owned(),
            name => format!("q.{}", quote(name)),
        };
        let columns: Vec<String> = view.fields.iter().map(column).collect();
        let query = self.sql();
        format!("SELECT {} FROM ({query}) AS q", columns.join(", "))
    }

    /// The first rows that a view of the query would have.
    pub(crate) fn rows(
        &self,
        tx: &mut Tx<'_>,
        view: &Collection,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let sql = format!("{} LIMIT {limit}", self.select(view));
        Ok(tx.query(&sql, &[])?)
    }

    fn mentions(&self, name: &str) -> bool {
        let mut names = self.words.iter().filter_map(Word::name);
        names.any(|word| word.eq_ignore_ascii_case(name))
    }

    /// The same query after a table was given another name.
    fn with_table_renamed(mut self, old: &str, new: &str) -> Self {
        for position in 0..self.words.len() {
            let is_old = self.words[position]
                .name()
                .is_some_and(|name| name.eq_ignore_ascii_case(old));
            let before = position
                .checked_sub(1)
                .and_then(|before| self.words.get(before));
            let after = self.words.get(position + 1);
            let is_table = before.is_some_and(|word| word.is_any(&["from", "join"]))
                || after.is_some_and(|word| word.is_sign("."));
            if is_old && is_table {
                self.words[position] = Word::Quoted(new.to_owned());
            }
        }
        self
    }
}

/// PostgreSQL folds names that are not in quotes; those of collections and fields are as they are.
fn keep_letters(words: &mut [Word]) {
    for position in 0..words.len() {
        let called = words
            .get(position + 1)
            .is_some_and(|next| next.is_sign("("));
        if let Word::Plain(name) = &words[position]
            && !called
            && name.chars().any(char::is_lowercase)
            && name.chars().any(char::is_uppercase)
        {
            words[position] = Word::Quoted(name.clone());
        }
    }
}

/// The fields of a view with this query, or what is wrong with it.
pub(crate) fn fields(
    tx: &mut Tx<'_>,
    text: &str,
    random: &Random,
) -> Result<Result<Vec<Field>, String>, Error> {
    let query = match Query::parse(text, tx.dialect()) {
        Ok(query) => query,
        Err(reason) => return Ok(Err(reason)),
    };
    if infer::has_wildcard(&query.words) {
        let reason = "wildcard columns (*) are not supported - manually type the collection \
             field names you want the view query to have";
        return Ok(Err(reason.to_owned()));
    }
    let others = store::all(tx)?;
    let columns = match query.columns(tx) {
        Err(error) if !error.is_transient() => return Ok(Err(describe(&error))),
        other => other?,
    };
    if !columns.iter().any(|column| column == "id") {
        let reason = "missing required id column (you can use `(ROW_NUMBER() OVER()) as id` if \
             you don't have one)";
        return Ok(Err(reason.to_owned()));
    }
    match query.has_ids(tx) {
        Ok(true) => {}
        Ok(false) => {
            let reason = "the query could return records with empty or invalid ids";
            return Ok(Err(reason.to_owned()));
        }
        Err(error) if !error.is_transient() => return Ok(Err(describe(&error))),
        Err(error) => return Err(error.into()),
    }
    Ok(Ok(infer::fields(&query.words, &columns, &others, random)))
}

/// What the engine said of a query, without the query.
fn describe(error: &mito_database::Error) -> String {
    match error {
        mito_database::Error::Statement { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// What is wrong with a view's query, as an error of its field.
pub(crate) fn invalid(reason: &str) -> FieldError {
    let message = format!("Invalid query - {reason}.");
    FieldError::new("validation_invalid_view_query", message)
}

/// Creates the view of a collection.
pub(crate) fn create(tx: &mut Tx<'_>, collection: &Collection) -> Result<(), Error> {
    let query = Query::parse(collection.view_query(), tx.dialect()).map_err(Error::Invalid)?;
    let view = quote(&collection.name);
    tx.execute(
        &format!("CREATE VIEW {view} AS {}", query.select(collection)),
        &[],
    )?;
    Ok(())
}

/// Drops views; those that others are built on at the same time as these.
pub(crate) fn remove(tx: &mut Tx<'_>, names: &[&str]) -> Result<(), Error> {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    match tx.dialect() {
        Dialect::Sqlite => {
            for name in names {
                tx.execute(&format!("DROP VIEW IF EXISTS {name}"), &[])?;
            }
        }
        Dialect::Postgres if names.is_empty() => {}
        Dialect::Postgres => {
            tx.execute(&format!("DROP VIEW IF EXISTS {}", names.join(", ")), &[])?;
        }
    }
    Ok(())
}

/// Takes all views down, so that tables can change under them.
pub(crate) fn suspend(tx: &mut Tx<'_>) -> Result<Vec<Collection>, Error> {
    let mut views = store::all(tx)?;
    views.retain(|collection| collection.kind == CollectionKind::View);
    let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
    remove(tx, &names)?;
    Ok(views)
}

/// Puts views up again, with their fields as they now are. One that does not work any more is an
/// error of the whole change.
pub(crate) fn resume(
    tx: &mut Tx<'_>,
    views: Vec<Collection>,
    random: &Random,
) -> Result<(), Error> {
    for mut view in in_order(views, tx.dialect()) {
        let fields = fields(tx, view.view_query(), random)?
            .map_err(|reason| Error::Invalid(format!("error in view {} - {reason}", view.name)))?;
        if !same_fields(&fields, &view.fields) {
            view.fields = fields;
            store::save(tx, &view)?;
        }
        create(tx, &view)?;
    }
    Ok(())
}

/// Brings the fields of all views up to what their sources now are.
pub(crate) fn refresh(tx: &mut Tx<'_>, random: &Random) -> Result<(), Error> {
    let mut views = store::all(tx)?;
    views.retain(|collection| collection.kind == CollectionKind::View);
    for mut view in in_order(views, tx.dialect()) {
        let Ok(fields) = fields(tx, view.view_query(), random)? else {
            continue;
        };
        if !same_fields(&fields, &view.fields) {
            view.fields = fields;
            store::save(tx, &view)?;
        }
    }
    Ok(())
}

/// Lets the queries follow a table that was given another name.
pub(crate) fn follow_rename(
    tx: &mut Tx<'_>,
    views: &mut [Collection],
    old: &str,
    new: &str,
) -> Result<(), Error> {
    for view in views {
        let Ok(query) = Query::parse(view.view_query(), tx.dialect()) else {
            continue;
        };
        if query.mentions(old) {
            let text = query.with_table_renamed(old, new).sql();
            view.set_view_query(text);
            store::save(tx, view)?;
        }
    }
    Ok(())
}

/// The views that speak of the collection.
pub(crate) fn speaking_of(tx: &mut Tx<'_>, name: &str) -> Result<Vec<String>, Error> {
    let mut views = store::all(tx)?;
    views.retain(|collection| collection.kind == CollectionKind::View && collection.name != name);
    let dialect = tx.dialect();
    let speaks = |view: &Collection| {
        Query::parse(view.view_query(), dialect).is_ok_and(|query| query.mentions(name))
    };
    let speaking = views.into_iter().filter(speaks);
    Ok(speaking.map(|view| view.name).collect())
}

/// Views after those that they are built on.
fn in_order(mut waiting: Vec<Collection>, dialect: Dialect) -> Vec<Collection> {
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(|view| view.name.clone()).collect();
        let stands_alone = |view: &Collection| {
            let query = Query::parse(view.view_query(), dialect);
            let mut others = names.iter().filter(|name| **name != view.name);
            query.map_or(true, |query| !others.any(|name| query.mentions(name)))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(stands_alone);
        // In a circle there is no order; the engine says what is wrong.
        let stuck = ready.is_empty();
        ordered.extend(ready);
        waiting = rest;
        if stuck {
            ordered.append(&mut waiting);
        }
    }
    ordered
}

/// Whether fields are the same apart from their ids, which are drawn anew.
fn same_fields(left: &[Field], right: &[Field]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.name == right.name
                && left.kind == right.kind
                && left.required == right.required
                && left.options == right.options
        })
}
