//! What stands before the S3 protocol: health paths, guards against what s3s lets through, a bound
//! on requests at once, request ids, and errors with everything that S3 writes into them.

mod chunks;
mod error_page;
mod guard;

use std::sync::Arc;

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use mito_network::{ConnectionInfo, HttpService};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{service_fn, util::BoxCloneSyncService};

use self::{error_page::ErrorPage, guard::Guard};
use crate::{
    Objects,
    s3::{OperationName, Protocol, RequestId},
};

/// Requests served at once, counted until the last byte of the answer; more are told to slow down.
const MAX_REQUESTS: usize = 512;

/// The S3 protocol with everything before it.
pub(crate) fn service(objects: Objects) -> HttpService {
    with_permits(objects, MAX_REQUESTS)
}

/// [`service`] with another bound on requests at once.
pub(crate) fn with_permits(objects: Objects, permits: usize) -> HttpService {
    let front = Arc::new(Front {
        guard: Guard {
            region: objects.inner.config.region.clone(),
            max_object_bytes: objects.inner.config.max_object_bytes,
        },
        protocol: Protocol::new(objects.clone()),
        objects,
        permits: Arc::new(Semaphore::new(permits)),
    });
    BoxCloneSyncService::new(service_fn(move |request| {
        let front = front.clone();
        async move { Ok(front.serve(request).await) }
    }))
}

struct Front {
    guard: Guard,
    protocol: Protocol,
    objects: Objects,
    permits: Arc<Semaphore>,
}

impl Front {
    async fn serve(&self, request: Request<Body>) -> Response<Body> {
        let request_id = self.request_id(&request);
        let method = request.method().clone();
        let operation = OperationName::default();
        let resource = request.uri().path().to_owned();
        let mut response = if let Some(health) = self.health(&method, &resource).await {
            health
        } else {
            let answer = self.answer(request, &request_id, &operation).await;
            error_page::complete(answer, &resource, &request_id).await
        };
        if method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = Body::empty();
        }
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        metrics::counter!(
            "mito_objects_requests_total",
            "operation" => operation.get(),
            "code" => response.status().as_u16().to_string(),
        )
        .increment(1);
        response
    }

    fn request_id(&self, request: &Request<Body>) -> String {
        match request.extensions().get::<ConnectionInfo>() {
            Some(connection) => connection.request_id.to_string(),
            None => hex::encode_upper(self.objects.inner.random.bytes::<8>()),
        }
    }

    /// `/minio/health/*`, which need no signature.
    async fn health(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let healthy = match path {
            "/minio/health/live" => true,
            "/minio/health/ready" | "/minio/health/cluster" | "/minio/health/cluster/read" => {
                self.objects.is_readable().await.is_ok()
            }
            _ => return None,
        };
        let mut response = Response::new(Body::empty());
        if !healthy {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            let offline = HeaderValue::from_static("offline");
            response
                .headers_mut()
                .insert("x-minio-server-status", offline);
        }
        Some(response)
    }

    async fn answer(
        &self,
        request: Request<Body>,
        request_id: &str,
        operation: &OperationName,
    ) -> Response<Body> {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            return error_page::slow_down().into();
        };
        let framing = match self.guard.check(&request) {
            Ok(framing) => framing,
            Err(refusal) => return refusal.into(),
        };
        let mut request = request;
        request.extensions_mut().insert(operation.clone());
        request
            .extensions_mut()
            .insert(RequestId(request_id.to_owned()));
        let request = match framing {
            Some(framing) => request.map(|body| chunks::bounded(body, framing)),
            None => request,
        };
        match self.protocol.call(request).await {
            Ok(response) => hold(response, permit),
            Err(reason) => {
                tracing::error!(
                    request.id = request_id,
                    reason,
                    "the S3 protocol gave no answer"
                );
                ErrorPage::internal().into()
            }
        }
    }
}

/// Keeps the permit until the last byte has been sent.
fn hold(response: Response<Body>, permit: OwnedSemaphorePermit) -> Response<Body> {
    if http_body::Body::is_end_stream(response.body()) || is_error(&response) {
        return response;
    }
    let length = http_body::Body::size_hint(response.body()).exact();
    let mut response = response.map(|body| {
        let stream = body.into_data_stream().map(move |bytes| {
            let _held = &permit;
            bytes
        });
        Body::from_stream(stream)
    });
    if let Some(length) = length {
        response
            .headers_mut()
            .entry(header::CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    response
}

fn is_error(response: &Response<Body>) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}
