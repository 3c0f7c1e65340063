//! The application as a browser asks for it.

use bytes::Bytes;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn ask(method: &str, path: &str, if_none_match: Option<&str>) -> (Response, Bytes) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = if_none_match {
        request = request.header(header::IF_NONE_MATCH, value);
    }
    let request = request.body(Body::empty()).unwrap();
    let (parts, body) = service().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, Body::empty()), body)
}

fn text<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn answers_by_path() {
    let html = "text/html; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    let problem = "application/problem+json";
    for (method, path, status, content_type) in [
        ("GET", "/", 200, html),
        ("GET", "/index.html", 200, html),
        ("GET", "/setup", 200, html),
        ("GET", "/queue/jobs/01ABC?state=running", 200, html),
        ("GET", "/objects/my.bucket", 200, html),
        ("GET", "/records/contents/a.b", 200, html),
        ("GET", "/color-scheme.js", 200, script),
        ("GET", "/assets/index.js", 200, script),
        ("GET", "/favicon.svg", 200, "image/svg+xml"),
        ("HEAD", "/", 200, html),
        ("GET", "/assets/missing.js", 404, problem),
        ("GET", "/assets/missing", 404, problem),
        ("GET", "/robots.txt", 404, problem),
        ("GET", "/source.sha256", 404, problem),
        ("GET", "/_mito/api/session", 404, problem),
        ("GET", "/api/collections", 404, problem),
        ("GET", "/../Cargo.toml", 200, html),
        ("POST", "/", 405, problem),
        ("DELETE", "/assets/index.js", 405, problem),
    ] {
        let (response, body) = ask(method, path, None).await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(
            text(&response, "content-type"),
            content_type,
            "{method} {path}"
        );
        assert_eq!(body.is_empty(), method == "HEAD", "{method} {path}");
        assert_eq!(
            text(&response, "x-content-type-options"),
            "nosniff",
            "{method} {path}"
        );
        assert!(text(&response, "content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(
            text(&response, "allow").is_empty(),
            status != 405,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn the_dashboards_entry_point_opens_with_the_routing() {
    for (entrypoint, method, path, status, location) in [
        ("traefik", "GET", "/", 302, "/gateway"),
        ("traefik", "HEAD", "/", 302, "/gateway"),
        ("traefik", "POST", "/", 405, ""),
        ("traefik", "GET", "/gateway", 200, ""),
        ("web", "GET", "/", 200, ""),
    ] {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectionInfo {
            peer: ([127, 0, 0, 1], 9).into(),
            client_ip: [127, 0, 0, 1].into(),
            scheme: "http",
            host: "localhost".into(),
            tls: None,
            entrypoint: entrypoint.into(),
            request_id: "r".into(),
        });
        let response = service().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{entrypoint} {method} {path}");
        assert_eq!(
            text(&response, "location"),
            location,
            "{entrypoint} {method} {path}"
        );
    }
}

#[tokio::test]
async fn head_tells_the_length_that_get_sends() {
    let (head, _) = ask("HEAD", "/assets/index.js", None).await;
    let (get, body) = ask("GET", "/assets/index.js", None).await;
    assert_eq!(text(&head, "content-length"), body.len().to_string());
    assert_eq!(text(&get, "content-length"), body.len().to_string());
}

#[tokio::test]
async fn what_the_browser_holds_is_not_sent_again() {
    let (first, _) = ask("GET", "/assets/index.js", None).await;
    let etag = text(&first, "etag").to_owned();
    assert_eq!(etag.len(), 66, "{etag}");
    assert_eq!(text(&first, "cache-control"), "no-cache");
    for (sent, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (etag.trim_matches('"').to_owned(), 200),
    ] {
        let (response, body) = ask("GET", "/assets/index.js", Some(&sent)).await;
        assert_eq!(response.status(), status, "{sent}");
        assert_eq!(body.is_empty(), status == 304, "{sent}");
        assert_eq!(text(&response, "etag"), etag, "{sent}");
    }
}

#[test]
fn the_policy_allows_no_inline_script() {
    let scripts = headers::CONTENT_SECURITY_POLICY
        .split(';')
        .find(|directive| directive.trim().starts_with("script-src"));
    assert_eq!(scripts.map(str::trim), Some("script-src 'self'"));
}

#[test]
fn index_names_only_files_that_are_embedded() {
    let files = Files::embedded();
    let index = String::from_utf8(files.get("index.html").unwrap().data.to_vec()).unwrap();
    let mut named = 0;
    for attribute in ["src=\"", "href=\""] {
        for part in index.split(attribute).skip(1) {
            let path = part.split('"').next().unwrap();
            assert!(files.get(path.trim_start_matches('/')).is_some(), "{path}");
            named += 1;
        }
    }
    assert!(named >= 4, "{index}");
    for script in index.split("<script").skip(1) {
        let body = script
            .split_once('>')
            .unwrap()
            .1
            .split("</script>")
            .next()
            .unwrap();
        assert!(
            body.trim().is_empty(),
            "an inline script would not run: {body}"
        );
    }
}

#[test]
fn every_file_has_a_type_that_browsers_know() {
    for path in Files::embedded().paths() {
        let files = Files::embedded();
        let file = files.get(path).unwrap();
        assert_ne!(file.content_type, "application/octet-stream", "{path}");
    }
}
