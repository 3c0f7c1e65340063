//! Requests through the whole router, on a real database.

mod clients;
mod files;
mod hostile;
mod oauth2;
mod panel;
mod platform;
mod realtime;
mod rules;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mito_cache::Cache;
use mito_core::{Clock, Random};
use mito_database::{Database, Options, database::Location};
use mito_network::{ConnectionInfo, HttpService, Network};
use mito_records::Records;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{Config, Dependencies};

/// 2026-05-06 07:08:09.000Z.
const START_MS: i64 = 1_778_051_289_000;
const PASSWORD: &str = "correct horse battery";
const HOST: &str = "admin.localhost:8000";

struct Fixture {
    service: HttpService,
    records: Records,
    database: Database,
    clock: Clock,
    scheme: &'static str,
    objects: mito_objects::Objects,
    objects_database: Database,
    folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    #[track_caller]
    fn check(&self, status: u16, body: Value) {
        assert_eq!((self.status.as_u16(), self.json()), (status, body));
    }
}

/// Object storage in `folder`, with its database.
async fn objects(folder: &Path, clock: &Clock) -> (Database, mito_objects::Objects) {
    let objects_options = Options {
        location: Location::File(folder.join("objects.db")),
        config: mito_database::database::Config::default(),
        clock: clock.clone(),
    };
    let objects_database = Database::open(objects_options, &[mito_objects::MIGRATIONS])
        .await
        .unwrap();
    let objects = mito_objects::Objects::new(
        mito_objects::Config {
            reserve_bytes: 0,
            ..Default::default()
        },
        mito_objects::store::Dependencies {
            database: objects_database.clone(),
            folder: folder.join("objects"),
            root_password: "a-secret-of-tests".into(),
            domain: "localhost".to_owned(),
            clock: clock.clone(),
            random: Random::seeded(9),
            fault: None,
        },
    );
    objects.recover().await.unwrap();
    (objects_database, objects)
}

impl Fixture {
    async fn new() -> Self {
        Self::with("localhost", Config::default()).await
    }

    async fn with(domain: &str, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let options = Options {
            location: Location::File(folder.path().join("mito.db")),
            config: mito_database::database::Config::default(),
            clock: clock.clone(),
        };
        let database = Database::open(options, &[mito_queue::MIGRATIONS, mito_records::MIGRATIONS])
            .await
            .unwrap();
        let (objects_database, objects) = objects(folder.path(), &clock).await;
        let queue = mito_queue::Queue::new(
            database.clone(),
            clock.clone(),
            Random::seeded(10),
            mito_queue::queue::Config::default(),
        );
        let cache_config = mito_cache::Config {
            warm_restart: false,
            ..Default::default()
        };
        let cache = Cache::open(cache_config, folder.path().join("cache"), clock.clone()).await;
        let dependencies = mito_records::Dependencies {
            database: database.clone(),
            cache,
            clock: clock.clone(),
            random: Random::seeded(7),
            objects: objects.clone(),
            queue,
            egress: mito_core::egress::Egress::new(&mito_core::egress::Config {
                // Providers of the tests are on this machine.
                allow: vec!["127.0.0.1".to_owned()],
                ..Default::default()
            })
            .unwrap(),
            jwt_secret: SecretString::from("a secret of the tests"),
        };
        let records = Records::new(mito_records::Config::default(), dependencies);
        let contributed = Router::new().route(
            "/queues",
            axum::routing::get(async || "queues").post(async || "posted"),
        );
        let service = crate::service(
            config,
            Dependencies {
                records: records.clone(),
                network: Network::new(clock.clone()),
                panel: vec![("queue", contributed)],
                domain: domain.to_owned(),
                clock: clock.clone(),
                random: Random::seeded(8),
            },
        );
        Self {
            service,
            records,
            database,
            clock,
            scheme: "http",
            objects,
            objects_database,
            folder,
        }
    }

    /// Sends a request as if through the gateway.
    async fn send(&self, mut request: Request<Body>) -> Answer {
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(HOST.parse().unwrap());
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        request.extensions_mut().insert(ConnectionInfo {
            peer: SocketAddr::new(address, 5_000),
            client_ip: address,
            scheme: self.scheme,
            host: "admin.localhost".into(),
            tls: None,
            entrypoint: "web".into(),
            request_id: "request-1".into(),
        });
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>, token: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, token);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, None, token).await
    }

    async fn post(&self, path: &str, body: Value, token: &str) -> Answer {
        self.call(Method::POST, path, Some(body), token).await
    }

    /// A new account's token.
    async fn account(&self, email: &str) -> String {
        let values = json!({"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD});
        let created = self
            .post("/api/collections/users/records", values, "")
            .await;
        assert_eq!(created.status, StatusCode::OK, "{created:?}");
        self.token("users", email).await
    }

    async fn token(&self, collection: &str, email: &str) -> String {
        let path = format!("/api/collections/{collection}/auth-with-password");
        let signed_in = self
            .post(&path, json!({"identity": email, "password": PASSWORD}), "")
            .await;
        assert_eq!(signed_in.status, StatusCode::OK, "{signed_in:?}");
        signed_in.json()["token"].as_str().unwrap().to_owned()
    }

    /// An administrator's token.
    async fn administrator(&self) -> String {
        let password = SecretString::from(PASSWORD);
        self.records
            .create_superuser("root@b.co", password)
            .await
            .unwrap();
        self.token("_superusers", "root@b.co").await
    }
}
