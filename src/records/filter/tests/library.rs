//! Collections with every kind of field and relation, and a few records in them.

use mito_database::{Tx, Value};
use mito_network::Identity;
use serde_json::{Value as Json, json};

use crate::{
    Collection, Error, Record, RequestInfo,
    fields::Storage,
    filter::{self, Problem, resolve::Author},
    names::quote,
    sql::Sql,
    testing::Fixture,
};

pub(crate) struct Library {
    pub(crate) fixture: Fixture,
    pub(crate) info: RequestInfo,
}

fn definitions() -> Json {
    let relation = |name: &str, to: &str, most: u32| json!({"name": name, "type": "relation", "collectionId": to, "maxSelect": most});
    json!([
        {"id": "cats_id", "name": "cats", "type": "base", "listRule": "", "fields": [
            {"name": "name", "type": "text"}, {"name": "rank", "type": "number"},
            {"name": "secret", "type": "text", "hidden": true}, relation("parent", "cats_id", 1),
        ]},
        {"id": "people_id", "name": "people", "type": "auth", "listRule": "", "fields": [
            {"name": "name", "type": "text"}, relation("fav", "cats_id", 1),
            relation("favs", "cats_id", 5),
        ]},
        {"id": "secrets_id", "name": "secrets", "type": "base", "listRule": null, "fields": [
            {"name": "name", "type": "text"}, relation("post", "posts_id", 1),
        ]},
        {"id": "notes_id", "name": "notes", "type": "base",
         "listRule": "owner = @request.auth.id && owner != ''", "fields": [
            {"name": "text", "type": "text"}, relation("owner", "people_id", 1),
            relation("post", "posts_id", 1),
        ]},
        {"id": "posts_id", "name": "posts", "type": "base", "listRule": "", "fields": [
            {"name": "title", "type": "text"}, {"name": "views", "type": "number"},
            {"name": "open", "type": "bool"}, {"name": "extra", "type": "json"},
            {"name": "tags", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"]},
            {"name": "one", "type": "select", "maxSelect": 1, "values": ["a", "b"]},
            {"name": "place", "type": "geoPoint"}, {"name": "at", "type": "date"},
            relation("cat", "cats_id", 1), relation("cats", "cats_id", 5),
            relation("author", "people_id", 1), relation("secret", "secrets_id", 1),
        ]},
    ])
}

fn rows() -> [(&'static str, Json); 5] {
    [
        (
            "cats",
            json!([
                {"id": "c0", "name": "zero", "rank": 0, "secret": "s0"},
                {"id": "c1", "name": "one", "rank": 1.5, "parent": "c0", "secret": "s1"},
                {"id": "c2", "name": "Two", "rank": 2, "parent": "c1", "secret": "s2"},
            ]),
        ),
        (
            "people",
            json!([
                {"id": "ann", "name": "one", "email": "ann@x.co", "emailVisibility": true,
                 "fav": "c1", "favs": ["c0", "c1"], "tokenKey": "k1"},
                {"id": "bob", "name": "bob", "email": "bob@x.co", "favs": [], "tokenKey": "k2"},
            ]),
        ),
        ("secrets", json!([{"id": "s0", "name": "x", "post": "p0"}])),
        (
            "notes",
            json!([
                {"id": "n0", "text": "mine", "owner": "ann", "post": "p0"},
                {"id": "n1", "text": "his", "owner": "bob", "post": "p0"},
                {"id": "n2", "text": "his", "owner": "bob", "post": "p1"},
            ]),
        ),
        (
            "posts",
            json!([
                {"id": "p0", "title": "Alpha", "views": 5, "open": true, "tags": ["a", "b"],
                 "one": "a", "cat": "c1", "cats": ["c0", "c1"], "author": "ann", "secret": "s0",
                 "extra": {"b": {"c": 1}, "l": ["x", "y"], "t": "5", "f": true},
                 "place": {"lon": 1, "lat": 2}, "at": "2024-02-29 12:30:45.678Z"},
                {"id": "p1", "title": "5", "views": 1.5, "tags": ["a"], "cats": ["c1"],
                 "author": "bob", "extra": "text", "at": "2023-12-31 00:00:00.000Z",
                 "place": {"lon": 23.32, "lat": 42.69}},
                {"id": "p2", "title": "", "views": 0, "tags": [], "cats": [], "extra": null,
                 "place": {"lon": 0, "lat": 0}},
                {"id": "p3", "title": "5.0", "views": -1, "tags": ["c"], "one": "b",
                 "cat": "c2", "cats": ["c0", "c1", "c2"], "author": "ann", "extra": [1, "2"],
                 "place": {"lon": 1, "lat": 2}},
                {"id": "p4", "title": "50% _off_ \\ it's", "views": 5, "cat": "gone",
                 "cats": ["gone"], "extra": 5, "place": {"lon": 0, "lat": 0}},
            ]),
        ),
    ]
}

impl Library {
    pub(crate) async fn open() -> Self {
        let fixture = Fixture::new().await;
        fixture.import(definitions()).await.unwrap();
        let records = fixture.records.clone();
        let fill = move |tx: &mut Tx<'_>| {
            for (name, rows) in rows() {
                let collection = records.shared_collection_in(tx, name)?;
                for row in rows.as_array().expect("rows") {
                    insert(tx, &collection, row.as_object().expect("a row"))?;
                }
            }
            Ok::<_, Error>(())
        };
        fixture.database.write(fill).await.unwrap();
        Self {
            fixture,
            info: RequestInfo::of(Some(identity("ann"))),
        }
    }

    /// The ids of what a text finds, or why it finds nothing.
    pub(crate) async fn find(
        &self,
        collection: &'static str,
        text: &str,
        author: Author,
    ) -> String {
        let (records, info) = (self.fixture.records.clone(), self.info.clone());
        let text = text.to_owned();
        let find = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, collection)?;
            let table = quote(&collection.name);
            let mut sql = Sql::new(format!("SELECT id FROM {table} WHERE "));
            let texts = [(text.as_str(), author)];
            match filter::compile(&records, &mut sql, tx, &collection, &texts, &info) {
                Err(Problem::Failed(error)) => return Err(error),
                Err(Problem::Invalid(reason)) => return Ok(reason),
                Ok(()) => {}
            }
            sql.push(" ORDER BY id");
            let mut ids = Vec::new();
            for row in sql.query(tx)? {
                ids.push(row.get::<String>("id")?);
            }
            Ok::<_, Error>(ids.join(" "))
        };
        self.fixture.database.read(find).await.unwrap()
    }
}

pub(crate) fn identity(id: &str) -> Identity {
    Identity {
        id: id.to_owned(),
        collection: "people".to_owned(),
        collection_id: "people_id".to_owned(),
        email: format!("{id}@x.co"),
        session_id: "s".to_owned(),
    }
}

fn insert(tx: &mut Tx<'_>, collection: &Collection, row: &Record) -> Result<(), Error> {
    let columns = columns(collection, row);
    let names: Vec<String> = collection
        .fields
        .iter()
        .map(|field| quote(&field.name))
        .collect();
    let table = quote(&collection.name);
    let names = names.join(", ");
    let mut sql = Sql::new(format!("INSERT INTO {table} ({names}) VALUES ("));
    for (position, column) in columns.into_iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.bind(column);
    }
    sql.push(")");
    sql.execute(tx)?;
    Ok(())
}

/// A record as its columns, in the order of the fields.
pub(crate) fn columns(collection: &Collection, row: &Record) -> Vec<Value> {
    let column = |field: &crate::Field| {
        let given = row.get(&field.name).unwrap_or(&Json::Null);
        match (field.storage(), given) {
            (Storage::Number, given) => Value::Real(given.as_f64().unwrap_or_default()),
            (Storage::Bool, given) => Value::Integer(i64::from(given == &Json::Bool(true))),
            (Storage::List, Json::Null) => Value::Text("[]".to_owned()),
            (Storage::Json, Json::Null) => Value::Null,
            (Storage::List | Storage::Json, given) => Value::Text(given.to_string()),
            (Storage::Text, given) => Value::Text(given.as_str().unwrap_or_default().to_owned()),
        }
    };
    collection.fields.iter().map(column).collect()
}
