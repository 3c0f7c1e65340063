//! Acting as an account: a session that an administrator begins for it, with one token that is not
//! renewed. It is listed with the account's others, and ended like them.

use std::time::Duration;

use mito_database::Tx;

use crate::{
    Error, FieldError, Records, RequestInfo, Session,
    accounts::{options::AuthOptions, sessions::Start},
    records::read,
};

impl Records {
    /// A token for an account that lasts `seconds`, or as long as the collection's others when 0.
    /// The caller has checked that an administrator asks.
    pub async fn impersonate(
        &self,
        collection: &str,
        record: &str,
        seconds: i64,
        info: &RequestInfo,
    ) -> Result<Session, Error> {
        let definition = self.auth_collection(collection).await?;
        let lasts = match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
            _ => AuthOptions::of(&definition).auth_token.duration(),
        };
        let impersonator = info.identity.as_ref().map(|identity| identity.id.clone());
        let start = Start {
            impersonator: impersonator.unwrap_or_default(),
            lasts: Some(lasts),
            ..Start::of(&definition.id, record, "impersonate", info)
        };
        let records = self.clone();
        let begin = move |tx: &mut Tx<'_>| {
            let collection = records.shared_collection_in(tx, &start.collection_id)?;
            if read::row(tx, &collection, &start.record)?.is_none() {
                return Err(Error::NotFound);
            }
            if seconds < 0 {
                let message = "Must be no less than 0.";
                let error = FieldError::new("validation_min_greater_equal_than_required", message);
                return Err(Error::field("duration", error.with("threshold", 0)));
            }
            records.begin_session(tx, &collection, &start)
        };
        let session = self.inner.database.write(begin).await?;
        tracing::info!(
            collection = %session.identity.collection, record, "an administrator acts as an account"
        );
        Ok(session)
    }
}
