//! What a new account begins with: what the client sent, and what the site says where the client
//! sent nothing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{OAuth2Code, PASSWORD_LENGTH, person::Person};
use crate::{
    Collection, Field, Records,
    accounts::options::AuthOptions,
    fields::FieldKind,
    files::{Body, StagedFile, Upload},
    records::Submitted,
};

/// Characters of a record's id.
const ID_LENGTH: usize = 15;
/// The largest picture that is taken over, in bytes.
const MAX_PICTURE: usize = 5 * 1024 * 1024;

impl Records {
    /// The values of a new account.
    pub(super) async fn values_of(
        &self,
        collection: &Collection,
        options: &AuthOptions,
        code: &OAuth2Code,
        person: &Person,
    ) -> Submitted {
        let mut values = code.create_data.clone();
        let mapped = &options.oauth2.mapped_fields;
        let mut set = |name: &str, value: &str| {
            let known = collection.fields.iter().find(|field| field.name == name);
            let field = known.filter(|_| !value.is_empty())?;
            if field.kind_of() == Some(FieldKind::File) {
                return (!values.contains_key(name)).then(|| field.clone());
            }
            values.entry(name).or_insert_with(|| json!(value));
            None
        };
        set(&mapped.id, &person.id);
        set(&mapped.name, &person.name);
        set(&mapped.username, &person.username);
        let picture = set(&mapped.avatar_url, &person.avatar_url);
        set("email", &person.email);
        if !values.contains_key("password") {
            // Nobody knows it; one that somebody knows is set by a password reset.
            let password = self.inner.random.id(PASSWORD_LENGTH);
            values.insert("passwordConfirm".to_owned(), json!(password));
            values.insert("password".to_owned(), json!(password));
        }
        let mut submitted = Submitted::from(values);
        if let Some(field) = picture {
            let record = match submitted.values.get("id").and_then(Value::as_str) {
                Some(id) if !id.is_empty() => id.to_owned(),
                _ => self.inner.random.id(ID_LENGTH),
            };
            if let Some(file) = self.picture_file(collection, &field, &record, person).await {
                submitted.files = Arc::new(vec![(field.name, vec![file])]);
                submitted.record_id = Some(record);
            }
        }
        submitted
    }

    /// The person's picture as a file of the record to be; `None` when it is none that the field
    /// takes: an account without a picture is better than none.
    async fn picture_file(
        &self,
        collection: &Collection,
        field: &Field,
        record: &str,
        person: &Person,
    ) -> Option<StagedFile> {
        let limit = field.limit_option("maxSize").unwrap_or(MAX_PICTURE);
        let picture = self
            .picture(&person.avatar_url, limit.min(MAX_PICTURE))
            .await?;
        let upload = Upload {
            collection_id: &collection.id,
            record_id: record,
            field: &field.name,
            original_name: "avatar",
            max_bytes: u64::try_from(MAX_PICTURE).unwrap_or(u64::MAX),
        };
        let body: Body = Box::pin(futures_util::stream::once(async { Ok(picture) }));
        let staged = self.files().stage(upload, body).await;
        let file = match staged {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, "a picture was not stored");
                return None;
            }
        };
        let mut allowed = field.list_option("mimeTypes").peekable();
        let is_allowed = allowed.peek().is_none() || allowed.any(|mime| mime == file.mime);
        let is_picture = file.mime.starts_with("image/");
        if is_allowed && is_picture {
            return Some(file);
        }
        self.files().abandon(&[file]).await;
        None
    }
}
