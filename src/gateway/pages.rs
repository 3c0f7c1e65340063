//! What the gateway says when there is nobody to ask: a page for browsers, problem details for
//! programs, and both complete in their headers for HEAD.

use axum::{body::Body, response::IntoResponse as _};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use mito_network::Problem;

use crate::middlewares::security;

/// How a client likes its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    html: bool,
    head: bool,
}

impl Reader {
    /// What the headers say: a browser asks for HTML by name.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let html = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("text/html"));
        Self {
            html,
            head: method == Method::HEAD,
        }
    }

    /// The answer for a problem.
    pub(crate) fn answer(self, problem: Problem) -> Response<Body> {
        self.answer_with_links(problem, &[])
    }

    /// The answer for a problem, with places to go instead.
    pub(crate) fn answer_with_links(self, problem: Problem, links: &[String]) -> Response<Body> {
        let mut response = if self.html {
            html(&problem, links)
        } else {
            problem.into_response()
        };
        security::add(response.headers_mut(), false);
        response
    }

    /// Keeps the headers of the answer to a HEAD and drops its body.
    pub(crate) fn without_body_for_head(self, response: Response<Body>) -> Response<Body> {
        if !self.head {
            return response;
        }
        let length = http_body::Body::size_hint(response.body()).exact();
        let mut response = response.map(|_| Body::empty());
        if let Some(length) = length.filter(|length| *length > 0) {
            let length = HeaderValue::from(length);
            response
                .headers_mut()
                .entry(header::CONTENT_LENGTH)
                .or_insert(length);
        }
        response
    }
}

fn html(problem: &Problem, links: &[String]) -> Response<Body> {
    let text = page(problem, links);
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(Body::from(text));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(PAGE_POLICY),
    );
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The page has no script and loads nothing.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;\
    padding:0 1rem;color:#1a1b1e;background:#fff}h1{font-size:1.5rem}small{color:#666}\
    li{margin:.25rem 0}@media(prefers-color-scheme:dark){body{color:#dee2e6;background:#1a1b1e}\
    a{color:#74c0fc}small{color:#909296}}";

fn page(problem: &Problem, links: &[String]) -> String {
    let items: Vec<String> = links
        .iter()
        .map(|link| {
            let link = escaped(link);
            format!("<li><a href=\"{link}\">{link}</a></li>")
        })
        .collect();
    let items = items.concat();
    let list = if items.is_empty() {
        String::new()
    } else {
        format!("<p>These addresses are served here:</p><ul>{items}</ul>")
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{detail}</p>{list}\
         <small>{status}</small></main></body></html>",
        title = escaped(&problem.title),
        detail = escaped(&problem.detail),
        status = problem.status,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_escape_what_they_show() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "<script>\"&");
        let page = page(&problem, &["http://a/?\"<".to_owned()]);
        assert!(page.contains("&lt;script&gt;&quot;&amp;"));
        assert!(!page.contains("<script"));
        assert!(page.contains("href=\"http://a/?&quot;&lt;\""));
    }

    #[test]
    fn programs_get_problem_details_and_head_no_body() {
        let headers = HeaderMap::new();
        let reader = Reader::of(&Method::HEAD, &headers);
        let answer = reader.answer(Problem::new(StatusCode::BAD_GATEWAY, "gone"));
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let answer = reader.without_body_for_head(answer);
        assert!(http_body::Body::is_end_stream(answer.body()));
        assert_ne!(answer.headers()[header::CONTENT_LENGTH], "0");
    }
}
