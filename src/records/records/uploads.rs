//! Whether files may be taken in for a record, before any of their bytes are.

use std::sync::Arc;

use mito_database::Tx;

use crate::{
    Collection, Error, Records, RequestInfo,
    fields::generate,
    records::access::{self, Operation},
};

/// Characters of an id where the collection does not say how ids are made.
const ID_LENGTH: usize = 15;

impl Records {
    /// An id for a new record of the collection, unless its values name one.
    pub fn new_record_id(&self, collection: &Collection) -> String {
        let pattern = collection
            .field("id")
            .map(|field| field.text_option("autogeneratePattern"))
            .filter(|pattern| !pattern.is_empty());
        pattern
            .and_then(|pattern| generate::generate(&self.inner.random, pattern))
            .unwrap_or_else(|| self.inner.random.id(ID_LENGTH))
    }

    /// The collection that a request writes to, or why it cannot: asked before its body is read, so
    /// that nobody fills the disk with files of records that they may not write whatever is in them.
    pub async fn writable(
        &self,
        collection: &str,
        id: Option<&str>,
        info: &RequestInfo,
    ) -> Result<Arc<Collection>, Error> {
        let (records, name) = (self.clone(), collection.to_owned());
        let (is_new, info) = (id.is_none(), info.clone());
        let check = move |tx: &mut Tx<'_>| {
            let collection = records.writable_collection(tx, &name)?;
            let operation = if is_new {
                Operation::Create
            } else {
                Operation::Update
            };
            let rule = access::rule(&collection, operation, &info)?;
            match rule {
                Some(rule) if !access::could_hold(&records, tx, &collection, rule, &info)? => {
                    Err(if is_new {
                        Error::Invalid("Failed to create record.".to_owned())
                    } else {
                        Error::NotFound
                    })
                }
                _ => Ok(collection),
            }
        };
        self.inner.database.read(check).await
    }
}
