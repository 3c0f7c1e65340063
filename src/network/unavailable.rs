//! The answer of a role that cannot take requests now: 503 with `Retry-After`, naming the role, as
//! a page for people and as problem details for programs. Says nothing of why, which is for
//! operators alone.

use axum::{
    body::Body,
    response::{Html, IntoResponse as _},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use mito_core::Health;

use crate::Problem;

/// When to try again while a role starts, in seconds.
const RETRY_STARTING_SECONDS: u32 = 1;
/// When to try again while it is broken, in seconds.
const RETRY_UNHEALTHY_SECONDS: u32 = 5;

/// The answer for the role called `name`; `headers` are those of the request.
pub(crate) fn answer(name: &str, health: &Health, headers: &HeaderMap) -> Response<Body> {
    let (sentence, seconds) = match health {
        Health::Waiting { on } => (
            format!("{name} waits for {on} and will start by itself"),
            RETRY_STARTING_SECONDS,
        ),
        Health::Starting | Health::Healthy => {
            (format!("{name} is starting"), RETRY_STARTING_SECONDS)
        }
        Health::Unhealthy { .. } => (
            format!("{name} does not work at the moment"),
            RETRY_UNHEALTHY_SECONDS,
        ),
        Health::Stopped => (format!("{name} is stopped"), RETRY_UNHEALTHY_SECONDS),
    };
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, &sentence).retry_after(seconds);
    if !wants_html(headers) {
        return problem.into_response();
    }
    let mut response = Html(page(&sentence, seconds)).into_response();
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    accepted.iter().any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("text/html"))
    })
}

/// A page without script or style sheet, which any content security policy lets through.
fn page(sentence: &str, seconds: u32) -> String {
    let sentence = escape(sentence);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"refresh\" content=\"{seconds}\">\n\
         <title>503: not available</title>\n</head>\n<body>\n<h1>Not available yet</h1>\n\
         <p>{sentence}.</p>\n<p>This page tries again by itself.</p>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(health: Health, accept: &str, expected: &[&str], retry_after: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_str(accept).expect("a header"),
        );
        let response = answer("api", &health, &headers);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], retry_after);
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .expect("a body");
        let body = String::from_utf8_lossy(&body);
        for part in expected {
            assert!(body.contains(part), "{part:?} is missing in {body}");
        }
        assert!(
            !body.contains("db password"),
            "the reason stays inside: {body}"
        );
    }

    #[tokio::test]
    async fn the_role_is_named_in_the_form_that_is_asked_for() {
        let waiting = || Health::Waiting {
            on: "<postgres>".to_owned(),
        };
        let unhealthy = Health::Unhealthy {
            reason: "db password wrong".to_owned(),
        };
        check(
            waiting(),
            "text/html,*/*",
            &["<h1>", "api waits for &lt;postgres&gt;"],
            "1",
        )
        .await;
        check(
            waiting(),
            "*/*",
            &["api waits for <postgres>", "\"status\":503"],
            "1",
        )
        .await;
        check(unhealthy, "application/json", &["api does not work"], "5").await;
        check(Health::Stopped, "text/html", &["api is stopped"], "5").await;
    }
}
