//! Files out: found by the address that a client asks for, and read.

use std::ops::Range;

use mito_database::{Tx, Value as Stored};
use mito_objects::{Body, Object};
use serde_json::Value;

use super::{BUCKET, FileKey, Files, failure, thumbs::ThumbSize};
use crate::{
    Collection, CollectionKind, Error, Field, RequestInfo, RuleContext,
    collections::store,
    fields::{FieldKind, Storage},
    names::quote,
    records::{
        access::{self, Operation},
        read,
    },
    sql::{Sql, elements},
};

/// The thumbnail that every picture has, whatever its field says.
const DEFAULT_THUMB: &str = "100x100";

/// A file as its address names it.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// The id or the name of the collection.
    pub collection: &'a str,
    /// The id of the record.
    pub record: &'a str,
    /// The name of the file.
    pub name: &'a str,
    /// The thumbnail that is asked for; empty for the file itself.
    pub thumb: &'a str,
}

/// A file that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// What it is saved as.
    pub name: String,
    /// Whether only some may read it.
    pub is_protected: bool,
    object: String,
}

/// What a record says of its file.
struct Entry {
    key: FileKey,
    is_protected: bool,
    thumb: Option<ThumbSize>,
}

impl Files<'_> {
    /// The file that a record has under a name, or its thumbnail. A protected file is there for
    /// those alone who may view the record; `info` says who asks.
    pub async fn find(&self, address: Address<'_>, info: &RequestInfo) -> Result<FoundFile, Error> {
        let entry = self.entry(address, info).await?;
        let thumb = match &entry.thumb {
            Some(size) => {
                let made = self.thumb(&entry.key, size).await?;
                made.map(|object| (object, format!("{size}_{}", entry.key.name)))
            }
            None => None,
        };
        let (object, name) = match thumb {
            Some(thumb) => thumb,
            None => (entry.key.object_key(), entry.key.name),
        };
        Ok(FoundFile {
            name,
            is_protected: entry.is_protected,
            object,
        })
    }

    async fn entry(&self, address: Address<'_>, info: &RequestInfo) -> Result<Entry, Error> {
        let records = self.records.clone();
        let collection = address.collection.to_owned();
        let (record, name) = (address.record.to_owned(), address.name.to_owned());
        let thumb = address.thumb.to_owned();
        let info = info.with_context(RuleContext::ProtectedFile);
        let find = move |tx: &mut Tx<'_>| {
            let collection = match records.shared_collection_in(tx, &collection) {
                Err(Error::NotFound) => return Err(Error::MissingCollection),
                other => other?,
            };
            let field = holder(tx, &collection, &record, &name)?.ok_or(Error::NotFound)?;
            let is_protected = field.flag("protected");
            if is_protected {
                let allowed =
                    access::require(&records, tx, &collection, &record, Operation::View, &info);
                match allowed {
                    // Who may not read it does not learn that it is there.
                    Err(Error::Forbidden(_)) => return Err(Error::NotFound),
                    other => other?,
                }
            }
            let is_offered =
                thumb == DEFAULT_THUMB || field.list_option("thumbs").any(|size| size == thumb);
            let key = if collection.kind == CollectionKind::View {
                origin(tx, &collection, &record, &name)?.ok_or(Error::NotFound)?
            } else {
                FileKey {
                    collection_id: collection.id.clone(),
                    record_id: record.clone(),
                    name: name.clone(),
                }
            };
            Ok(Entry {
                key,
                is_protected,
                thumb: is_offered.then(|| ThumbSize::parse(&thumb)).flatten(),
            })
        };
        self.records.inner.database.read(find).await
    }

    /// The bytes of the range that `choose` finds right for the file; it may also refuse. They
    /// stream: however large the file is, little of it is in memory.
    pub async fn open<E, F>(
        &self,
        file: &FoundFile,
        choose: F,
    ) -> Result<(Object, Range<u64>, Body), E>
    where
        F: Fn(&Object) -> Result<Range<u64>, E>,
        E: From<Error>,
    {
        self.open_object(&file.object, choose).await
    }

    /// The whole of a file, for code of the platform.
    pub async fn read(&self, file: &FileKey) -> Result<(Object, Body), Error> {
        let whole = |object: &Object| Ok::<_, Error>(0..object.size);
        let (object, _, body) = self.open_object(&file.object_key(), whole).await?;
        Ok((object, body))
    }

    pub(super) async fn open_object<E, F>(
        &self,
        key: &str,
        choose: F,
    ) -> Result<(Object, Range<u64>, Body), E>
    where
        F: Fn(&Object) -> Result<Range<u64>, E>,
        E: From<Error>,
    {
        let chosen = |object: &Object| choose(object).map_err(Refused::ByCaller);
        match self.objects().get_with(BUCKET, key, chosen).await {
            Ok(opened) => Ok(opened),
            Err(Refused::ByCaller(error)) => Err(error),
            Err(Refused::ByStorage(error)) => Err(failure(error).into()),
        }
    }
}

/// The field in which the record has the file.
fn holder<'c>(
    tx: &mut Tx<'_>,
    collection: &'c Collection,
    record: &str,
    name: &str,
) -> Result<Option<&'c Field>, Error> {
    let is_file = |field: &&Field| field.kind_of() == Some(FieldKind::File);
    if name.is_empty() || !collection.fields.iter().any(|field| is_file(&field)) {
        return Ok(None);
    }
    let Some(row) = read::row(tx, collection, record)? else {
        return Ok(None);
    };
    let fields = collection.fields.iter().zip(row.values());
    let holds = |(field, stored): &(&Field, &Stored)| is_file(field) && has(field, stored, name);
    Ok(fields.into_iter().find(holds).map(|(field, _)| field))
}

/// The file that a view shows, where it is: with the record that it was uploaded to. Views mostly
/// keep the ids of records, so that one comes first.
fn origin(
    tx: &mut Tx<'_>,
    view: &Collection,
    record: &str,
    name: &str,
) -> Result<Option<FileKey>, Error> {
    let query = view.options.get("viewQuery").and_then(Value::as_str);
    let query = query.unwrap_or_default().to_ascii_lowercase();
    for source in store::all(tx)? {
        let is_read = query.contains(&source.name.to_ascii_lowercase());
        if source.kind == CollectionKind::View || !is_read {
            continue;
        }
        let files = source.fields.iter();
        for field in files.filter(|field| field.kind_of() == Some(FieldKind::File)) {
            let (table, column) = (quote(&source.name), quote(&field.name));
            let mut sql = Sql::new(format!("SELECT r.id AS id FROM {table} r"));
            if field.storage() == Storage::List {
                let each = elements(tx.dialect(), &format!("r.{column}"), "f");
                sql.push(&format!(", {each} WHERE f.value = "));
            } else {
                sql.push(&format!(" WHERE r.{column} = "));
            }
            sql.bind(Stored::Text(name.to_owned()));
            sql.push(" ORDER BY CASE r.id WHEN ");
            sql.bind(Stored::Text(record.to_owned()));
            sql.push(" THEN 0 ELSE 1 END LIMIT 1");
            if let Some(row) = sql.query_one(tx)? {
                return Ok(Some(FileKey {
                    collection_id: source.id,
                    record_id: row.get("id")?,
                    name: name.to_owned(),
                }));
            }
        }
    }
    Ok(None)
}

fn has(field: &Field, stored: &Stored, name: &str) -> bool {
    let Stored::Text(text) = stored else {
        return false;
    };
    if field.storage() != Storage::List {
        return text == name;
    }
    let names: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    names.iter().any(|held| held == name)
}

/// Why a file is not read.
enum Refused<E> {
    ByCaller(E),
    ByStorage(mito_objects::Error),
}

impl<E> From<mito_objects::Error> for Refused<E> {
    fn from(error: mito_objects::Error) -> Self {
        Self::ByStorage(error)
    }
}
