//! Requests and responses of the Expo Updates protocol, version 1: parsing and composing, no I/O.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::update::{DEFAULT_CHANNEL, Platform, is_name};

/// Parts the parts of a multipart answer. Manifests are JSON, which cannot hold a line that starts
/// with it: line breaks in strings are escaped.
const BOUNDARY: &str = "mito-expo-update";

/// What may also be given in the query, for people with a browser.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ManifestQuery {
    platform: Option<String>,
    runtime_version: Option<String>,
    channel: Option<String>,
}

/// A request for a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestRequest {
    /// For what.
    pub(crate) platform: Platform,
    /// The native code that runs.
    pub(crate) runtime_version: String,
    /// Whose updates are wanted.
    pub(crate) channel: String,
    /// What runs now.
    pub(crate) current_update: Option<String>,
    /// How the answer is wanted.
    pub(crate) format: Format,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `multipart/mixed`.
    Multipart,
    /// `application/expo+json`.
    ExpoJson,
    /// `application/json`.
    Json,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Multipart => "multipart/mixed",
            Self::ExpoJson => "application/expo+json",
            Self::Json => "application/json",
        }
    }
}

/// Reads a request; the error is what it is answered with.
pub(crate) fn parse(
    headers: &HeaderMap,
    query: &ManifestQuery,
) -> Result<ManifestRequest, (StatusCode, &'static str)> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("expo-protocol-version").is_some_and(|version| version.trim() != "1") {
        return Err((
            StatusCode::NOT_ACCEPTABLE,
            "only protocol version 1 is spoken here",
        ));
    }
    let platform = header("expo-platform")
        .or(query.platform.as_deref())
        .unwrap_or_default();
    let platform = Platform::parse(platform).ok_or((
        StatusCode::BAD_REQUEST,
        "expo-platform must be ios or android",
    ))?;
    let runtime_version = header("expo-runtime-version").or(query.runtime_version.as_deref());
    let runtime_version = runtime_version.filter(|version| is_name(version)).ok_or((
        StatusCode::BAD_REQUEST,
        "expo-runtime-version is missing or malformed",
    ))?;
    let channel = header("expo-channel-name").or(query.channel.as_deref());
    let channel = channel.unwrap_or(DEFAULT_CHANNEL);
    if !is_name(channel) {
        return Err((StatusCode::BAD_REQUEST, "expo-channel-name is malformed"));
    }
    let accept = header(header::ACCEPT.as_str()).unwrap_or("*/*");
    let format = negotiate(accept).ok_or((
        StatusCode::NOT_ACCEPTABLE,
        "accept multipart/mixed, application/expo+json or application/json",
    ))?;
    Ok(ManifestRequest {
        platform,
        runtime_version: runtime_version.to_owned(),
        channel: channel.to_owned(),
        current_update: header("expo-current-update-id").map(str::to_ascii_lowercase),
        format,
    })
}

/// The format that the client likes best; on a tie the one that can say most.
fn negotiate(accept: &str) -> Option<Format> {
    let accept = accept.to_ascii_lowercase();
    // Somebody who takes anything is a person, who would rather read JSON.
    let formats = [Format::Multipart, Format::ExpoJson, Format::Json];
    let mut best: Option<(u32, Format)> = None;
    for format in formats {
        let quality = quality_of(&accept, format);
        if quality > best.map_or(0, |(best, _)| best) {
            best = Some((quality, format));
        }
    }
    match best {
        Some((_, Format::Multipart)) if !accept.contains("multipart/") => Some(Format::ExpoJson),
        other => other.map(|(_, format)| format),
    }
}

/// How much a client likes a format, in thousandths; 0 is not at all. The most specific range
/// counts (RFC 9110 §12.5.1).
fn quality_of(accept: &str, format: Format) -> u32 {
    let wanted = format.content_type();
    let main = wanted.split('/').next().unwrap_or_default();
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let specific = if media == wanted {
            3
        } else if media.strip_suffix("/*") == Some(main) {
            2
        } else if media == "*/*" {
            1
        } else {
            continue;
        };
        let quality = parts
            .find_map(|it| it.strip_prefix("q="))
            .map_or(1_000, thousandths);
        if specific > best.0 {
            best = (specific, quality);
        }
    }
    best.1
}

fn thousandths(quality: &str) -> u32 {
    let (whole, rest) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let parsed = (whole.parse::<u32>(), digits.parse::<u32>());
    let (Ok(whole), Ok(digits)) = parsed else {
        return 0;
    };
    (whole.min(1) * 1_000 + digits).min(1_000)
}

/// What a client is told.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// There is this update.
    Manifest(Value),
    /// It runs the newest, or there is none.
    NoUpdate,
}

/// Writes the answer in the format that was asked for. JSON cannot carry a directive, so there
/// "no update" is 204.
pub(crate) fn respond(request: &ManifestRequest, answer: &Answer) -> Response {
    let mut response = Response::new(Body::empty());
    let (content_type, body) = match (request.format, answer) {
        (Format::Multipart, Answer::Manifest(manifest)) => multipart(&[
            ("manifest", "application/json", manifest.to_string()),
            (
                "extensions",
                "application/json",
                json!({ "assetRequestHeaders": {} }).to_string(),
            ),
        ]),
        (Format::Multipart, Answer::NoUpdate) => {
            let directive = json!({ "type": "noUpdateAvailable" }).to_string();
            multipart(&[("directive", "application/json", directive)])
        }
        (Format::ExpoJson | Format::Json, Answer::Manifest(manifest)) => (
            request.format.content_type().to_owned(),
            manifest.to_string(),
        ),
        (Format::ExpoJson | Format::Json, Answer::NoUpdate) => {
            *response.status_mut() = StatusCode::NO_CONTENT;
            (String::new(), String::new())
        }
    };
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::try_from(content_type)
        && !content_type.is_empty()
    {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert("expo-protocol-version", HeaderValue::from_static("1"));
    headers.insert("expo-sfv-version", HeaderValue::from_static("0"));
    // The running update of another channel does not pass this filter, so that changing the
    // channel loads the other channel's update even where it is older.
    if let Ok(filters) = HeaderValue::try_from(format!("channel=\"{}\"", request.channel)) {
        headers.insert("expo-manifest-filters", filters);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=0"),
    );
    headers.insert(header::VARY, HeaderValue::from_static(
        "accept, expo-platform, expo-runtime-version, expo-channel-name, expo-current-update-id",
    ));
    *response.body_mut() = Body::from(body);
    response
}

fn multipart(parts: &[(&str, &str, String)]) -> (String, String) {
    let mut body = String::new();
    for (name, content_type, content) in parts {
        for piece in [
            "--",
            BOUNDARY,
            "\r\ncontent-disposition: form-data; name=\"",
            name,
            "\"\r\ncontent-type: ",
            content_type,
            "\r\n\r\n",
            content,
            "\r\n",
        ] {
            body.push_str(piece);
        }
    }
    body.push_str("--");
    body.push_str(BOUNDARY);
    body.push_str("--\r\n");
    (format!("multipart/mixed; boundary={BOUNDARY}"), body)
}

#[cfg(test)]
mod tests;
