//! The bodies of the endpoints of accounts: JSON objects of texts and a number.

use std::sync::Arc;

use axum::{body::Body, extract::FromRequest};
use http::{Request, StatusCode};
use mito_records::{Error, FieldError, Record};
use secrecy::SecretString;
use serde_json::Value;

use crate::{Api, body::JsonBody, caller::Caller, envelope::Envelope};

/// A body of these endpoints. What is wrong with it is told when it is read: a collection that is
/// not there is told first, as in PocketBase.
#[derive(Debug)]
pub(crate) struct Form {
    values: Record,
    wrong: Option<Envelope>,
}

impl FromRequest<Arc<Api>> for Form {
    type Rejection = Envelope;

    async fn from_request(request: Request<Body>, api: &Arc<Api>) -> Result<Self, Envelope> {
        match JsonBody::<Record>::from_request(request, api).await {
            Ok(JsonBody(values)) => Ok(Self {
                values,
                wrong: None,
            }),
            Err(envelope) if envelope.status() == StatusCode::BAD_REQUEST => Ok(Self {
                values: Record::new(),
                wrong: Some(malformed()),
            }),
            Err(envelope) => Err(envelope),
        }
    }
}

fn malformed() -> Envelope {
    Envelope::bad_request("An error occurred while loading the submitted data.")
}

impl Form {
    /// A value of any kind.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&Value>, Envelope> {
        match &self.wrong {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(self.values.get(name)),
        }
    }

    /// All that was sent, as rules see it.
    pub(crate) fn into_values(self) -> Record {
        self.values
    }

    /// A text; empty when it is absent.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Envelope> {
        match self.get(name)? {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(malformed()),
        }
    }

    /// A secret; empty when it is absent.
    pub(crate) fn secret(&self, name: &str) -> Result<SecretString, Envelope> {
        self.text(name).map(SecretString::from)
    }

    /// A whole number; 0 when it is absent.
    pub(crate) fn number(&self, name: &str) -> Result<i64, Envelope> {
        match self.get(name)? {
            None | Some(Value::Null) => Ok(0),
            Some(value) => value.as_i64().ok_or_else(malformed),
        }
    }

    /// Texts that must be there and no longer than so many characters.
    pub(crate) fn require(
        &self,
        wanted: &[(&str, usize)],
        caller: &Caller,
    ) -> Result<(), Envelope> {
        let mut errors = std::collections::BTreeMap::new();
        for (name, max) in wanted {
            let value = self.text(name)?;
            let error = if value.is_empty() {
                FieldError::required()
            } else if value.chars().count() > *max {
                FieldError::length_out_of_range(1, *max)
            } else {
                continue;
            };
            errors.insert((*name).to_owned(), error);
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Envelope::from_error(Error::Fields(errors), caller))
    }
}
