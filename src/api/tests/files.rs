//! `/api/files` as browsers see it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mito_records::{RequestInfo, files::Upload, records::Submitted};

use super::{panel::Browser, *};

const GUEST: &str = "";
/// One white pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";

/// A record with a file of each kind.
struct Stored {
    fixture: Fixture,
    root: String,
    /// `/files/documents/<id>`.
    path: String,
    names: Vec<String>,
}

/// What a download came to.
struct Download {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Download {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }
}

impl Stored {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let root = fixture.administrator().await;
        let documents = json!({
            "name": "documents", "type": "base", "viewRule": "@request.auth.id != ''",
            "fields": [
                {"name": "public", "type": "file", "maxSelect": 9, "thumbs": ["20x10", "0x5f"]},
                {"name": "secret", "type": "file", "protected": true},
            ],
        });
        let created = fixture.post("/api/collections", documents, &root).await;
        assert_eq!(created.status, StatusCode::OK, "{created:?}");
        let collection = created.json()["id"].as_str().unwrap().to_owned();
        let pixel = STANDARD.decode(PIXEL).unwrap();
        let mut files = Vec::new();
        for (field, name, content) in [
            ("public", "pixel.png", pixel.as_slice()),
            ("public", "page.html", b"<html><script>alert(1)</script>"),
            ("public", "style.css", b"body{}"),
            ("public", "broken.png", &pixel[..50]),
            ("secret", "secret.txt", b"0123456789"),
        ] {
            let upload = Upload {
                collection_id: &collection,
                record_id: "document0000001",
                field,
                original_name: name,
                max_bytes: 1_000,
            };
            let body = stream::iter([Ok(Bytes::copy_from_slice(content))]).boxed();
            let staged = fixture.records.files().stage(upload, body).await.unwrap();
            files.push((field.to_owned(), vec![staged]));
        }
        let names = files
            .iter()
            .map(|(_, files)| files[0].key.name.clone())
            .collect();
        let (secret, public) = (files.split_off(4), files);
        let public = public.into_iter().flat_map(|(_, files)| files).collect();
        let files = [vec![("public".to_owned(), public)], secret].concat();
        let submitted = Submitted {
            files: std::sync::Arc::new(files),
            record_id: Some("document0000001".to_owned()),
            ..Submitted::default()
        };
        let info = RequestInfo::of(fixture.identity(&root).await);
        let record = fixture
            .records
            .create("documents", submitted, &info)
            .await
            .unwrap();
        assert_eq!(record["id"], "document0000001");
        Self {
            fixture,
            root,
            path: "/files/documents/document0000001".to_owned(),
            names,
        }
    }

    /// The file whose name begins so.
    fn file(&self, name: &str) -> String {
        let found = self.names.iter().find(|held| held.starts_with(name));
        format!("{}/{}", self.path, found.unwrap())
    }

    async fn request(&self, method: Method, uri: &str, headers: &[(&str, &str)]) -> Download {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.fixture.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Download {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Download {
        self.request(Method::GET, &format!("/api{path}"), headers)
            .await
    }
}

impl Fixture {
    async fn identity(&self, token: &str) -> Option<mito_network::Identity> {
        mito_network::Authenticator::authenticate(&self.records, token).await
    }
}

/// The sides of a PNG.
fn sides(png: &[u8]) -> (u32, u32) {
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!(&png[1..4], b"PNG");
    (side(16), side(20))
}

#[tokio::test]
async fn files_are_sent_so_that_nothing_in_them_runs() {
    let stored = Stored::new().await;
    let check = async |query: &str, kind: &str, disposition: &str| {
        let (name, query) = query.split_once('?').unwrap_or((query, ""));
        let path = format!("{}?{query}", stored.file(name));
        let got = stored.get(&path, &[]).await;
        assert_eq!(got.status, 200, "{path}");
        assert_eq!(got.header("content-type"), kind, "{path}");
        let shown = got.header("content-disposition").split(';').next().unwrap();
        assert_eq!(shown, disposition, "{path}");
        assert!(got.header("content-security-policy").ends_with("; sandbox"));
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.header("content-length"), got.body.len().to_string());
        assert!(got.header("cache-control").starts_with("max-age="));
    };
    check("pixel", "image/png", "inline").await;
    check("pixel?download=1", "image/png", "attachment").await;
    check("pixel?download=0", "image/png", "inline").await;
    check("page", "text/html; charset=utf-8", "attachment").await;
    check("style", "text/css", "attachment").await;
}

#[tokio::test]
async fn what_no_record_has_is_not_found() {
    let stored = Stored::new().await;
    let name = stored.file("pixel");
    let name = name.rsplit('/').next().unwrap();
    for path in [
        "/files/documents/document0000001/nope.png".to_owned(),
        "/files/documents/document0000002/".to_owned() + name,
        "/files/nope/document0000001/".to_owned() + name,
        "/files/documents/document0000001/..%2F..%2Fmito.db".to_owned(),
        "/files/documents/document0000001/%00".to_owned(),
        "/files/documents/document0000001/%FF".to_owned(),
        format!("/files/documents/document0000001/thumbs_{name}%2F20x10_{name}"),
        "/files/documents%2Fdocument0000001/x/".to_owned() + name,
        "/files/documents/document0000001/".to_owned(),
    ] {
        let got = stored.get(&path, &[]).await;
        assert_eq!(got.status, 404, "{path}");
        let body: Value = serde_json::from_slice(&got.body).unwrap();
        assert_eq!(body["status"], 404, "{path}");
    }
}

#[tokio::test]
async fn parts_and_conditions() {
    let stored = Stored::new().await;
    let path = stored.file("page");
    let whole = stored.get(&path, &[]).await;
    let etag = whole.header("etag");
    let check = async |headers: &[(&str, &str)], status: u16, body: &[u8], range: &str| {
        let got = stored.get(&path, headers).await;
        assert_eq!(got.status, status, "{headers:?}");
        if status < 400 {
            assert_eq!(got.body, body, "{headers:?}");
        }
        assert_eq!(got.header("content-range"), range, "{headers:?}");
    };
    check(&[("range", "bytes=0-5")], 206, b"<html>", "bytes 0-5/31").await;
    check(&[("range", "bytes=-3")], 206, b"pt>", "bytes 28-30/31").await;
    check(
        &[("range", "bytes=0-99")],
        206,
        &whole.body,
        "bytes 0-30/31",
    )
    .await;
    check(&[("range", "bytes=31-")], 416, b"", "bytes */31").await;
    check(&[("range", "bytes=0-0,2-2")], 200, &whole.body, "").await;
    check(&[("if-none-match", etag)], 304, b"", "").await;
    check(&[("if-match", "\"other\"")], 412, b"", "").await;
    check(
        &[("range", "bytes=0-0"), ("if-range", "\"other\"")],
        200,
        &whole.body,
        "",
    )
    .await;
    let head = stored
        .request(Method::HEAD, &format!("/api{path}"), &[])
        .await;
    assert_eq!((head.status, head.header("content-length")), (200, "31"));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn only_offered_thumbnails_are_made() {
    let stored = Stored::new().await;
    let check = async |name: &str, thumb: &str, expected: (u32, u32)| {
        let path = format!("{}?thumb={thumb}", stored.file(name));
        for _ in 0..2 {
            let got = stored.get(&path, &[]).await;
            assert_eq!(got.status, 200, "{path}");
            assert_eq!(sides(&got.body), expected, "{path}");
        }
    };
    check("pixel", "20x10", (20, 10)).await;
    check("pixel", "0x5f", (5, 5)).await;
    check("pixel", "100x100", (100, 100)).await;
    for thumb in [
        "21x10",
        "20x10f",
        "..%2F..",
        "100x100t",
        "0x0",
        "99999x99999",
    ] {
        check("pixel", thumb, (1, 1)).await;
    }
    // What cannot be made small is sent as it is.
    check("broken", "20x10", (1, 1)).await;
    let page = stored
        .get(&format!("{}?thumb=100x100", stored.file("page")), &[])
        .await;
    assert!(page.body.starts_with(b"<html>"));
    let thumb = stored
        .get(&format!("{}?thumb=20x10", stored.file("pixel")), &[])
        .await;
    let name = stored.file("pixel");
    let name = name.rsplit('/').next().unwrap();
    let expected = format!("inline; filename=\"20x10_{name}\"");
    assert_eq!(thumb.header("content-disposition"), expected);
}

#[tokio::test]
async fn a_protected_file_needs_a_token() {
    let stored = Stored::new().await;
    let fixture = &stored.fixture;
    let path = stored.file("secret");
    let user = fixture.account("user@b.co").await;
    let token = async |bearer: &str| {
        let answer = fixture.post("/api/files/token", json!({}), bearer).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let check = async |token: &str, status: u16| {
        let got = stored.get(&format!("{path}?token={token}"), &[]).await;
        assert_eq!(got.status, status, "{token}");
        if status == 200 {
            assert!(got.header("cache-control").starts_with("private"));
        }
    };
    let guest = fixture.post("/api/files/token", json!({}), GUEST).await;
    assert_eq!(guest.status, StatusCode::UNAUTHORIZED);
    let (of_root, of_user) = (token(&stored.root).await, token(&user).await);
    check("", 404).await;
    check("nonsense", 404).await;
    // A token of another kind does not open files.
    check(&stored.root, 404).await;
    check(&of_root, 200).await;
    check(&of_user, 200).await;
    // Nor does a header, and a token for files opens nothing else.
    let header = ("authorization", stored.root.as_str());
    assert_eq!(stored.get(&path, &[header]).await.status, 404);
    let settings = fixture.get("/api/settings", &of_root).await;
    assert_eq!(settings.status, StatusCode::UNAUTHORIZED);
    fixture.clock.advance(std::time::Duration::from_mins(4));
    check(&of_root, 404).await;
}

#[tokio::test]
async fn the_panel_reads_files_with_its_cookie() {
    let stored = Stored::new().await;
    let browser = Browser::signed_in_as_root(&stored.fixture).await;
    let cookie = browser.cookie.clone().unwrap();
    let with_cookie = [("cookie", cookie.as_str())];
    let check = async |name: &str, headers: &[(&str, &str)], status: u16, kind: &str| {
        let path = format!("/_mito/api{}", stored.file(name));
        let got = stored.request(Method::GET, &path, headers).await;
        assert_eq!(got.status, status, "{path}");
        if status == 200 {
            assert_eq!(got.header("content-type"), kind, "{path}");
        }
    };
    check("secret", &[], 401, "").await;
    check("pixel", &with_cookie, 200, "image/png").await;
    // Nothing there has a type that a page of the panel would run.
    for name in ["secret", "page", "style"] {
        check(name, &with_cookie, 200, "application/octet-stream").await;
    }
    let public = stored.get(&stored.file("secret"), &with_cookie).await;
    assert_eq!(public.status, 404);
}
