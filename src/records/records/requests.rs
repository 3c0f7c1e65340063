//! Creating, changing and deleting as a request asks for it, with rules.

use mito_database::Tx;

use crate::{
    Error, Record, Records, RequestInfo,
    accounts::change::Secrets,
    records::{plan::Written, submitted::Submitted},
};

impl Records {
    /// Creates with the create rule applied.
    pub async fn create(
        &self,
        collection: &str,
        submitted: impl Into<Submitted>,
        info: &RequestInfo,
    ) -> Result<Record, Error> {
        let submitted = submitted.into();
        let mut secrets = None;
        if has_password(&submitted) {
            secrets = self.secrets_of_create(collection, &submitted, info).await?;
        }
        let (records, name) = (self.clone(), collection.to_owned());
        let asked = info.clone();
        let create = move |tx: &mut Tx<'_>| {
            records.create_as_asked(tx, &name, &submitted, secrets.as_ref(), &asked)
        };
        let written = self.inner.database.write(create).await?;
        Ok(written.record(info))
    }

    /// Changes the given fields with the update rule applied.
    pub async fn update(
        &self,
        collection: &str,
        id: &str,
        submitted: impl Into<Submitted>,
        info: &RequestInfo,
    ) -> Result<Record, Error> {
        let submitted = submitted.into();
        let mut secrets = None;
        if has_password(&submitted) {
            secrets = self
                .secrets_of_update((collection, id), &submitted, info)
                .await?;
        }
        let (records, name, id) = (self.clone(), collection.to_owned(), id.to_owned());
        let asked = info.clone();
        let update = move |tx: &mut Tx<'_>| {
            records.update_as_asked(tx, (&name, &id), &submitted, secrets.as_ref(), &asked)
        };
        let written = self.inner.database.write(update).await?;
        self.follow_sessions(&written);
        Ok(written.record(info))
    }

    /// Deletes with the delete rule applied.
    pub async fn delete(
        &self,
        collection: &str,
        id: &str,
        info: &RequestInfo,
    ) -> Result<(), Error> {
        let (records, name, id) = (self.clone(), collection.to_owned(), id.to_owned());
        let info = info.clone();
        let delete = move |tx: &mut Tx<'_>| records.delete_as_asked(tx, (&name, &id), &info);
        let ended = self.inner.database.write(delete).await?;
        self.mark_all_ended(&ended);
        Ok(())
    }

    /// Brings hot copies of sessions up to what a write did to their account.
    pub(crate) fn follow_sessions(&self, written: &Written) {
        if written.ended {
            self.mark_all_ended(&written.sessions);
        } else {
            self.forget_sessions(&written.sessions);
        }
    }

    /// The rule and the values come first: nobody has the server hash a password for an account
    /// that they may not create, or that cannot be created like this.
    async fn secrets_of_create(
        &self,
        collection: &str,
        submitted: &Submitted,
        info: &RequestInfo,
    ) -> Result<Option<Secrets>, Error> {
        let (records, name) = (self.clone(), collection.to_owned());
        let (submitted, asked) = (submitted.clone(), info.clone());
        let plan = move |tx: &mut Tx<'_>| {
            let collection = records.writable_collection(tx, &name)?;
            let plan = records.plan_create(tx, &collection, &submitted, &asked)?;
            let change = plan.password;
            Ok::<_, Error>(change.map(|change| (collection.id.clone(), change)))
        };
        match self.inner.database.read(plan).await? {
            Some((collection_id, change)) => self
                .secrets(&collection_id, "", change, info.identity.as_ref())
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    async fn secrets_of_update(
        &self,
        (collection, id): (&str, &str),
        submitted: &Submitted,
        info: &RequestInfo,
    ) -> Result<Option<Secrets>, Error> {
        let (records, name, record) = (self.clone(), collection.to_owned(), id.to_owned());
        let (submitted, asked) = (submitted.clone(), info.clone());
        let plan = move |tx: &mut Tx<'_>| {
            let collection = records.writable_collection(tx, &name)?;
            let plan = records.plan_update(tx, &collection, &record, &submitted, &asked)?;
            let change = plan.password;
            Ok::<_, Error>(change.map(|change| (collection.id.clone(), change)))
        };
        match self.inner.database.read(plan).await? {
            Some((collection_id, change)) => self
                .secrets(&collection_id, id, change, info.identity.as_ref())
                .await
                .map(Some),
            None => Ok(None),
        }
    }
}

/// Whether the body could be one that sets a password.
pub(crate) fn has_password(submitted: &Submitted) -> bool {
    submitted.values.contains_key("password")
}
