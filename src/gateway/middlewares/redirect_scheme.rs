//! `redirectScheme`: from HTTP to HTTPS, or to another port.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use mito_network::ConnectionInfo;

use super::{
    answers,
    chain::{Context, Layer, Next},
    source::host_and_port,
};
use crate::dynamic::middlewares::RedirectScheme as Options;

/// Where requests are sent that came in another way.
pub(super) struct RedirectScheme {
    scheme: String,
    /// With its colon; empty for the scheme's own.
    port: String,
    permanent: bool,
}

impl RedirectScheme {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let scheme = options.scheme.to_ascii_lowercase();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(allowed) {
            return Err(format!("scheme: {scheme:?} is none; write https"));
        }
        let port = &options.port;
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(format!("port: {port:?} is not a port such as 8443"));
        }
        Ok(Self {
            port: port_of(&scheme, port),
            scheme,
            permanent: options.permanent,
        })
    }

    fn redirect(&self, context: &Context, request: &Request<Body>) -> Option<Response<Body>> {
        let (host, port) = host_and_port(&context.connection, request.headers());
        let came_by = scheme(&context.connection, request.headers());
        if came_by == self.scheme && port_of(came_by, port) == self.port {
            return None;
        }
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let location = format!("{}://{host}{}{target}", self.scheme, self.port);
        let answer = answers::moved(request.method(), &location, self.permanent);
        let answer = answer.filter(|_| !host.is_empty());
        Some(answer.unwrap_or_else(|| answers::of_status(StatusCode::BAD_REQUEST)))
    }
}

/// How the client came, which a trusted proxy in front of the gateway knows better.
fn scheme<'a>(connection: &ConnectionInfo, headers: &'a HeaderMap) -> &'a str {
    let said = headers
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok());
    match said.unwrap_or(connection.scheme) {
        // What an upgrade is asked for is still plain or encrypted HTTP.
        "ws" => "http",
        "wss" => "https",
        other => other,
    }
}

/// `:8443`, or nothing for the scheme's own port.
fn port_of(scheme: &str, port: &str) -> String {
    match (scheme, port) {
        (_, "") | ("http", "80") | ("https", "443") => String::new(),
        (_, port) => format!(":{port}"),
    }
}

impl Layer for RedirectScheme {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        match self.redirect(context, &request) {
            Some(answer) => Box::pin(std::future::ready(answer)),
            None => next.run(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::{Value, json};

    use super::{
        super::testing::{Service, context, get, layer, refused, send},
        *,
    };

    async fn check(options: Value, request: Request<Body>, expected: (u16, &str)) {
        let layer = layer(json!({"redirectScheme": options}));
        let answer = send(&layer, &context(), request, &Service::status(204)).await;
        let location = answer.headers().get("location");
        let location = location.map_or("", |it| it.to_str().expect("text"));
        assert_eq!((answer.status().as_u16(), location), expected);
    }

    fn of(host: &str, path: &str) -> Request<Body> {
        let mut request = get(path);
        let host = host.parse().expect("a host");
        request.headers_mut().insert("host", host);
        request
    }

    fn by(mut request: Request<Body>, proto: &'static str) -> Request<Body> {
        let proto = http::HeaderValue::from_static(proto);
        request.headers_mut().insert("x-forwarded-proto", proto);
        request
    }

    #[tokio::test]
    async fn clients_are_sent_to_the_scheme() {
        let https = || json!({"scheme": "https"});
        check(https(), get("/x?y"), (302, "https://a.example/x?y")).await;
        check(
            https(),
            of("a.example:8000", "/"),
            (302, "https://a.example/"),
        )
        .await;
        check(https(), of("[::1]:8000", "/"), (302, "https://[::1]/")).await;
        check(https(), by(get("/"), "https"), (204, "")).await;
        check(https(), by(get("/"), "wss"), (204, "")).await;
        check(https(), by(of("a.example:443", "/"), "https"), (204, "")).await;
        let with_port = json!({"scheme": "https", "port": "8443", "permanent": true});
        check(
            with_port.clone(),
            get("/"),
            (301, "https://a.example:8443/"),
        )
        .await;
        check(
            with_port.clone(),
            by(of("a.example:8443", "/"), "https"),
            (204, ""),
        )
        .await;
        let mut post = get("//evil.example");
        *post.method_mut() = Method::POST;
        check(
            with_port,
            post,
            (308, "https://a.example:8443//evil.example"),
        )
        .await;
        check(json!({"scheme": "http", "port": "80"}), get("/"), (204, "")).await;
    }

    #[test]
    fn mistakes_are_named() {
        refused(json!({"redirectScheme": {}}), "redirectScheme.scheme: ");
        let port = json!({"redirectScheme": {"scheme": "https", "port": "x"}});
        refused(port, "redirectScheme.port: \"x\" is not a port");
    }
}
