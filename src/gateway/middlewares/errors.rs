//! `errors`: pages of a service in the place of answers with certain statuses.

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};

use super::{
    chain::{Context, Layer, Next},
    rewriting,
    source::address,
    statuses::Statuses,
};
use crate::{dynamic::middlewares::Errors as Options, services};

/// Headers of a request that say nothing to the service that has the page: they are about the
/// body, a part of the answer, or an earlier one.
const NOT_FOR_PAGES: [HeaderName; 10] = [
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::EXPECT,
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// Which answers get which pages.
pub(super) struct Errors {
    statuses: Statuses,
    rewrites: Vec<(Statuses, StatusCode)>,
    service: String,
    query: String,
    request_headers: Vec<HeaderName>,
}

impl Errors {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        if options.service.is_empty() {
            return Err("service: it is empty; name the one that has the pages".to_owned());
        }
        if options.status.is_empty() {
            return Err("status: it is empty; write \"500-599\" or so".to_owned());
        }
        let rewrite = |(from, to): (&String, &u16)| {
            let wrong = |error: String| format!("statusRewrites.{from}: {error}");
            let from = Statuses::parse(from).map_err(wrong)?;
            let to = StatusCode::from_u16(*to)
                .ok()
                .filter(|to| to.as_u16() >= 200);
            let to = to.ok_or_else(|| wrong("it leads to no status such as 404".to_owned()))?;
            Ok((from, to))
        };
        let name = |(at, name): (usize, &String)| {
            name.parse().map_err(|_| {
                format!("errorRequestHeaders[{at}]: {name:?} is not the name of a header")
            })
        };
        Ok(Self {
            statuses: Statuses::read_all("status", &options.status)?,
            rewrites: options
                .status_rewrites
                .iter()
                .map(rewrite)
                .collect::<Result<_, String>>()?,
            service: options.service.clone(),
            query: options.query.clone(),
            request_headers: options
                .error_request_headers
                .iter()
                .enumerate()
                .map(name)
                .collect::<Result<_, String>>()?,
        })
    }

    /// What `status` is shown as.
    fn shown(&self, status: StatusCode) -> StatusCode {
        let rewrite = self.rewrites.iter().find(|(from, _)| from.hold(status));
        rewrite.map_or(status, |(_, to)| *to)
    }

    /// Where the page is.
    fn target(&self, original: StatusCode, shown: StatusCode, address: &str) -> String {
        let target = self
            .query
            .replace("{status}", shown.as_str())
            .replace("{originalStatus}", original.as_str())
            .replace("{url}", &query_escaped(address));
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target.as_str(), None),
        };
        let path = rewriting::encoded(path);
        query.map_or(path.clone(), |query| format!("{path}?{query}"))
    }

    fn headers(&self, headers: &HeaderMap) -> HeaderMap {
        let mut kept = headers.clone();
        services::headers::strip_hop_by_hop(&mut kept);
        for name in NOT_FOR_PAGES {
            kept.remove(name);
        }
        if self.request_headers.is_empty() {
            return kept;
        }
        kept.iter()
            .filter(|(name, _)| **name == header::HOST || self.request_headers.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl Layer for Errors {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let headers = self.headers(request.headers());
            let scheme = context.connection.scheme;
            let address = address(scheme, &context.connection, &request);
            let extensions = request.extensions().clone();
            let response = next.run(request).await;
            let status = response.status();
            if status == StatusCode::SWITCHING_PROTOCOLS || !self.statuses.hold(status) {
                return response;
            }
            let shown = self.shown(status);
            let mut page = Request::new(Body::empty());
            let target = self.target(status, shown, &address);
            let Ok(target) = target.parse() else {
                return response;
            };
            *page.uri_mut() = target;
            *page.headers_mut() = headers;
            *page.extensions_mut() = extensions;
            // The connection that it broke off with is given back before another one is taken.
            drop(response);
            let mut page = context.services.call(&self.service, page).await;
            *page.status_mut() = shown;
            page
        })
    }
}

/// As Go's `url.QueryEscape`: everything but letters, digits and `-_.~`.
fn query_escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::testing::{
            Service, connection, context_with, get, layer, refused, send, text, with_status,
        },
        *,
    };

    /// The status and the text that a client sees, and what the pages' service was asked.
    async fn check(options: Value, status: u16, expected: (u16, &str, Option<&str>)) {
        let pages = Service::answering(|| {
            let mut page = with_status(200);
            *page.body_mut() = Body::from("page");
            page
        });
        let client = connection("192.0.2.1".parse().expect("an address"));
        let context = context_with(client, &pages);
        let layer = layer(json!({"errors": options}));
        let mut request = get("/x?y=1");
        for (name, value) in [("range", "bytes=0-1"), ("cookie", "a=b"), ("x-a", "1")] {
            let value = http::HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        let service = Service::status(status);
        let answer = send(&layer, &context, request, &service).await;
        let asked = pages.all().pop();
        assert!(
            asked
                .as_ref()
                .is_none_or(|asked| !asked.headers.contains_key("range"))
        );
        let target = asked.as_ref().map(|asked| asked.uri.as_str());
        let shown = answer.status().as_u16();
        assert_eq!((shown, text(answer).await.as_str(), target), expected);
    }

    #[tokio::test]
    async fn statuses_get_their_pages() {
        let options =
            |query: &str| json!({"status": ["404", "500-599"], "service": "pages", "query": query});
        check(
            options("/{status}.html"),
            404,
            (404, "page", Some("/404.html")),
        )
        .await;
        check(options("{status}"), 503, (503, "page", Some("/503"))).await;
        check(options("/{status}.html"), 403, (403, "service 403", None)).await;
        check(options("/{status}.html"), 101, (101, "service 101", None)).await;
        let asked = "/e?u=http%3A%2F%2Fa.example%2Fx%3Fy%3D1&s=500";
        check(
            options("/e?u={url}&s={status}"),
            500,
            (500, "page", Some(asked)),
        )
        .await;
        check(options(""), 500, (500, "page", Some("/"))).await;
        let rewritten = json!({"status": ["400-599"], "service": "pages",
            "query": "/{status}-{originalStatus}", "statusRewrites": {"418": 404, "502-504": 500}});
        check(rewritten.clone(), 418, (404, "page", Some("/404-418"))).await;
        check(rewritten.clone(), 503, (500, "page", Some("/500-503"))).await;
        check(rewritten, 401, (401, "page", Some("/401-401"))).await;
    }

    #[test]
    fn the_pages_see_the_headers_that_they_may() {
        let headers = |names: &[&str]| {
            let options = Options {
                status: vec!["404".to_owned()],
                service: "pages".to_owned(),
                error_request_headers: names.iter().map(|it| (*it).to_owned()).collect(),
                ..Options::default()
            };
            let errors = Errors::build(&options).expect("options");
            let all = ["host", "cookie", "content-length", "x-a", "upgrade"];
            let all = all.map(|name| (HeaderName::from_static(name), http::HeaderValue::from(1)));
            let kept = errors.headers(&all.into_iter().collect());
            let mut kept: Vec<_> = kept.keys().map(ToString::to_string).collect();
            kept.sort();
            kept
        };
        assert_eq!(headers(&[]), ["cookie", "host", "x-a"]);
        assert_eq!(headers(&["X-A", "Content-Length"]), ["host", "x-a"]);
    }

    #[test]
    fn mistakes_are_named() {
        let check = |options: Value, expected: &str| refused(json!({"errors": options}), expected);
        check(json!({"status": ["404"]}), "errors.service: ");
        check(json!({"service": "a"}), "errors.status: it is empty");
        check(
            json!({"service": "a", "status": ["404", "5xx"]}),
            "errors.status[1]: \"5xx\"",
        );
        let rewrites = json!({"service": "a", "status": ["404"], "statusRewrites": {"404": 99}});
        check(rewrites, "errors.statusRewrites.404: ");
        let headers = json!({"service": "a", "status": ["404"], "errorRequestHeaders": ["a b"]});
        check(headers, "errors.errorRequestHeaders[0]: ");
    }
}
