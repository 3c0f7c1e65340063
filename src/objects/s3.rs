//! The S3 protocol, by the s3s crate. No s3s type leaves this module: another version, or another
//! implementation, changes these files alone.

mod absent;
mod access;
mod conditions;
mod copy;
mod errors;
mod host;
mod listing;
mod multipart;
mod objects;
mod operations;
mod output;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use http::{Request, Response};
use s3s::{
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};
use secrecy::ExposeSecret as _;

use crate::Objects;

/// The largest XML body: 1,000 keys to delete of 1,024 bytes, escaped, or 10,000 parts.
pub(crate) const MAX_XML_BYTES: usize = 8 * 1024 * 1024;

/// Which operation a request turned out to be; filled while it is served.
#[derive(Clone, Debug, Default)]
pub(crate) struct OperationName(Arc<OnceLock<&'static str>>);

impl OperationName {
    /// The name, `Unknown` if the request was refused before it was understood.
    pub(crate) fn get(&self) -> &'static str {
        self.0.get().copied().unwrap_or("Unknown")
    }
}

/// The id of the request, which goes on with the event of a write.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Serves S3 requests.
#[derive(Clone)]
pub(crate) struct Protocol(S3Service);

impl Protocol {
    pub(crate) fn new(objects: Objects) -> Self {
        let inner = objects.inner.clone();
        let mut config = S3Config::default();
        config.xml_max_body_size = MAX_XML_BYTES;
        // The front refuses forms; should one slip through, it is small.
        config.post_object_max_file_size = MAX_XML_BYTES as u64;
        let mut builder = S3ServiceBuilder::new(operations::Operations { objects });
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_host(host::Hosts::new(&inner.domain));
        builder.set_access(access::RootOnly);
        builder.set_auth(access::RootUser::new(
            inner.config.root_user.clone(),
            inner.root_password.expose_secret(),
        ));
        Self(builder.build())
    }

    /// Serves one request. An error means that not even an error could be answered.
    pub(crate) async fn call(&self, request: Request<Body>) -> Result<Response<Body>, String> {
        let request = request.map(s3s::Body::http_body_unsync);
        match self.0.call(request).await {
            Ok(response) => Ok(response.map(Body::new)),
            Err(error) => Err(format!("{error:?}")),
        }
    }
}
