//! The routes over a real database and real object storage.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use mito_core::{Clock, Random};
use mito_database::{
    Database, Options,
    database::{Config as DatabaseConfig, Location},
};
use mito_network::{Authenticator, Identity};
use mito_objects::{Config as ObjectsConfig, Objects, store::Dependencies as ObjectsDependencies};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::{Config, Dependencies, Mobile};

struct Tokens;

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, token: &str) -> Option<Identity> {
        let collection = match token {
            "admin" => "_superusers",
            "user" => "users",
            _ => return None,
        };
        Some(Identity {
            id: "id".to_owned(),
            collection: collection.to_owned(),
            collection_id: collection.to_owned(),
            email: "a@example.com".to_owned(),
            session_id: "s".to_owned(),
        })
    }
}

struct Fixture {
    mobile: Mobile,
    _folder: tempfile::TempDir,
}

async fn open(path: std::path::PathBuf, migrations: mito_database::Migrations) -> Database {
    let options = Options {
        location: Location::File(path),
        config: DatabaseConfig::default(),
        clock: Clock::system(),
    };
    Database::open(options, &[migrations]).await.unwrap()
}

async fn fixture(config: Config) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path().join("mito.db"), crate::MIGRATIONS).await;
    let objects_database = open(folder.path().join("objects.db"), mito_objects::MIGRATIONS).await;
    let objects = Objects::new(
        ObjectsConfig {
            reserve_bytes: 0,
            ..ObjectsConfig::default()
        },
        ObjectsDependencies {
            database: objects_database,
            folder: folder.path().join("objects"),
            root_password: "secret-secret".into(),
            domain: "localhost".to_owned(),
            clock: Clock::system(),
            random: Random::system(),
            fault: None,
        },
    );
    objects.recover().await.unwrap();
    let dependencies = Dependencies {
        database,
        objects,
        authenticator: Arc::new(Tokens),
        clock: Clock::system(),
        random: Random::system(),
    };
    Fixture {
        mobile: Mobile::new(config, dependencies),
        _folder: folder,
    }
}

impl Fixture {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        self.mobile.service().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::get(path).header("host", "mobile-build.localhost:8000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.call(request.body(Body::empty()).unwrap()).await
    }

    async fn publish(&self, token: &str, parts: &[(&str, &[u8])]) -> Response<Body> {
        let mut body = Vec::new();
        for (name, content) in parts {
            let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        let request = Request::post("/api/updates")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "multipart/form-data; boundary=b");
        self.call(request.body(Body::from(body)).unwrap()).await
    }

    async fn objects(&self) -> usize {
        let options = mito_objects::ListOptions {
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 1_000,
        };
        let listing = self.mobile.inner.objects.list(super::BUCKET, options).await;
        listing.map_or(0, |listing| listing.objects.len())
    }
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

async fn body_json(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes(response).await).unwrap()
}

fn update() -> Vec<u8> {
    json!({
        "runtimeVersion": "1.0", "platform": "android", "message": "first",
        "launchAsset": { "key": "bundle", "contentType": "application/javascript" },
        "assets": [{ "key": "logo", "contentType": "image/png", "fileExtension": ".png" }],
    })
    .to_string()
    .into_bytes()
}

const CLIENT: [(&str, &str); 4] = [
    ("expo-platform", "android"),
    ("expo-runtime-version", "1.0"),
    ("expo-protocol-version", "1"),
    ("accept", "application/expo+json"),
];

#[tokio::test]
async fn metro_status_is_answered_to_the_letter() {
    let fixture = fixture(Config::default()).await;
    let response = fixture.get("/status", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(bytes(response).await, b"packager-status:running");
    assert_eq!(
        fixture.get("/package.json", &[]).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_published_update_is_offered_with_its_assets() {
    let fixture = fixture(Config::default()).await;
    assert_eq!(
        fixture.get("/api/manifest", &CLIENT).await.status(),
        StatusCode::NO_CONTENT
    );
    let bundle = b"console.log('hi')".repeat(5_000);
    let parts: [(&str, &[u8]); 3] = [("update", &update()), ("bundle", &bundle), ("logo", b"png")];
    let published = fixture.publish("admin", &parts).await;
    assert_eq!(published.status(), StatusCode::CREATED);
    let id = body_json(published).await["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let manifest = body_json(fixture.get("/api/manifest", &CLIENT).await).await;
    assert_eq!(manifest["id"], id.as_str());
    let asset = &manifest["launchAsset"];
    assert_eq!(
        asset["hash"],
        URL_SAFE_NO_PAD.encode(Sha256::digest(&bundle))
    );
    let url = asset["url"].as_str().unwrap();
    let path = url
        .strip_prefix("http://mobile-build.localhost:8000")
        .unwrap();
    let response = fixture.get(path, &[]).await;
    assert_eq!(response.headers()["content-type"], "application/javascript");
    assert_eq!(
        response.headers()["cache-control"],
        "public, max-age=31536000, immutable"
    );
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(bytes(response).await, bundle);
    let known = fixture.get(path, &[("if-none-match", &etag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    // The same bytes are not served as something that nobody published.
    let as_page = path.replace("application~javascript", "text~html");
    assert_eq!(
        fixture.get(&as_page, &[]).await.status(),
        StatusCode::NOT_FOUND
    );

    let current = [
        CLIENT.as_slice(),
        &[("expo-current-update-id", id.as_str())],
    ]
    .concat();
    assert_eq!(
        fixture.get("/api/manifest", &current).await.status(),
        StatusCode::NO_CONTENT
    );
    for other in [
        ("expo-platform", "ios"),
        ("expo-runtime-version", "2"),
        ("expo-channel-name", "b"),
    ] {
        let headers: Vec<_> = CLIENT
            .iter()
            .copied()
            .filter(|(name, _)| *name != other.0)
            .chain([other])
            .collect();
        let response = fixture.get("/api/manifest", &headers).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{other:?}");
    }
}

#[tokio::test]
async fn publishing_again_is_newer_and_keeps_one_copy_of_the_bytes() {
    let fixture = fixture(Config::default()).await;
    let parts: [(&str, &[u8]); 3] = [("update", &update()), ("bundle", b"js"), ("logo", b"png")];
    let first = body_json(fixture.publish("admin", &parts).await).await;
    let second = body_json(fixture.publish("admin", &parts).await).await;
    assert!(second["created_ms"].as_i64() > first["created_ms"].as_i64());
    assert_eq!(fixture.objects().await, 2);
    let manifest = body_json(fixture.get("/api/manifest", &CLIENT).await).await;
    assert_eq!(manifest["id"], second["id"]);
    let panel: Router = fixture.mobile.panel();
    let request = Request::get("/updates?limit=1")
        .body(Body::empty())
        .unwrap();
    let page = body_json(panel.clone().oneshot(request).await.unwrap()).await;
    assert_eq!(page["items"][0]["id"], second["id"]);
    let next = format!("/updates?before={}", page["next"].as_str().unwrap());
    let request = Request::get(next).body(Body::empty()).unwrap();
    let page = body_json(panel.oneshot(request).await.unwrap()).await;
    assert_eq!(page["items"][0]["id"], first["id"]);
    assert_eq!(page["next"], Value::Null);
}

async fn check(token: &str, parts: &[(&str, &[u8])], status: u16, expected: &str) {
    let fixture = fixture(Config {
        max_update_bytes: 100_000,
    })
    .await;
    let response = fixture.publish(token, parts).await;
    assert_eq!(response.status().as_u16(), status, "{expected}");
    let problem = body_json(response).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(expected), "{detail}");
    assert_eq!(
        fixture.objects().await,
        0,
        "{expected}: nothing is left behind"
    );
    assert_eq!(
        fixture.get("/api/manifest", &CLIENT).await.status(),
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn bad_publications_are_refused_and_leave_nothing() {
    let update = update();
    let (bundle, logo) = (("bundle", b"js".as_slice()), ("logo", b"png".as_slice()));
    check(
        "",
        &[("update", &update), bundle, logo],
        401,
        "administrator's token",
    )
    .await;
    check(
        "user",
        &[("update", &update), bundle, logo],
        403,
        "only administrators",
    )
    .await;
    check(
        "admin",
        &[bundle],
        400,
        "the first part must be called update",
    )
    .await;
    check("admin", &[], 400, "").await;
    check("admin", &[("update", b"{"), bundle], 400, "EOF").await;
    check(
        "admin",
        &[("update", &update), bundle],
        400,
        "missing parts: logo",
    )
    .await;
    check(
        "admin",
        &[("update", &update), bundle, bundle],
        400,
        "is there twice",
    )
    .await;
    check(
        "admin",
        &[("update", &update), ("other", b"x")],
        400,
        "no asset",
    )
    .await;
    let large = vec![b'x'; 200_000];
    check("admin", &[("update", &update), ("bundle", &large)], 413, "").await;
}
