//! The folder of a PocketBase, read and never written.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mito_database::{ForeignFile, Row, Value as Stored};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{files::Storage, report::Reporter};
use crate::{Collection, Error, Record, names::quote};

/// Rows of a page, at the most.
pub(super) const PAGE_ROWS: usize = 500;
/// The number of the row, by which pages follow each other in the order of insertion.
pub(super) const POSITION: &str = "_mito_position";
/// Folders that stand beside `pb_data`, and what becomes of them.
const BESIDE: &[(&str, &str)] = &[
    (
        "pb_hooks",
        "hooks in JavaScript are not run: what they do has to be done by rules, queries or an \
         application of your own",
    ),
    (
        "pb_public",
        "files of a web site are not taken: serve them by a router of the gateway",
    ),
];

/// System collections whose records are not taken.
const SYSTEM: &[(&str, &str)] = &[
    (
        "_otps",
        "one-time passwords on their way are not taken: they live minutes",
    ),
    ("_mfas", "half sign-ins are not taken: they live minutes"),
    (
        "_authOrigins",
        "places of earlier sign-ins are not taken: the next sign-in of each account is not alerted",
    ),
];

/// A `pb_data`.
pub(super) struct Source {
    folder: PathBuf,
    data: ForeignFile,
}

impl Source {
    /// Opens the `pb_data` at `folder`, or in it.
    pub(super) async fn open(folder: &Path) -> Result<Self, Error> {
        let inner = folder.join("pb_data");
        let folder = if exists(&inner.join("data.db")).await? {
            inner
        } else {
            folder.to_owned()
        };
        let path = folder.join("data.db");
        if !exists(&path).await? {
            return Err(Error::Invalid(format!(
                "there is no data.db in {}; name the folder pb_data of a PocketBase",
                folder.display()
            )));
        }
        let data = ForeignFile::open(&path).await.map_err(unreadable)?;
        Ok(Self { folder, data })
    }

    /// Says what stands in and beside the folder and is not taken.
    pub(super) async fn note_what_stays(&self, reporter: &mut Reporter<'_>) -> Result<(), Error> {
        let parent = self.folder.parent().unwrap_or(&self.folder);
        for (name, reason) in BESIDE {
            if holds_something(&parent.join(name)).await {
                reporter.problem(*name, reason);
            }
        }
        if holds_something(&self.folder.join("backups")).await {
            let reason = "archives stay where they are: unpack one and import it as a pb_data";
            reporter.problem("backups", reason);
        }
        if exists(&self.folder.join("auxiliary.db")).await? {
            reporter.problem("auxiliary.db", "the log of requests stays where it is");
        }
        for (name, reason) in SYSTEM {
            let is_there = self.has_column(name, "id").await?;
            let sql = format!("SELECT 1 AS one FROM {} LIMIT 1", quote(name));
            if is_there && !self.query(sql, Vec::new(), 1).await?.is_empty() {
                reporter.problem(*name, reason);
            }
        }
        Ok(())
    }

    /// The definitions of its own collections and of its administrators, as its API would send
    /// them.
    pub(super) async fn definitions(
        &self,
        reporter: &mut Reporter<'_>,
    ) -> Result<Vec<Record>, Error> {
        if !self.has_column("_collections", "fields").await? {
            let message = "this is not the data of a PocketBase 0.23 or later; if it is that of an \
                 older one, start it once with a newer PocketBase, which brings it up, and import \
                 again";
            return Err(Error::Invalid(message.to_owned()));
        }
        let mut definitions = Vec::new();
        let mut after = 0;
        loop {
            let sql = format!(
                "SELECT _rowid_ AS {POSITION}, * FROM _collections WHERE _rowid_ > $1 \
                 ORDER BY _rowid_"
            );
            let rows = self.page(sql, after).await?;
            let Some(last) = rows.last() else {
                return Ok(definitions);
            };
            after = last.get(POSITION)?;
            for row in &rows {
                match definition(row) {
                    Ok(definition) => definitions.extend(definition),
                    Err(reason) => {
                        let name = text(row, "name");
                        reporter.problem(name, format!("the collection is left out: {reason}"));
                    }
                }
            }
        }
    }

    /// How many rows the table of a collection has; `None` when there is no such table.
    pub(super) async fn count(&self, collection: &Collection) -> Result<Option<u64>, Error> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1";
        let name = vec![Stored::Text(collection.name.clone())];
        if self.query(sql.to_owned(), name, 1).await?.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT COUNT(*) AS total FROM {}", quote(&collection.name));
        let rows = self.query(sql, Vec::new(), 1).await?;
        let total: i64 = rows.first().map_or(Ok(0), |row| row.get("total"))?;
        Ok(Some(u64::try_from(total).unwrap_or_default()))
    }

    /// The next rows behind `after` in the order of insertion, with their [`POSITION`].
    pub(super) async fn rows(
        &self,
        collection: &Collection,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let sql = format!(
            "SELECT _rowid_ AS {POSITION}, * FROM {} WHERE _rowid_ > $1 ORDER BY _rowid_",
            quote(&collection.name)
        );
        self.query(sql, vec![Stored::Integer(after)], limit).await
    }

    async fn page(&self, sql: String, after: i64) -> Result<Vec<Row>, Error> {
        let after = vec![Stored::Integer(after)];
        self.query(sql, after, PAGE_ROWS).await
    }

    async fn query(
        &self,
        sql: String,
        parameters: Vec<Stored>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let rows = self.data.page(sql, parameters, limit).await;
        rows.map_err(unreadable)
    }

    async fn has_column(&self, table: &str, column: &str) -> Result<bool, Error> {
        let sql = "SELECT name FROM pragma_table_info($1) WHERE name = $2";
        let names = [table, column].map(|name| Stored::Text(name.to_owned()));
        let found = self.query(sql.to_owned(), names.to_vec(), 1).await?;
        Ok(!found.is_empty())
    }

    /// Where the files of its records are.
    pub(super) fn files(&self) -> Storage {
        Storage::new(self.folder.join("storage"))
    }

    /// Its settings; the error says why they cannot be read.
    pub(super) async fn settings(&self, key: Option<&SecretString>) -> Result<Value, String> {
        let sql = "SELECT CAST(value AS TEXT) AS value FROM _params WHERE id = 'settings'";
        let rows = self.data.page(sql.to_owned(), Vec::new(), 1).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let stored = rows.first().map(|row| text(row, "value"));
        let stored = stored.filter(|stored| !stored.is_empty());
        let stored = stored.ok_or("there are none")?;
        let settings = match serde_json::from_str(&stored) {
            Ok(Value::String(sealed)) => open_sealed(&sealed, key)?,
            Ok(settings) => settings,
            Err(_) => open_sealed(&stored, key)?,
        };
        if settings.is_object() {
            Ok(settings)
        } else {
            Err("they are damaged".to_owned())
        }
    }
}

/// Settings that PocketBase encrypted: AES-256-GCM, the nonce before the text, all in base64.
fn open_sealed(sealed: &str, key: Option<&SecretString>) -> Result<Value, String> {
    let key = key.ok_or(
        "they are encrypted; name the variable that holds the key with --encryptionEnv, as for \
         PocketBase",
    )?;
    let key = UnboundKey::new(&AES_256_GCM, key.expose_secret().as_bytes())
        .map_err(|_| "the key that they are encrypted with must have 32 characters")?;
    let wrong = "the key is not the one that they are encrypted with";
    let mut bytes = STANDARD.decode(sealed).map_err(|_| "they are damaged")?;
    if bytes.len() < NONCE_LEN {
        return Err("they are damaged".to_owned());
    }
    let mut sealed = bytes.split_off(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| "they are damaged")?;
    let opened = LessSafeKey::new(key)
        .open_in_place(nonce, Aad::empty(), &mut sealed)
        .map_err(|_| wrong)?;
    serde_json::from_slice(opened).map_err(|_| wrong.to_owned())
}

/// A row of `_collections` as a definition; `None` for what every platform has of its own.
fn definition(row: &Row) -> Result<Option<Record>, String> {
    let name = text(row, "name");
    let is_system: bool = row.get("system").map_err(|error| error.to_string())?;
    if is_system && text(row, "type") != "auth" {
        return Ok(None);
    }
    let mut definition = Map::new();
    let mut set = |key: &str, value: Value| definition.insert(key.to_owned(), value);
    set("name", Value::String(name));
    for key in ["id", "type"] {
        set(key, Value::String(text(row, key)));
    }
    for key in [
        "listRule",
        "viewRule",
        "createRule",
        "updateRule",
        "deleteRule",
    ] {
        let rule: Option<String> = row.get(key).map_err(|error| error.to_string())?;
        set(key, rule.map_or(Value::Null, Value::String));
    }
    for key in ["fields", "indexes"] {
        set(key, json(row, key)?);
    }
    if let Value::Object(options) = json(row, "options")? {
        for (key, value) in options {
            definition.entry(key).or_insert(value);
        }
    }
    Ok(Some(definition))
}

fn json(row: &Row, column: &str) -> Result<Value, String> {
    serde_json::from_str(&text(row, column)).map_err(|error| format!("{column}: {error}"))
}

fn text(row: &Row, column: &str) -> String {
    row.get(column).unwrap_or_default()
}

async fn exists(path: &Path) -> Result<bool, Error> {
    let exists = tokio::fs::try_exists(path).await;
    exists.map_err(|error| Error::Invalid(format!("cannot read {}: {error}", path.display())))
}

async fn holds_something(folder: &Path) -> bool {
    match tokio::fs::read_dir(folder).await {
        Ok(mut entries) => matches!(entries.next_entry().await, Ok(Some(_))),
        Err(_) => false,
    }
}

fn unreadable(error: mito_database::Error) -> Error {
    Error::Invalid(format!("the data of PocketBase cannot be read: {error}"))
}
