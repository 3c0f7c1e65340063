//! The embedded single-page application of `web`, with its headers. It serves files and nothing
//! else: the application calls `/_mito/api/…`, which the `api` role answers and guards.
//!
//! | module | what it holds |
//! |---|---|
//! | [`files`] | the built files with content type and ETag |
//! | [`headers`] | the content security policy and what else every answer carries |
//!
//! File names carry no hash, so browsers ask each time (`no-cache`) and mostly hear 304. Every
//! path that is no file and looks like a page answers `index.html`, where the application's own
//! router takes over.

pub mod files;
pub mod headers;

use std::{convert::Infallible, future::ready, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use mito_network::{ConnectionInfo, HttpService, Problem};
use tower::util::BoxCloneSyncService;

use crate::files::{File, Files};

/// The entry point that opens with the page about routing.
const DASHBOARD_ENTRY_POINT: &str = "traefik";

/// The application: its files with a strict content security policy, and `index.html` for every
/// path that is none.
pub fn service() -> HttpService {
    let files = Arc::new(Files::embedded());
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
        let mut response = if is_dashboard_door(&request) {
            to_routing()
        } else {
            answer(
                &files,
                request.method(),
                request.uri().path(),
                request.headers(),
            )
        };
        headers::apply(response.headers_mut());
        ready(Ok::<_, Infallible>(response))
    }))
}

/// Whether a browser opens the entry point where Traefik had its dashboard. Only the server knows,
/// whatever port that is.
fn is_dashboard_door(request: &Request<Body>) -> bool {
    let connection = request.extensions().get::<ConnectionInfo>();
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    is_read
        && request.uri().path() == "/"
        && connection.is_some_and(|it| &*it.entrypoint == DASHBOARD_ENTRY_POINT)
}

/// Leads to the page about routing, which the dashboard's place has become.
fn to_routing() -> Response {
    let mut response = StatusCode::FOUND.into_response();
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static("/gateway"));
    response
}

/// Answers one request, without the headers that all answers share.
fn answer(files: &Files, method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let detail = "the control panel's files can only be read";
        let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let found = match files.get(path.trim_start_matches('/')) {
        None if is_page(path) => files.get("index.html"),
        found => found,
    };
    match found {
        Some(file) if is_unchanged(file, headers) => not_modified(file),
        Some(file) => serve(file, method),
        None => {
            Problem::new(StatusCode::NOT_FOUND, format!("there is no file {path}")).into_response()
        }
    }
}

/// Whether the application has a page there. Names below `assets` and names with a dot at the top
/// are files (`/robots.txt`); further down a dot may belong to a bucket or a key.
fn is_page(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match first {
        "assets" | "_mito" | "api" => false,
        _ => !rest.is_empty() || !first.contains('.'),
    }
}

/// Whether the client holds the file already (RFC 9110, section 13.1.2). The comparison is weak,
/// because the gateway weakens the ETag of what it compresses.
fn is_unchanged(file: &File, headers: &HeaderMap) -> bool {
    let etag = file.etag.as_bytes();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == etag)
}

fn not_modified(file: &File) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    cache_headers(file, response.headers_mut());
    response
}

fn serve(file: &File, method: &Method) -> Response {
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(file.data.clone())
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, file.content_type.clone());
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.data.len()));
    cache_headers(file, headers);
    response
}

fn cache_headers(file: &File, headers: &mut HeaderMap) {
    headers.insert(header::ETAG, file.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

#[cfg(test)]
mod tests;
