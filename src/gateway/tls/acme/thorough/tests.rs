//! instant-acme against a small authority of the test, for what Pebble does not do: renewal
//! information and limits.

use std::{
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use mito_core::{Clock, Shutdown};
use mito_network::{
    listener::{self, Limits},
    service::http_service,
};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring, sign::CertifiedKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::{
    config,
    tls::{
        acme::{http::Http, settings::Settings, store::Store},
        certificate::tests::self_signed,
    },
};

/// What the authority has heard.
#[derive(Default)]
struct Heard {
    url: String,
    nonce_was_refused: AtomicBool,
    /// Accounts that were made.
    accounts: AtomicUsize,
    /// Whether the first account is unknown by now.
    lost_account: AtomicBool,
    orders: Mutex<Vec<Value>>,
}

type Shared = State<Arc<Heard>>;

async fn directory(State(heard): Shared) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", heard.url);
    Json(json!({
        "newNonce": at("nonce"),
        "newAccount": at("account"),
        "newOrder": at("order"),
        "renewalInfo": at("renewal"),
    }))
}

async fn nonce() -> Response {
    ([("replay-nonce", "a-nonce")], "").into_response()
}

fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let kind = format!("urn:ietf:params:acme:error:{kind}");
    let body = json!({ "type": kind, "detail": detail }).to_string();
    (status, [("replay-nonce", "a-nonce")], body).into_response()
}

/// Refuses the first nonce, as RFC 8555 §6.5 allows.
async fn account(State(heard): Shared) -> Response {
    if !heard.nonce_was_refused.swap(true, Ordering::Relaxed) {
        return problem(StatusCode::BAD_REQUEST, "badNonce", "try again");
    }
    let number = heard.accounts.fetch_add(1, Ordering::Relaxed) + 1;
    let location = format!("{}/account/{number}", heard.url);
    let headers = [("location", location.as_str()), ("replay-nonce", "a-nonce")];
    (StatusCode::CREATED, headers, "{}").into_response()
}

async fn order(State(heard): Shared, Json(signed): Json<Value>) -> Response {
    let part = |name: &str| -> Value {
        let part = signed[name].as_str().expect(name);
        let part = URL_SAFE_NO_PAD.decode(part).expect("base64");
        serde_json::from_slice(&part).expect(name)
    };
    let account = part("protected")["kid"].to_string();
    if account.contains("/account/1") && heard.lost_account.load(Ordering::Relaxed) {
        return problem(StatusCode::BAD_REQUEST, "accountDoesNotExist", "who?");
    }
    heard.orders.lock().expect("orders").push(part("payload"));
    let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "rateLimited", "too many");
    let after = http::HeaderValue::from_static("7200");
    answer.headers_mut().insert("retry-after", after);
    answer
}

async fn renewal() -> Response {
    let window = json!({
        "suggestedWindow": { "start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z" },
    });
    ([("retry-after", "90000")], window.to_string()).into_response()
}

/// A client of an authority that runs.
struct Test {
    thorough: Thorough,
    heard: Arc<Heard>,
    _data: TempDir,
    _server: JoinSet<std::io::Result<()>>,
}

fn start() -> Test {
    let data = tempfile::tempdir().expect("a folder");
    let (chain, key) = self_signed(&["127.0.0.1"]);
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect("a pair");
    let root = data.path().join("root.pem");
    std::fs::write(&root, chain).expect("a file");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = listener::bind("authority", free).expect("a port");
    let heard = Arc::new(Heard {
        url: format!("https://{}", bound.address),
        ..Heard::default()
    });
    let router = Router::new()
        .route("/directory", get(directory))
        .route("/nonce", any(nonce))
        .route("/account", post(account))
        .route("/order", post(order))
        .route("/renewal/{certificate}", get(renewal))
        .with_state(heard.clone());
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
            CertifiedKey::clone(&certificate.key),
        )));
    let mut server = JoinSet::new();
    server.spawn(listener::serve_http(
        bound,
        http_service(router),
        Some(Arc::new(tls)),
        Limits::default(),
        Shutdown::new(),
        Duration::ZERO,
    ));
    let config = config::Acme {
        ca_server: format!("{}/directory", heard.url),
        ca_certificates: vec![root],
        ..config::Acme::default()
    };
    let settings = Settings::read(&config).expect("a configuration");
    let store = Store::new(data.path(), &settings.directory);
    let http = Http::new(&settings.tls, Clock::system());
    Test {
        thorough: Thorough {
            accounts: Arc::new(Accounts::new(settings, store, http)),
            challenges: Challenges::default(),
        },
        heard,
        _data: data,
        _server: server,
    }
}

/// A certificate that names the key of its issuer, as those of authorities do.
fn issued() -> Certificate {
    let root_key = KeyPair::generate().expect("a key");
    let root = CertificateParams::new(Vec::new()).expect("no names");
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["a.example".to_owned()]).expect("a name");
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let (chain, key) = (certificate.pem(), key.serialize_pem());
    Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect("a pair")
}

#[tokio::test]
async fn the_authority_says_when_to_renew() {
    let test = start();
    let suggestion = test.thorough.suggestion(&issued()).await;
    let time = |text: &str| {
        text.parse::<jiff::Timestamp>()
            .expect(text)
            .as_millisecond()
    };
    let expected = Suggestion {
        start_ms: time("2026-01-02T00:00:00Z"),
        end_ms: time("2026-01-03T00:00:00Z"),
        ask_after: Duration::from_hours(25),
    };
    let suggestion = suggestion.expect("renewal information");
    assert_eq!(
        (suggestion.start_ms, suggestion.end_ms),
        (expected.start_ms, expected.end_ms)
    );
    assert_eq!(
        suggestion.ask_after.as_secs().div_ceil(60),
        expected.ask_after.as_secs() / 60
    );
}

#[tokio::test]
async fn a_refused_nonce_is_no_failure_but_a_limit_is_and_says_until_when() {
    let test = start();
    let order = Order {
        host: "a.example".to_owned(),
        challenge: Challenge::Http01,
        replaces: Some(Arc::new(issued())),
    };
    let failure = test.thorough.order(&order).await.expect_err("a limit");
    assert!(test.heard.nonce_was_refused.load(Ordering::Relaxed));
    assert_eq!(
        failure,
        Failure::Limited {
            reason: "too many".to_owned(),
            retry_after: Some(Duration::from_hours(2)),
        }
    );
    let orders = test.heard.orders.lock().expect("orders");
    let identifiers = json!([{ "type": "dns", "value": "a.example" }]);
    assert_eq!(orders[0]["identifiers"], identifiers);
    let replaced = orders[0]["replaces"].as_str().unwrap_or_default();
    assert!(replaced.contains('.'), "{:?}", orders[0]);
}

#[tokio::test]
async fn orders_that_find_the_account_gone_make_one_new_one() {
    let test = start();
    test.heard.lost_account.store(true, Ordering::Relaxed);
    test.thorough.accounts.key().await.expect("an account");
    let order = |host: &str| Order {
        host: host.to_owned(),
        challenge: Challenge::Http01,
        replaces: None,
    };
    let (first, second) = (order("a.example"), order("b.example"));
    let both = tokio::join!(test.thorough.order(&first), test.thorough.order(&second));
    for outcome in [both.0, both.1] {
        assert!(
            matches!(outcome, Err(Failure::Limited { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(test.heard.orders.lock().expect("orders").len(), 2);
    assert_eq!(test.heard.accounts.load(Ordering::Relaxed), 2);
}
