//! The built files of `web/dist`, embedded in release and debug builds alike.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use http::HeaderValue;
use rust_embed::RustEmbed;

/// What `npm run build` made.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// Ties `dist` to its sources for a test; of no use to a browser.
const SOURCE_HASH: &str = "source.sha256";

/// A file ready to be sent.
#[derive(Clone, Debug)]
pub struct File {
    /// The bytes, in the binary itself.
    pub data: Bytes,
    /// The media type.
    pub content_type: HeaderValue,
    /// A strong ETag: the SHA-256 of the bytes.
    pub etag: HeaderValue,
}

/// Files by their path, without a leading slash.
#[derive(Debug, Default)]
pub struct Files {
    by_path: HashMap<String, File>,
}

impl Files {
    /// The files of the application that this binary was built with.
    pub fn embedded() -> Self {
        let by_path = Dist::iter()
            .filter(|path| path != SOURCE_HASH)
            .filter_map(|path| Some((path.to_string(), file(&path)?)))
            .collect();
        Self { by_path }
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.by_path.get(path)
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }
}

fn file(path: &str) -> Option<File> {
    let embedded = Dist::get(path)?;
    let etag = format!("\"{}\"", hex::encode(embedded.metadata.sha256_hash()));
    let data = match embedded.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    };
    Some(File {
        data,
        content_type: HeaderValue::from_static(content_type(path)),
        etag: HeaderValue::try_from(etag).expect("hex digits in quotes are a header value"),
    })
}

/// The media type of what a build may contain. `nosniff` is sent, so a script with another type
/// would not run.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
