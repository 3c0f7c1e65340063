//! Refuses by the request head what s3s 0.14 would let through or answer badly. Reads no body.

use http::{Method, Request, StatusCode, header};

use super::{chunks::Framing, error_page::ErrorPage};
use crate::s3::MAX_XML_BYTES;

/// The longest life of a presigned URL, as in AWS: seven days.
const MAX_PRESIGN_SECONDS: u64 = 7 * 24 * 60 * 60;

/// What a signature covers without naming it, and what changes nothing.
const HARMLESS_UNSIGNED: [&str; 4] = [
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-user-agent",
    "x-amz-cf-id",
];

/// What requests are held against.
pub(crate) struct Guard {
    pub(crate) region: String,
    pub(crate) max_object_bytes: u64,
}

impl Guard {
    /// How the body is framed, if it is in chunks of its own.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<Option<Framing>, ErrorPage> {
        if request.method() == Method::OPTIONS {
            return Err(preflight(request));
        }
        check_path(request)?;
        check_form(request)?;
        let query = query(request);
        check_mechanism(request, &query)?;
        check_presign(&query)?;
        check_signed_headers(request, &query)?;
        self.check_region(request, &query)?;
        self.check_length(request)?;
        check_xml_length(request, &query)?;
        Ok(framing(request))
    }

    /// The scope of a signature is `key/date/region/s3/aws4_request`.
    fn check_region<B>(
        &self,
        request: &Request<B>,
        query: &[(String, String)],
    ) -> Result<(), ErrorPage> {
        let (code, scope) = match (authorization(request), value(query, "X-Amz-Credential")) {
            (Some(header), _) => {
                let scope = header.split_once("Credential=").map(|(_, rest)| rest);
                ("AuthorizationHeaderMalformed", scope)
            }
            (None, scope) => ("AuthorizationQueryParametersError", scope),
        };
        let scope = scope.and_then(|scope| scope.split([',', ' ']).next());
        // An access key may hold slashes, so count from the end.
        let region = scope.and_then(|scope| scope.rsplit('/').nth(2));
        match region {
            Some(region) if region != self.region => {
                let expected = &self.region;
                let mut page = ErrorPage::new(
                    StatusCode::BAD_REQUEST,
                    code,
                    format!("The region '{region}' is wrong; expecting '{expected}'"),
                );
                page.region = Some(expected.clone());
                Err(page)
            }
            _ => Ok(()),
        }
    }

    fn check_length<B>(&self, request: &Request<B>) -> Result<(), ErrorPage> {
        if request.method() != Method::PUT {
            return Ok(());
        }
        let decoded = header(request, "x-amz-decoded-content-length");
        let length = decoded.or_else(|| header(request, header::CONTENT_LENGTH.as_str()));
        match length.and_then(|length| length.parse::<u64>().ok()) {
            Some(length) if length > self.max_object_bytes => Err(ErrorPage::new(
                StatusCode::BAD_REQUEST,
                "EntityTooLarge",
                format!(
                    "Your proposed upload of {length} bytes exceeds the maximum allowed size of \
                     {} bytes",
                    self.max_object_bytes
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Bodies that are XML are read whole. s3s answers one over its limit as a failure of its own.
fn check_xml_length<B>(request: &Request<B>, query: &[(String, String)]) -> Result<(), ErrorPage> {
    let is_xml = request.method() == Method::POST
        && ["delete", "uploadId", "restore", "select"]
            .iter()
            .any(|name| value(query, name).is_some());
    let length = header(request, header::CONTENT_LENGTH.as_str());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if !is_xml || length.is_none_or(|length| length <= MAX_XML_BYTES) {
        return Ok(());
    }
    Err(ErrorPage::new(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        format!("The XML of the request is longer than {MAX_XML_BYTES} bytes"),
    ))
}

fn check_presign(query: &[(String, String)]) -> Result<(), ErrorPage> {
    let Some(expires) = value(query, "X-Amz-Expires") else {
        return Ok(());
    };
    match expires.parse::<u64>() {
        Ok(seconds) if (1..=MAX_PRESIGN_SECONDS).contains(&seconds) => Ok(()),
        _ => Err(ErrorPage::new(
            StatusCode::BAD_REQUEST,
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be between 1 and 604800 seconds (seven days)",
        )),
    }
}

/// Headers beginning with `x-amz-` change what a request does, so each must be signed: else who holds
/// a presigned URL could turn an upload into a copy of any object. s3s does not look.
fn check_signed_headers<B>(
    request: &Request<B>,
    query: &[(String, String)],
) -> Result<(), ErrorPage> {
    let signed = if value(query, "X-Amz-Signature").is_some() {
        value(query, "X-Amz-SignedHeaders")
    } else {
        authorization(request)
            .and_then(|header| header.split_once("SignedHeaders="))
            .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default())
    };
    // Without a list the request is anonymous or malformed, which s3s and our access check refuse.
    let Some(signed) = signed else {
        return Ok(());
    };
    let is_signed = |name: &str| {
        signed
            .split(';')
            .any(|signed| signed.eq_ignore_ascii_case(name))
    };
    let unsigned = request.headers().keys().find(|name| {
        let name = name.as_str();
        name.starts_with("x-amz-") && !HARMLESS_UNSIGNED.contains(&name) && !is_signed(name)
    });
    let missing = match unsigned {
        Some(name) => name.as_str(),
        None if !is_signed("host") => "host",
        None => return Ok(()),
    };
    Err(ErrorPage::new(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        format!("There were headers present in the request which were not signed: {missing}"),
    ))
}

/// No bucket has a CORS configuration: the answer is S3's for that.
fn preflight<B>(request: &Request<B>) -> ErrorPage {
    if header(request, "origin").is_none() {
        let message = "Insufficient information. Origin request header needed.";
        return ErrorPage::new(StatusCode::BAD_REQUEST, "BadRequest", message);
    }
    let message = "CORSResponse: CORS is not enabled for this bucket.";
    ErrorPage::new(StatusCode::FORBIDDEN, "AccessForbidden", message)
}

/// NUL and what is no UTF-8 have no place in a key.
fn check_path<B>(request: &Request<B>) -> Result<(), ErrorPage> {
    let path = request.uri().path().as_bytes();
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, tail)) = rest.split_first() {
        let escaped = (*byte == b'%').then(|| tail.get(..2)).flatten();
        let escaped = escaped.and_then(|digits| hex::decode(digits).ok());
        decoded.push(escaped.as_ref().map_or(*byte, |bytes| bytes[0]));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    if std::str::from_utf8(&decoded).is_err() || decoded.contains(&0) {
        let message = "Couldn't parse the specified URI.";
        return Err(ErrorPage::new(
            StatusCode::BAD_REQUEST,
            "InvalidURI",
            message,
        ));
    }
    Ok(())
}

/// s3s gathers forms in memory before it looks at who sends them.
fn check_form<B>(request: &Request<B>) -> Result<(), ErrorPage> {
    let content_type = header(request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let form = content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/");
    if request.method() == Method::POST && form {
        let message = "Uploads by form are not implemented; use a presigned PUT.";
        return Err(ErrorPage::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            message,
        ));
    }
    Ok(())
}

/// Signature version 2 is neither secure nor needed.
fn check_mechanism<B>(request: &Request<B>, query: &[(String, String)]) -> Result<(), ErrorPage> {
    let header = authorization(request).is_some_and(|value| !value.starts_with("AWS4-"));
    let presigned = value(query, "Signature").is_some() || value(query, "AWSAccessKeyId").is_some();
    if header || presigned {
        return Err(ErrorPage::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use \
             AWS4-HMAC-SHA256.",
        ));
    }
    Ok(())
}

fn framing<B>(request: &Request<B>) -> Option<Framing> {
    match header(request, "x-amz-content-sha256")? {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Framing::Unsigned),
        streaming if streaming.starts_with("STREAMING-") => Some(Framing::Signed),
        _ => None,
    }
}

fn authorization<B>(request: &Request<B>) -> Option<&str> {
    header(request, header::AUTHORIZATION.as_str())
}

fn header<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn query<B>(request: &Request<B>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    let pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

/// Undoes percent encoding of ASCII; the values looked at here have nothing else.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii() => {
                decoded.push(char::from(byte));
                decoded.push_str(&part[2..]);
            }
            _ => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
        let guard = Guard {
            region: "us-east-1".to_owned(),
            max_object_bytes: 1_000,
        };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match guard.check(&request.body(()).unwrap()) {
            Ok(framing) => format!("{framing:?}"),
            Err(page) => format!("{} {}", page.status.as_u16(), page.code),
        }
    }

    fn signed(region: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=key/20261123/{region}/s3/aws4_request, \
             SignedHeaders=host, Signature=00"
        )
    }

    /// Method, target, headers and what becomes of them.
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

    fn run(cases: &[Case<'_>]) {
        for (method, uri, headers, expected) in cases {
            assert_eq!(
                check(method, uri, headers),
                *expected,
                "{method} {uri} {headers:?}"
            );
        }
    }

    #[test]
    fn signatures_are_refused_by_their_heads() {
        let ours = signed("us-east-1");
        run(&[
            ("GET", "/inbox/a", &[("authorization", &ours)], "None"),
            (
                "GET",
                "/inbox/a",
                &[("authorization", "AWS key:sig")],
                "400 InvalidRequest",
            ),
            (
                "GET",
                "/inbox/a?AWSAccessKeyId=k&Signature=s",
                &[],
                "400 InvalidRequest",
            ),
            (
                "GET",
                "/inbox/a",
                &[("authorization", &signed("US"))],
                "400 AuthorizationHeaderMalformed",
            ),
            (
                "GET",
                "/a/b?X-Amz-Credential=k%2F20261123%2Feu-west-1%2Fs3%2Faws4_request",
                &[],
                "400 AuthorizationQueryParametersError",
            ),
        ]);
    }

    #[test]
    fn every_amz_header_and_the_host_are_signed() {
        let ours = signed("us-east-1");
        let authorization = ("authorization", ours.as_str());
        let presigned = "/a/b?X-Amz-Signature=00&X-Amz-SignedHeaders=host%3Bx-amz-meta-a";
        run(&[
            (
                "PUT",
                "/a/b",
                &[authorization, ("x-amz-date", "20261123T000000Z")],
                "None",
            ),
            (
                "PUT",
                "/a/b",
                &[authorization, ("x-amz-copy-source", "/a/c")],
                "403 AccessDenied",
            ),
            ("PUT", presigned, &[("x-amz-meta-a", "1")], "None"),
            (
                "PUT",
                presigned,
                &[("x-amz-meta-b", "1")],
                "403 AccessDenied",
            ),
            (
                "GET",
                "/a/b?X-Amz-Signature=00&X-Amz-SignedHeaders=range",
                &[],
                "403 AccessDenied",
            ),
        ]);
    }

    #[test]
    fn targets_and_bodies_are_refused_by_their_heads() {
        run(&[
            ("GET", "/a/b?X-Amz-Expires=604800", &[], "None"),
            (
                "GET",
                "/a/b?X-Amz-Expires=604801",
                &[],
                "400 AuthorizationQueryParametersError",
            ),
            (
                "GET",
                "/a/b?X-Amz-Expires=-1",
                &[],
                "400 AuthorizationQueryParametersError",
            ),
            (
                "POST",
                "/a",
                &[("content-type", "multipart/form-data; boundary=x")],
                "501 NotImplemented",
            ),
            (
                "PUT",
                "/a/b",
                &[("content-length", "1001")],
                "400 EntityTooLarge",
            ),
            ("PUT", "/a/b", &[("content-length", "1000")], "None"),
            (
                "PUT",
                "/a/b",
                &[
                    ("content-length", "1100"),
                    ("x-amz-decoded-content-length", "1000"),
                ],
                "None",
            ),
            ("GET", "/a/%ff", &[], "400 InvalidURI"),
            ("GET", "/a/x%00y", &[], "400 InvalidURI"),
            ("GET", "/a/%C3%A9", &[], "None"),
            ("OPTIONS", "/a/b", &[], "400 BadRequest"),
            (
                "OPTIONS",
                "/a/b",
                &[("origin", "http://x.org")],
                "403 AccessForbidden",
            ),
            (
                "PUT",
                "/a/b",
                &[("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")],
                "Some(Signed)",
            ),
            (
                "PUT",
                "/a/b",
                &[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")],
                "Some(Unsigned)",
            ),
        ]);
    }
}
