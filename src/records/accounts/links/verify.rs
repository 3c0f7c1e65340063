//! Verification: whoever opens the link has read the mail.

use mito_database::Tx;
use serde_json::json;

use super::{Confirmed, Request, invalid_token};
use crate::{
    Error, FieldError, Record, Records, RequestInfo,
    accounts::{
        options::AuthOptions,
        purpose::Purpose,
        tokens::{self, same},
    },
};

impl Records {
    /// Mails a link to the account with that address, if there is one that is not verified.
    pub async fn request_verification(
        &self,
        collection: &str,
        email: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(collection).await?;
        let template = AuthOptions::of(&definition).verification_template;
        let request = Request {
            purpose: Purpose::Verification,
            collection,
            email,
        };
        self.request_link(request, info, template, |holder| !holder.verified)
            .await
    }

    /// Verifies the address that the token was made for.
    pub async fn confirm_verification(
        &self,
        collection: &str,
        token: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let definition = self.auth_collection(collection).await?;
        if token.is_empty() {
            return Err(Error::field("token", FieldError::required()));
        }
        let claims = tokens::peek(token);
        if claims
            .as_ref()
            .and_then(|claims| claims.email.as_ref())
            .is_none()
        {
            let message = "Missing email token claim.";
            let error = FieldError::new("validation_invalid_token_claims", message);
            return Err(Error::field("token", error));
        }
        let (records, token, info) = (self.clone(), token.to_owned(), info.clone());
        let confirm = move |tx: &mut Tx<'_>| {
            let refused = || Error::field("token", invalid_token());
            let collection = records.shared_collection_in(tx, &definition.id)?;
            let (holder, claims) = records
                .check_purpose_token(tx, Purpose::Verification, &token)?
                .filter(|(_, claims)| same(&claims.collection_id, &collection.id))
                .ok_or_else(refused)?;
            if holder.verified {
                return Ok(Vec::new());
            }
            let mut values = Record::new();
            values.insert("verified".to_owned(), json!(true));
            let confirmed = Confirmed {
                values,
                password_hash: None,
                ends: false,
            };
            records.confirm(tx, &collection, &claims.id, &confirmed, &info)
        };
        let sessions = self.inner.database.write(confirm).await?;
        self.followed(&sessions, false);
        Ok(())
    }
}
