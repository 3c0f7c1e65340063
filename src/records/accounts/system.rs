//! The system collections of accounts: `_mfas`, `_otps`, `_externalAuths` and `_authOrigins`. Their
//! records are ordinary ones, which their owners may list; only the platform writes them.

use mito_database::{Tx, Value as Stored};
use serde_json::{Value, json};

use crate::{Collection, Error, Record, Records, names::quote, records::write::Origin, sql::Sql};

/// First methods of sign-ins that need two.
pub(crate) const MFAS: &str = "_mfas";
/// One-time passwords.
pub(crate) const OTPS: &str = "_otps";
/// Other sites' accounts.
pub(crate) const EXTERNAL_AUTHS: &str = "_externalAuths";
/// Where accounts have signed in from.
pub(crate) const AUTH_ORIGINS: &str = "_authOrigins";

/// All of them.
pub(crate) const ALL: [&str; 4] = [MFAS, OTPS, EXTERNAL_AUTHS, AUTH_ORIGINS];
/// The most records of an account in one of them that are deleted together.
const MAX_PER_ACCOUNT: i64 = 500;

/// Whose a record of a system collection is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    /// The id of the auth collection.
    pub(crate) collection: &'a str,
    /// The account.
    pub(crate) record: &'a str,
}

impl Records {
    /// Adds a record for an account; returns its id.
    pub(crate) fn add_system_record(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        owner: Owner<'_>,
        values: &[(&str, &str)],
        password: Option<&str>,
    ) -> Result<String, Error> {
        let collection = self.shared_collection_in(tx, name)?;
        let mut record = Record::new();
        record.insert("collectionRef".to_owned(), json!(owner.collection));
        record.insert("recordRef".to_owned(), json!(owner.record));
        for (name, value) in values {
            record.insert((*name).to_owned(), Value::String((*value).to_owned()));
        }
        let origin = Origin {
            request_id: None,
            password_hash: password,
        };
        self.insert(tx, &collection, &record, origin)
    }

    /// Deletes a record.
    pub(crate) fn remove_system_record(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        id: &str,
    ) -> Result<(), Error> {
        let collection = self.shared_collection_in(tx, name)?;
        match self.remove(tx, &collection, id, None) {
            Err(Error::NotFound) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Deletes what one of them holds of an account.
    pub(crate) fn remove_system_records_of(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        owner: Owner<'_>,
    ) -> Result<(), Error> {
        let collection = self.shared_collection_in(tx, name)?;
        for id in ids_of(tx, &collection, owner)? {
            self.remove(tx, &collection, &id, None)?;
        }
        Ok(())
    }

    /// Deletes everything that they hold of an account that is gone.
    pub(crate) fn forget_account(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        id: &str,
    ) -> Result<(), Error> {
        if !collection.is_auth() {
            return Ok(());
        }
        let owner = Owner {
            collection: &collection.id,
            record: id,
        };
        for name in ALL {
            self.remove_system_records_of(tx, name, owner)?;
        }
        Ok(())
    }
}

fn ids_of(
    tx: &mut Tx<'_>,
    collection: &Collection,
    owner: Owner<'_>,
) -> Result<Vec<String>, Error> {
    let table = quote(&collection.name);
    let mut sql = Sql::new(format!("SELECT id FROM {table} WHERE \"collectionRef\" = "));
    sql.bind(Stored::Text(owner.collection.to_owned()));
    sql.push(" AND \"recordRef\" = ")
        .bind(Stored::Text(owner.record.to_owned()));
    sql.push(&format!(" LIMIT {MAX_PER_ACCOUNT}"));
    let rows = sql.query(tx)?;
    rows.iter().map(|row| Ok(row.get("id")?)).collect()
}
