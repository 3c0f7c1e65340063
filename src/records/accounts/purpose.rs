//! Tokens that are good for one thing: verifying an address, a new password, a new address, a
//! protected file. Their key contains the account's token key, so all of them end when its password
//! or address changes, and the collection's secret for their kind, if it has one.

use mito_database::Tx;
use mito_network::Identity;

use crate::{
    Collection, Error, Records,
    accounts::{
        options::{AuthOptions, TokenOptions},
        sessions::{self, millis},
        tokens::{self, PurposeClaims, same},
    },
    names::quote,
};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verification,
    PasswordReset,
    EmailChange,
    File,
}

impl Purpose {
    /// The claim `type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::PasswordReset => "passwordReset",
            Self::EmailChange => "emailChange",
            Self::File => "file",
        }
    }

    fn options(self, options: &AuthOptions) -> &TokenOptions {
        match self {
            Self::Verification => &options.verification_token,
            Self::PasswordReset => &options.password_reset_token,
            Self::EmailChange => &options.email_change_token,
            Self::File => &options.file_token,
        }
    }
}

/// An account as its tokens need it.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) verified: bool,
    pub(crate) password_hash: String,
    token_key: String,
}

/// The account with that id.
pub(crate) fn holder(
    tx: &mut Tx<'_>,
    collection: &Collection,
    id: &str,
) -> Result<Option<Holder>, Error> {
    find(tx, collection, "id", id)
}

/// The account with that address.
pub(crate) fn holder_of_email(
    tx: &mut Tx<'_>,
    collection: &Collection,
    email: &str,
) -> Result<Option<Holder>, Error> {
    find(tx, collection, "email", email)
}

fn find(
    tx: &mut Tx<'_>,
    collection: &Collection,
    column: &str,
    value: &str,
) -> Result<Option<Holder>, Error> {
    if value.is_empty() || value.contains('\0') {
        return Ok(None);
    }
    let sql = format!(
        "SELECT id, email, verified, password, \"tokenKey\" AS token_key FROM {} WHERE {} = $1",
        quote(&collection.name),
        quote(column)
    );
    let row = tx.query_one(&sql, &[&value])?;
    row.map(|row| {
        Ok(Holder {
            id: row.get("id")?,
            email: row.get("email")?,
            verified: row.get("verified")?,
            password_hash: row.get("password")?,
            token_key: row.get("token_key")?,
        })
    })
    .transpose()
}

impl Records {
    /// A token for an account.
    pub(crate) fn purpose_token(
        &self,
        tx: &Tx<'_>,
        collection: &Collection,
        purpose: Purpose,
        holder: &Holder,
        new_email: Option<&str>,
    ) -> Result<String, Error> {
        let options = AuthOptions::of(collection);
        let token = purpose.options(&options);
        let expires_ms = tx.now_ms().saturating_add(millis(token.duration()));
        let with_email = purpose != Purpose::File;
        let claims = PurposeClaims {
            collection_id: collection.id.clone(),
            email: with_email.then(|| holder.email.clone()),
            exp: expires_ms / 1_000,
            id: holder.id.clone(),
            new_email: new_email.map(str::to_owned),
            refreshable: None,
            kind: purpose.name().to_owned(),
        };
        let own = format!("{}{}", holder.token_key, token.secret);
        self.inner.keys.sign_for(purpose, &own, &claims)
    }

    /// The account and the claims of a token that is good for this purpose now. A token that
    /// another PocketBase signed for an imported collection is good too.
    pub(crate) fn check_purpose_token(
        &self,
        tx: &mut Tx<'_>,
        purpose: Purpose,
        token: &str,
    ) -> Result<Option<(Holder, PurposeClaims)>, Error> {
        let Some(claims) = tokens::peek(token) else {
            return Ok(None);
        };
        if claims.kind != purpose.name() || claims.has_expired(tx.now_ms()) {
            return Ok(None);
        }
        let collection = match self.shared_collection_in(tx, &claims.collection_id) {
            Err(Error::NotFound) => return Ok(None),
            other => other?,
        };
        if !collection.is_auth() {
            return Ok(None);
        }
        let Some(holder) = holder(tx, &collection, &claims.id)? else {
            return Ok(None);
        };
        let options = AuthOptions::of(&collection);
        let secret = &purpose.options(&options).secret;
        let own = format!("{}{secret}", holder.token_key);
        let is_ours = self.inner.keys.is_signed_for(purpose, &own, token);
        let is_imported = !secret.is_empty() && tokens::is_signed_with(token, &own);
        let same_email = claims
            .email
            .as_ref()
            .is_none_or(|email| same(email, &holder.email));
        Ok(((is_ours || is_imported) && same_email).then_some((holder, claims)))
    }

    /// A token by which a page that cannot send headers may load protected files.
    pub async fn new_file_token(&self, identity: &Identity) -> Result<String, Error> {
        let (records, identity) = (self.clone(), identity.clone());
        let sign = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &identity.collection_id)?;
            let holder = holder(tx, &collection, &identity.id)?.ok_or_else(sessions::ended)?;
            records.purpose_token(tx, &collection, Purpose::File, &holder, None)
        };
        self.inner.database.read(sign).await
    }

    /// Whose a token for protected files is.
    pub async fn file_token_identity(&self, token: &str) -> Result<Option<Identity>, Error> {
        let (records, token) = (self.clone(), token.to_owned());
        let check = move |tx: &mut Tx<'_>| {
            let Some((holder, claims)) = records.check_purpose_token(tx, Purpose::File, &token)?
            else {
                return Ok(None);
            };
            let collection = records.shared_collection_in(tx, &claims.collection_id)?;
            Ok(Some(Identity {
                id: holder.id,
                collection: collection.name.clone(),
                collection_id: collection.id.clone(),
                email: holder.email,
                session_id: String::new(),
            }))
        };
        self.inner.database.read(check).await
    }
}
