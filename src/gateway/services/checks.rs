//! How servers are asked whether they work: by a request, or as gRPC asks for the health of a
//! server (`grpc.health.v1`).

use std::time::Duration;

use axum::body::Body;
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, uri,
};
use http_body_util::{BodyExt as _, Limited};

use super::{upstream::Scheme, upstream::Upstream};
use crate::dynamic::document::HealthCheck;

/// The shortest time between two checks of a server.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// The largest answer of gRPC that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1_024;
/// Where gRPC asks.
const GRPC_PATH: &str = "/grpc.health.v1.Health/Check";
/// A message without fields: the health of the server as a whole is asked for.
const GRPC_QUESTION: [u8; 5] = [0; 5];
/// A message whose first field says that it serves.
const GRPC_SERVING: [u8; 7] = [0, 0, 0, 0, 2, 8, 1];

/// How the servers of a service are asked.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    is_grpc: bool,
    scheme: Option<Scheme>,
    path: uri::PathAndQuery,
    method: Method,
    status: Option<StatusCode>,
    port: Option<u16>,
    interval: Duration,
    unhealthy_interval: Duration,
    pub(super) timeout: Duration,
    hostname: Option<uri::Authority>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A question, and which server it is for where that is asked by HTTP/2.
pub(super) struct Question {
    pub(super) request: Request<Body>,
    pub(super) server: Option<Uri>,
}

impl Checks {
    /// Reads the options; the error says which is wrong.
    pub(crate) fn new(options: &HealthCheck) -> Result<Self, String> {
        let wrong = |name: &str, reason: &str| format!("healthCheck.{name}: {reason}");
        let is_grpc = match options.mode.as_str() {
            "" | "http" => false,
            "grpc" => true,
            _ => return Err(wrong("mode", "it is neither http nor grpc")),
        };
        let scheme = match options.scheme.as_str() {
            "" => None,
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            "h2c" => Some(Scheme::H2c),
            _ => return Err(wrong("scheme", "it is none of http, https and h2c")),
        };
        if !is_grpc && !options.path.starts_with('/') {
            return Err(wrong("path", "it does not begin with /"));
        }
        let path = if is_grpc { GRPC_PATH } else { &options.path };
        let path = path.parse();
        let path = path.map_err(|_| wrong("path", "it cannot be read"))?;
        let method = match options.method.as_str() {
            "" => Method::GET,
            method => Method::from_bytes(method.to_ascii_uppercase().as_bytes())
                .map_err(|_| wrong("method", "it is no method"))?,
        };
        let status = options.status.map(StatusCode::from_u16).transpose();
        let status = status.map_err(|_| wrong("status", "it is no status"))?;
        let hostname = match options.hostname.as_str() {
            "" => None,
            name => Some(
                name.parse()
                    .map_err(|_| wrong("hostname", "it is no host name"))?,
            ),
        };
        let interval = options.interval.0.max(MIN_INTERVAL);
        let unhealthy = options.unhealthy_interval.map_or(interval, |time| time.0);
        Ok(Self {
            is_grpc,
            scheme,
            path,
            method,
            status,
            port: options.port,
            interval,
            unhealthy_interval: unhealthy.max(MIN_INTERVAL),
            timeout: options.timeout.0.max(MIN_INTERVAL),
            hostname,
            headers: headers(options)?,
        })
    }

    pub(super) fn interval(&self, works: bool) -> Duration {
        if works {
            self.interval
        } else {
            self.unhealthy_interval
        }
    }

    /// Whether an answer says that the server works.
    pub(super) async fn is_good(&self, response: Response<Body>) -> bool {
        let status = response.status();
        match self.status {
            _ if self.is_grpc => status == StatusCode::OK && is_serving(response).await,
            Some(wanted) => status == wanted,
            None => status.is_success() || status.is_redirection(),
        }
    }

    /// What the server is asked.
    pub(super) fn question(&self, server: &Upstream) -> Option<Question> {
        let scheme = match self.scheme.unwrap_or_else(|| server.scheme()) {
            // There is no gRPC by HTTP/1.
            Scheme::Http if self.is_grpc => Scheme::H2c,
            scheme => scheme,
        };
        let server = match self.port {
            Some(port) => &server.with_port(port)?,
            None => server,
        };
        let is_http2 = self.is_grpc || scheme == Scheme::H2c;
        // In HTTP/2 the host is the authority; in HTTP/1 that is who is connected to.
        let host = self.hostname.clone().filter(|_| is_http2);
        let uri = Uri::builder()
            .scheme(scheme.on_the_wire())
            .authority(host.unwrap_or_else(|| server.authority().clone()))
            .path_and_query(self.path.clone())
            .build()
            .ok()?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        *request.method_mut() = self.method.clone();
        let own = self.headers.iter().cloned();
        request
            .headers_mut()
            .extend(own.map(|(name, value)| (Some(name), value)));
        if let Some(host) = self.hostname.as_ref().filter(|_| !is_http2) {
            let host = HeaderValue::try_from(host.as_str()).ok()?;
            request.headers_mut().insert(header::HOST, host);
        }
        if is_http2 {
            *request.version_mut() = Version::HTTP_2;
        }
        if self.is_grpc {
            *request.method_mut() = Method::POST;
            *request.body_mut() = Body::from(GRPC_QUESTION.to_vec());
            let kind = HeaderValue::from_static("application/grpc");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            let trailers = HeaderValue::from_static("trailers");
            request.headers_mut().insert(header::TE, trailers);
        }
        Some(Question {
            request,
            server: if is_http2 {
                Some(server.address(scheme)?)
            } else {
                None
            },
        })
    }
}

fn headers(options: &HealthCheck) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let wrong = |reason: &str| format!("healthCheck.headers: {reason}");
    let read = |(name, value): (&String, &String)| {
        let name = HeaderName::try_from(name).map_err(|_| wrong("a name is wrong"))?;
        let value = HeaderValue::try_from(value).map_err(|_| wrong("a value is wrong"))?;
        Ok((name, value))
    };
    options.headers.iter().map(read).collect()
}

/// Whether an answer of gRPC is good and says SERVING.
async fn is_serving(response: Response<Body>) -> bool {
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
    let Ok(body) = body.collect().await else {
        return false;
    };
    let status = body
        .trailers()
        .and_then(|trailers| trailers.get("grpc-status"));
    status.is_some_and(|status| status == "0") && *body.to_bytes() == GRPC_SERVING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_be_are_told() {
        let check = |change: fn(&mut HealthCheck), words: &str| {
            let mut options = HealthCheck {
                path: "/up".to_owned(),
                ..HealthCheck::default()
            };
            change(&mut options);
            let error = Checks::new(&options).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        check(|options| options.path = "up".to_owned(), "healthCheck.path");
        check(
            |options| options.mode = "tcp".to_owned(),
            "healthCheck.mode",
        );
        check(
            |options| options.scheme = "ftp".to_owned(),
            "healthCheck.scheme",
        );
        check(|options| options.status = Some(1), "healthCheck.status");
        check(
            |options| options.method = "G T".to_owned(),
            "healthCheck.method",
        );
        check(
            |options| options.hostname = "a b".to_owned(),
            "healthCheck.hostname",
        );
    }

    #[test]
    fn the_host_is_where_the_protocol_has_it() {
        let ask = |options: HealthCheck, url: &str| {
            let checks = Checks::new(&options).unwrap();
            let server = Upstream::with_base(url, false).unwrap();
            let Question { request, server } = checks.question(&server).unwrap();
            let host = request.headers().get("host");
            let host = host.map(|host| host.to_str().unwrap().to_owned());
            (
                request.uri().to_string(),
                host,
                server.map(|it| it.to_string()),
            )
        };
        let options = HealthCheck {
            path: "/up".to_owned(),
            hostname: "a.test".to_owned(),
            port: Some(81),
            ..HealthCheck::default()
        };
        let asked = ask(options.clone(), "http://10.0.0.1:80");
        assert_eq!(
            asked,
            (
                "http://10.0.0.1:81/up".to_owned(),
                Some("a.test".to_owned()),
                None
            )
        );
        let server = Some("http://10.0.0.1:81/".to_owned());
        let asked = ask(options.clone(), "h2c://10.0.0.1:80");
        assert_eq!(asked, ("http://a.test/up".to_owned(), None, server.clone()));
        let options = HealthCheck {
            mode: "grpc".to_owned(),
            hostname: String::new(),
            ..options
        };
        let asked = ask(options, "http://10.0.0.1:80");
        let path = "http://10.0.0.1:81/grpc.health.v1.Health/Check";
        assert_eq!(asked, (path.to_owned(), None, server));
    }

    #[tokio::test]
    async fn grpc_has_to_serve() {
        let options = HealthCheck {
            mode: "grpc".to_owned(),
            ..HealthCheck::default()
        };
        let checks = Checks::new(&options).unwrap();
        let answer = |message: [u8; 7], status: &'static str| {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(status));
            let body = Body::from(message.to_vec());
            let trailers = async move { Some(Ok(trailers)) };
            Response::new(Body::new(body.with_trailers(trailers)))
        };
        assert!(checks.is_good(answer(GRPC_SERVING, "0")).await);
        assert!(!checks.is_good(answer([0, 0, 0, 0, 2, 8, 2], "0")).await);
        assert!(!checks.is_good(answer(GRPC_SERVING, "12")).await);
        assert!(!checks.is_good(Response::new(Body::empty())).await);
    }
}
