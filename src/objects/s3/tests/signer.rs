//! AWS signature version 4 as a client computes it, for tests.

use axum::body::Body;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request};
use sha2::{Digest as _, Sha256};

/// Signs requests.
pub(crate) struct Signer {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
    pub(crate) host: String,
    pub(crate) date: String,
}

/// How the body is signed.
pub(crate) enum Payload {
    /// Its SHA-256 is in the head.
    Hashed(Vec<u8>),
    /// Not at all.
    Unsigned(Vec<u8>),
    /// In signed chunks of the given size.
    Chunked(Vec<u8>, usize),
    /// In unsigned chunks with a trailing CRC-32.
    Trailer(Vec<u8>, String),
}

impl Default for Signer {
    fn default() -> Self {
        let now = jiff::Timestamp::now();
        Self {
            access_key: "mito".to_owned(),
            secret_key: super::PASSWORD.to_owned(),
            region: "us-east-1".to_owned(),
            host: "minio.example.org".to_owned(),
            date: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        }
    }
}

/// A path as clients encode it.
pub(crate) fn encode(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

impl Signer {
    fn scope(&self) -> String {
        format!("{}/{}/s3/aws4_request", &self.date[..8], self.region)
    }

    fn signature(&self, text: &str) -> String {
        let key = hmac(
            format!("AWS4{}", self.secret_key).as_bytes(),
            &self.date[..8],
        );
        let key = hmac(&hmac(&hmac(&key, &self.region), "s3"), "aws4_request");
        hex::encode(hmac(&key, text))
    }

    fn canonical_query(query: &str) -> String {
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        pairs.sort();
        pairs.join("&")
    }

    /// A signed request. `target` is percent-encoded already.
    pub(crate) fn sign(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        payload: &Payload,
    ) -> Request<Body> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut all: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
            .collect();
        let content = match payload {
            Payload::Hashed(body) => sha256(body),
            Payload::Unsigned(_) => "UNSIGNED-PAYLOAD".to_owned(),
            Payload::Chunked(..) => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
            Payload::Trailer(..) => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        };
        all.push(("host".to_owned(), self.host.clone()));
        all.push(("x-amz-date".to_owned(), self.date.clone()));
        all.push(("x-amz-content-sha256".to_owned(), content.clone()));
        if let Payload::Chunked(body, _) | Payload::Trailer(body, _) = payload {
            all.push((
                "x-amz-decoded-content-length".to_owned(),
                body.len().to_string(),
            ));
            all.push(("content-encoding".to_owned(), "aws-chunked".to_owned()));
        }
        if let Payload::Trailer(..) = payload {
            all.push((
                "x-amz-trailer".to_owned(),
                "x-amz-checksum-crc32".to_owned(),
            ));
        }
        all.sort();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let canonical_headers: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let canonical = format!(
            "{method}\n{path}\n{}\n{}\n{names}\n{content}",
            Self::canonical_query(query),
            canonical_headers.concat()
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.date,
            self.scope(),
            sha256(canonical.as_bytes())
        );
        let signature = self.signature(&text);
        let body = self.body(payload, &signature);
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in &all {
            request = request.header(name, value);
        }
        request
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, \
                     Signature={signature}",
                    self.access_key,
                    self.scope()
                ),
            )
            .header("content-length", body.len())
            .body(Body::from(body))
            .unwrap()
    }

    fn body(&self, payload: &Payload, seed: &str) -> Vec<u8> {
        match payload {
            Payload::Hashed(body) | Payload::Unsigned(body) => body.clone(),
            Payload::Trailer(body, crc32) => {
                let mut framed = format!("{:x}\r\n", body.len()).into_bytes();
                framed.extend_from_slice(body);
                framed.extend_from_slice(
                    format!("\r\n0\r\nx-amz-checksum-crc32:{crc32}\r\n\r\n").as_bytes(),
                );
                framed
            }
            Payload::Chunked(body, size) => {
                let mut framed = Vec::new();
                let mut previous = seed.to_owned();
                for chunk in body.chunks(*size).chain([&[][..]]) {
                    let text = format!(
                        "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{}\n{}",
                        self.date,
                        self.scope(),
                        sha256(b""),
                        sha256(chunk)
                    );
                    previous = self.signature(&text);
                    let line = format!("{:x};chunk-signature={previous}\r\n", chunk.len());
                    framed.extend_from_slice(line.as_bytes());
                    framed.extend_from_slice(chunk);
                    framed.extend_from_slice(b"\r\n");
                }
                framed
            }
        }
    }

    /// A presigned URL's target.
    pub(crate) fn presign(&self, method: &Method, path: &str, seconds: u64) -> String {
        let credential = format!("{}/{}", self.access_key, self.scope()).replace('/', "%2F");
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={}\
             &X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
            self.date
        );
        let canonical = format!(
            "{method}\n{path}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
            Self::canonical_query(&query),
            self.host
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.date,
            self.scope(),
            sha256(canonical.as_bytes())
        );
        format!("{path}?{query}&X-Amz-Signature={}", self.signature(&text))
    }
}
