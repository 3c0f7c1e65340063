//! Accounts by what people type to say who they are.

use mito_database::{Dialect, Row, Tx, Value as Stored};

use crate::{
    Collection, Error, FieldError, Records,
    accounts::{
        Account,
        options::{PasswordAuth, check::unique_index},
    },
    names::quote,
    sql::Sql,
};

/// The longest identity that is looked up, in bytes.
const MAX_IDENTITY: usize = 1_020;

/// The fields to look at.
pub(super) fn wanted(options: &PasswordAuth, only: Option<&str>) -> Result<Vec<String>, Error> {
    match only {
        None | Some("") => Ok(options.identity_fields.clone()),
        Some(only) if options.identity_fields.iter().any(|field| field == only) => {
            Ok(vec![only.to_owned()])
        }
        Some(_) => {
            let error = FieldError::new("validation_in_invalid", "Must be a valid value.");
            Err(Error::field("identityField", error))
        }
    }
}

impl Records {
    /// The account that has that value in one of the fields, the first that finds one. An index
    /// that ignores case is searched ignoring it. An address in lower case is found too, since
    /// some keyboards begin with a capital; the exact one wins.
    pub(super) async fn find_account(
        &self,
        collection: &Collection,
        fields: Vec<String>,
        identity: &str,
    ) -> Result<Option<Account>, Error> {
        if identity.is_empty() || identity.len() > MAX_IDENTITY || identity.contains('\0') {
            return Ok(None);
        }
        let (collection, identity) = (collection.clone(), identity.to_owned());
        let find = move |tx: &mut Tx<'_>| {
            let mut found = None;
            // Every field is searched whatever the ones before it have found.
            for field in &fields {
                let account = by_field(tx, &collection, field, &identity)?;
                found = found.or(account);
            }
            Ok(found)
        };
        self.inner.database.read(find).await
    }
}

fn by_field(
    tx: &mut Tx<'_>,
    collection: &Collection,
    field: &str,
    identity: &str,
) -> Result<Option<Account>, Error> {
    let Some(index) = unique_index(collection, field) else {
        return Ok(None);
    };
    let ignores_case = index
        .columns
        .first()
        .is_some_and(|column| column.ignores_case);
    let (table, column) = (quote(&collection.name), quote(field));
    let mut sql = Sql::new(format!(
        "SELECT id, password, {column} AS identity FROM {table} WHERE "
    ));
    // The condition of the index, so that it is used.
    if index.leaves_out_empty() {
        sql.push(&column).push(" != '' AND ");
    }
    let given = Stored::Text(identity.to_owned());
    if ignores_case && tx.dialect() == Dialect::Sqlite {
        sql.push(&column)
            .push(" = ")
            .bind(given)
            .push(" COLLATE NOCASE");
    } else if ignores_case {
        sql.push(&format!("lower({column}) = lower("))
            .bind(given)
            .push(")");
    } else {
        sql.push(&column).push(" IN (");
        sql.bind(given);
        if field == "email" {
            sql.push(", ").bind(Stored::Text(identity.to_lowercase()));
        }
        sql.push(")");
    }
    sql.push(" LIMIT 2");
    let rows = sql.query(tx)?;
    let is_exact = |row: &&Row| {
        row.get::<String>("identity")
            .is_ok_and(|own| own == identity)
    };
    let Some(row) = rows.iter().find(is_exact).or(rows.first()) else {
        return Ok(None);
    };
    Ok(Some(Account {
        id: row.get("id")?,
        password_hash: row.get("password")?,
    }))
}
