//! Requests that mean harm: refused in the envelope, the process unharmed, nothing written.

use futures_util::StreamExt as _;
use mito_database::Tx;

use super::*;

const RECORDS: &str = "/api/collections/things/records";
const GUEST: &str = "";

async fn with_things() -> (Fixture, String) {
    let fixture = Fixture::new().await;
    let root = fixture.administrator().await;
    let rules = json!({"listRule": "", "viewRule": "", "createRule": "", "updateRule": "",
        "deleteRule": ""});
    let mut things = json!({
        "name": "things", "type": "base",
        "fields": [
            {"name": "title", "type": "text"},
            {"name": "extra", "type": "json"},
            {"name": "number", "type": "number"},
            {"name": "choice", "type": "select", "values": ["a", "b"], "maxSelect": 2},
            {"name": "link", "type": "url"},
            {"name": "photos", "type": "file", "maxSelect": 2, "maxSize": 1000},
        ],
    });
    for (name, rule) in rules.as_object().unwrap() {
        things[name] = rule.clone();
    }
    let created = fixture.post("/api/collections", things, &root).await;
    assert_eq!(created.status, StatusCode::OK, "{created:?}");
    (fixture, root)
}

impl Fixture {
    async fn count(&self, table: &'static str) -> i64 {
        let count = move |tx: &mut Tx<'_>| {
            let row = tx.query_one(&format!("SELECT COUNT(*) AS total FROM \"{table}\""), &[])?;
            row.map_or(Ok(0), |row| row.get("total"))
        };
        self.database
            .read::<i64, mito_database::Error, _>(count)
            .await
            .unwrap()
    }

    async fn submit(&self, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(RECORDS)
            .header(header::CONTENT_TYPE, kind)
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    /// What every test ends with: the platform goes on, and nothing was written.
    async fn unharmed(&self, records: i64) {
        assert_eq!(self.count("things").await, records, "records");
        let made = self.post(RECORDS, json!({"title": "fine"}), GUEST).await;
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
    }
}

/// A form with these parts: `(disposition, bytes)`.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, bytes) in parts {
        body.extend_from_slice(b"--x\r\nContent-Disposition: form-data; ");
        body.extend_from_slice(disposition.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

const FORM: &str = "multipart/form-data; boundary=x";

#[tokio::test]
async fn sql_is_text_wherever_it_stands() {
    let (fixture, _) = with_things().await;
    let attacks = [
        "'; DROP TABLE things; --",
        "\"; DROP TABLE things; --",
        "x' OR '1'='1",
        "$1",
        "?1",
        "1); DELETE FROM things; --",
        "' UNION SELECT password FROM _superusers --",
        "\\'; DROP TABLE things; --",
    ];
    let mut written = 0;
    for attack in attacks {
        let values = json!({"title": attack, "extra": {attack: attack}, attack: attack});
        let made = fixture.post(RECORDS, values, GUEST).await;
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
        assert_eq!(made.json()["title"], attack);
        assert_eq!(made.json()["extra"][attack], attack);
        written += 1;
        for values in [
            json!({"id": attack}),
            json!({"choice": [attack]}),
            json!({"link": attack}),
        ] {
            let refused = fixture.post(RECORDS, values, GUEST).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
        }
        let escaped: String = url::form_urlencoded::byte_serialize(attack.as_bytes()).collect();
        for path in [
            format!("{RECORDS}/{escaped}"),
            format!("/api/collections/{escaped}/records"),
            format!("{RECORDS}?sort={escaped}"),
            format!("{RECORDS}?filter={escaped}"),
        ] {
            let status = fixture.get(&path, GUEST).await.status;
            assert!(status.is_client_error(), "{path}: {status}");
        }
    }
    fixture.unharmed(written).await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_write_nothing() {
    let (fixture, _) = with_things().await;
    let deep = |times: usize| format!("{{\"extra\":{}{}}}", "[".repeat(times), "]".repeat(times));
    let json = "application/json";
    let urlencoded = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        (json, deep(10_000).into_bytes(), 400),
        (json, vec![b'['; 1_000_000], 400),
        (json, b"{\"title\":\"\xff\xfe\"}".to_vec(), 400),
        (json, b"{\"title\":\"a\\u0000b\"}".to_vec(), 400),
        (json, b"{\"nope\":\"a\\u0000b\"}".to_vec(), 400),
        (json, b"{\"extra\":{\"a\\u0000\":1}}".to_vec(), 400),
        (json, b"{\"title\":\"a\",\"title\":\"b\"}".to_vec(), 400),
        (json, b"{\"number\":1e999}".to_vec(), 400),
        (json, b"{\"title\":\"\\ud800\"}".to_vec(), 400),
        (json, vec![b' '; 60_000_000], 413),
        (urlencoded, b"title=%zz".to_vec(), 400),
        (urlencoded, "a=1&".repeat(20_000).into_bytes(), 400),
        (urlencoded, vec![b'a'; 60_000_000], 413),
        ("text/plain", b"{}".to_vec(), 415),
        ("", b"{}".to_vec(), 415),
        ("multipart/form-data", b"x".to_vec(), 400),
        (FORM, b"nonsense".to_vec(), 400),
        (FORM, form(&[("name=\"title\"", b"\xff")]), 400),
        (FORM, form(&vec![("name=\"a\"", &b"1"[..]); 20_000]), 400),
        (
            FORM,
            form(&[("name=\"title\"", &vec![b'a'; 60_000_000][..])]),
            413,
        ),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let refused = fixture.submit(kind, body).await;
        assert_eq!(
            refused.status.as_u16(),
            status,
            "{kind} {shown}: {refused:?}"
        );
        assert_eq!(refused.json()["status"], status);
    }
    fixture.unharmed(0).await;
}

#[tokio::test]
async fn bodies_without_end_are_cut_off() {
    let (fixture, _) = with_things().await;
    let endless = || {
        let chunk = bytes::Bytes::from(vec![b'a'; 1_000_000]);
        let chunks = futures_util::stream::iter(0..10_000)
            .map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
        Body::from_stream(chunks)
    };
    for kind in ["application/json", "application/x-www-form-urlencoded"] {
        let refused = fixture.submit(kind, endless()).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{kind}");
    }
    let announced = Request::post(RECORDS)
        .header(header::CONTENT_TYPE, FORM)
        .header(header::CONTENT_LENGTH, "1073741824")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        fixture.send(announced).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let head = bytes::Bytes::from_static(
        b"--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a\"\r\n\r\n",
    );
    let chunk = bytes::Bytes::from(vec![b'a'; 1_000_000]);
    let chunks = futures_util::stream::iter(0..1_000).map(move |number| {
        Ok::<_, std::io::Error>(if number == 0 {
            head.clone()
        } else {
            chunk.clone()
        })
    });
    let refused = fixture.submit(FORM, Body::from_stream(chunks)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{refused:?}");
    fixture.unharmed(0).await;
}

#[tokio::test]
async fn names_of_files_lead_nowhere_else() {
    let (fixture, _) = with_things().await;
    for name in [
        "../../../../etc/passwd",
        "..\\\\..\\\\windows\\\\win.ini",
        "/etc/passwd",
        "%2e%2e%2fpasswd",
        "a/../../b.txt",
        "....//....//x",
        "con",
        ".htaccess",
        "a;rm -rf b",
        "x\u{202e}gpj.exe",
    ] {
        let disposition = format!("name=\"photos\"; filename=\"{name}\"");
        let made = fixture
            .submit(FORM, form(&[(&disposition, b"hello")]))
            .await;
        assert_eq!(made.status, StatusCode::OK, "{name}: {made:?}");
        let stored = made.json()["photos"][0].as_str().unwrap().to_owned();
        let is_plain = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
        };
        assert!(stored.chars().all(is_plain), "{name}: {stored}");
        assert!(
            !stored.contains("..") && !stored.starts_with('.'),
            "{name}: {stored}"
        );
    }
    for id in ["../../x", "a/b", "..", "a\\b"] {
        let parts = [
            ("name=\"id\"", id.as_bytes()),
            ("name=\"photos\"; filename=\"a.txt\"", &b"hello"[..]),
        ];
        let refused = fixture.submit(FORM, form(&parts)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{id}: {refused:?}");
    }
    fixture.unharmed(10).await;
}

#[tokio::test]
async fn files_of_refused_records_are_let_go_of() {
    let (fixture, _) = with_things().await;
    let waiting = async || fixture.count("_mito_records_files_pending").await;
    let parts: [(&str, &[u8]); 3] = [
        ("name=\"photos\"; filename=\"a.txt\"", b"hello"),
        ("name=\"photos\"; filename=\"large.txt\"", &[b'x'; 1_001]),
        ("name=\"link\"", b"javascript:alert(1)"),
    ];
    let refused = fixture.submit(FORM, form(&parts)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    let data = refused.json()["data"].clone();
    assert_eq!(data["link"]["code"], "validation_invalid_url", "{data}");
    assert_eq!(
        data["photos"]["code"], "validation_file_size_limit",
        "{data}"
    );
    assert!(waiting().await > 0, "they stand where the sweep finds them");
    let due = fixture
        .database
        .read(|tx| {
            let sql = "SELECT COUNT(*) AS total FROM _mito_records_files_pending WHERE due_ms > $1";
            let now_ms = tx.now_ms();
            let row = tx.query_one(sql, &[&now_ms])?;
            row.map_or(Ok(0), |row| row.get::<i64>("total"))
        })
        .await;
    assert_eq!(
        due.unwrap_or_else(|error: mito_database::Error| panic!("{error}")),
        0
    );
    fixture.unharmed(0).await;
}

#[tokio::test]
async fn nobody_stores_files_where_they_may_not_write() {
    let (fixture, root) = with_things().await;
    let closed = json!({"name": "closed", "type": "base", "createRule": null,
        "updateRule": "@request.auth.id != ''",
        "fields": [{"name": "photo", "type": "file"}]});
    assert_eq!(
        fixture.post("/api/collections", closed, &root).await.status,
        200
    );
    let body = || form(&[("name=\"photo\"; filename=\"a.txt\"", b"hello")]);
    for (method, path, status) in [
        (Method::POST, "/api/collections/closed/records", 403),
        (
            Method::PATCH,
            "/api/collections/closed/records/abcdefghijklmno",
            404,
        ),
        (Method::POST, "/api/collections/nowhere/records", 404),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, FORM)
            .body(Body::from(body()))
            .unwrap();
        assert_eq!(
            fixture.send(request).await.status.as_u16(),
            status,
            "{path}"
        );
    }
    assert_eq!(fixture.count("_mito_records_files_pending").await, 0);
}
