//! Signing in with an account of another site: a real OpenID provider on this machine.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mito_core::{Shutdown, Supervisor};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Fixture, PASSWORD, START_MS};

const SIGN_IN: &str = "/api/collections/users/auth-with-oauth2";
const REDIRECT: &str = "http://127.0.0.1/back";
/// A key of the tests alone.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmjeD+aes07MZDdfL
W3kESUiOuKNspDir88o6VAsvPRChRANCAATtOYB5fjfKXNDkk49oNKta2qL9QHej
h08R6/VpFBsaFZyNMyL+cBDG1p50BRm9xjN6eCtBjQ0M39fntof42Ytc
-----END PRIVATE KEY-----";

/// What the provider knows.
#[derive(Default)]
struct Known {
    person: Value,
    /// The claims that the identity token has besides; `null` takes one away.
    claims: Value,
    /// Challenges by code; a code is good once.
    codes: HashMap<String, String>,
    issued: usize,
}

#[derive(Clone)]
struct Provider {
    known: Arc<Mutex<Known>>,
    url: String,
    supervisor: Supervisor,
}

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            known: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
            supervisor: Supervisor::new(Shutdown::new()),
        };
        let routes = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .route("/me", get(me))
            .with_state(provider.clone());
        provider.supervisor.detach("provider", async move {
            axum::serve(listener, routes).await.unwrap();
        });
        provider
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_person(&self, person: Value) {
        self.known().person = person;
    }

    /// What the collection is told of the provider.
    fn options(&self) -> Value {
        json!({"name": "oidc", "clientId": "client", "clientSecret": "a secret",
            "authURL": format!("{}/authorize", self.url), "tokenURL": format!("{}/token", self.url),
            "userInfoURL": format!("{}/me", self.url), "displayName": "Local"})
    }

    fn id_token(&self) -> String {
        let known = self.known();
        let mut claims = known.person.clone();
        let now = START_MS / 1_000;
        let fixed = json!({"iss": self.url, "aud": "client", "iat": now, "exp": now + 60});
        for more in [&fixed, &known.claims] {
            for (name, value) in more.as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("key".to_owned());
        let key = EncodingKey::from_ec_pem(KEY.as_bytes()).unwrap();
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    }
}

type Parameters = HashMap<String, String>;

async fn authorize(State(provider): State<Provider>, Query(query): Query<Parameters>) -> Response {
    assert_eq!(query["client_id"], "client");
    assert_eq!(query["response_type"], "code");
    let mut known = provider.known();
    known.issued += 1;
    let code = format!("code-{}", known.issued);
    let challenge = query["code_challenge"].clone();
    known.codes.insert(code.clone(), challenge);
    let place = format!(
        "{}?code={code}&state={}",
        query["redirect_uri"], query["state"]
    );
    (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Parameters>,
) -> Response {
    let refuse = || {
        (
            StatusCode::BAD_REQUEST,
            Json(json!({"error": "invalid_grant"})),
        )
            .into_response()
    };
    // `client:a secret`, each part escaped as a form is.
    let authorized = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == "Basic Y2xpZW50OmErc2VjcmV0");
    if !authorized || form["redirect_uri"] != REDIRECT {
        return refuse();
    }
    let challenge = provider.known().codes.remove(&form["code"]);
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if challenge != Some(made) {
        return refuse();
    }
    Json(
        json!({"access_token": "access", "refresh_token": "refresh", "expires_in": 3600,
        "token_type": "Bearer", "id_token": provider.id_token()}),
    )
    .into_response()
}

async fn keys() -> Json<Value> {
    Json(
        json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "key", "alg": "ES256", "use": "sig",
        "x": "7TmAeX43ylzQ5JOPaDSrWtqi_UB3o4dPEev1aRQbGhU",
        "y": "nI0zIv5wEMbWnnQFGb3GM3p4K0GNDQzf1-e2h_jZi1w"}]}),
    )
}

async fn me(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|value| value != "Bearer access")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(provider.known().person.clone()).into_response()
}

/// A platform whose users may sign in with the provider.
struct Platform {
    fixture: Fixture,
    administrator: String,
    provider: Provider,
}

impl Platform {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let platform = Self {
            administrator: fixture.administrator().await,
            fixture,
            provider: Provider::start().await,
        };
        platform.configure(&platform.provider.options()).await;
        platform
    }

    /// As the panel does, which sends no more than what is changed.
    async fn configure(&self, provider: &Value) {
        let users = json!({"createRule": "", "oauth2": {
            "enabled": true, "providers": [provider], "mappedFields": {"name": "name"}}});
        let path = "/api/collections/users";
        let changed = self
            .fixture
            .call(Method::PATCH, path, Some(users), &self.administrator)
            .await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    }

    async fn method(&self) -> Value {
        let methods = self
            .fixture
            .get("/api/collections/users/auth-methods", "")
            .await;
        methods.json()["oauth2"]["providers"][0].clone()
    }

    /// Goes to the provider as a browser would; the code, and the verifier that it needs.
    async fn code(&self) -> (String, String) {
        let method = self.method().await;
        let url = format!("{}{REDIRECT}", method["authURL"].as_str().unwrap());
        let path = url.strip_prefix(&self.provider.url).unwrap();
        let answer = get_from(&self.provider.url, path).await;
        let place = answer.strip_prefix(&format!("{REDIRECT}?code=")).unwrap();
        let (code, state) = place.split_once("&state=").unwrap();
        assert_eq!(method["state"], state);
        let verifier = method["codeVerifier"].as_str().unwrap();
        (code.to_owned(), verifier.to_owned())
    }

    async fn sign_in(&self, person: Value, create: Value, token: &str) -> (u16, Value) {
        self.provider.set_person(person);
        let (code, verifier) = self.code().await;
        let body = json!({"provider": "oidc", "code": code, "codeVerifier": verifier,
            "redirectURL": REDIRECT, "createData": create});
        let answer = self.fixture.post(SIGN_IN, body, token).await;
        (answer.status.as_u16(), answer.json())
    }
}

/// Where the provider's answer leads.
async fn get_from(base: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    line.unwrap_or_else(|| panic!("no redirect: {answer}"))
        .to_owned()
}

fn ann() -> Value {
    json!({"sub": "1", "email": "ann@b.co", "email_verified": true, "name": "Ann",
        "preferred_username": "ann", "picture": "https://b.co/a.png"})
}

#[tokio::test]
async fn the_methods_say_where_to_go() {
    let platform = Platform::new().await;
    let method = platform.method().await;
    assert_eq!(method["displayName"], "Local");
    let url = method["authURL"].as_str().unwrap();
    let challenge = method["codeChallenge"].as_str().unwrap();
    let state = method["state"].as_str().unwrap();
    let expected = format!(
        "{}/authorize?client_id=client&code_challenge={challenge}&code_challenge_method=S256\
         &response_type=code&scope=openid+email+profile&state={state}&redirect_uri=",
        platform.provider.url
    );
    assert_eq!(url, expected);
    assert!(method["logo"].as_str().unwrap().starts_with("<svg"));
}

#[tokio::test]
async fn a_person_gets_an_account_and_keeps_it() {
    let platform = Platform::new().await;
    let (status, first) = platform.sign_in(ann(), json!({}), "").await;
    assert_eq!(status, 200, "{first}");
    let meta = &first["meta"];
    let told = |name: &str| meta[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        [told("id"), told("name"), told("username"), told("email")],
        ["1", "Ann", "ann", "ann@b.co"]
    );
    assert_eq!(told("expiry"), "2026-05-06 08:08:09.000Z");
    assert_eq!(
        [told("accessToken"), told("refreshToken")],
        ["access", "refresh"]
    );
    assert_eq!([&meta["isNew"], &meta["rawUser"]], [&json!(true), &ann()]);
    let record = &first["record"];
    assert_eq!(
        [&record["verified"], &record["name"]],
        [&json!(true), &json!("Ann")]
    );

    // The address at the provider may change; the account stays.
    let mut renamed = ann();
    renamed["email"] = json!("other@b.co");
    let (_, again) = platform.sign_in(renamed, json!({}), "").await;
    assert_eq!(again["meta"]["isNew"], false);
    assert_eq!(again["record"]["id"], record["id"]);
    assert_eq!(again["record"]["email"], "ann@b.co");

    // The owner sees the link and may cut it.
    let token = again["token"].as_str().unwrap();
    let path = "/api/collections/_externalAuths/records";
    let links = platform.fixture.get(path, token).await.json();
    assert_eq!(links["items"][0]["providerId"], "1");
    let link = format!("{path}/{}", links["items"][0]["id"].as_str().unwrap());
    let cut = platform
        .fixture
        .call(Method::DELETE, &link, None, token)
        .await;
    assert_eq!(cut.status, StatusCode::NO_CONTENT, "{cut:?}");
    let links = platform.fixture.get(path, token).await.json();
    assert_eq!(links["totalItems"], 0);
}

#[tokio::test]
async fn an_address_links_only_where_the_provider_vouches_for_it() {
    let platform = Platform::new().await;
    let owner = platform.fixture.account("ann@b.co").await;
    let mut stranger = ann();
    stranger["email_verified"] = json!(false);
    let (status, refused) = platform.sign_in(stranger, json!({}), "").await;
    let expected = json!({"code": "validation_required", "message": "Cannot be blank."});
    assert_eq!((status, &refused["data"]["email"]), (400, &expected));

    // Whoever made the account before has proved nothing, and is out.
    let (status, linked) = platform.sign_in(ann(), json!({}), "").await;
    assert_eq!((status, &linked["meta"]["isNew"]), (200, &json!(false)));
    assert_eq!(linked["record"]["verified"], true);
    let refresh = "/api/collections/users/auth-refresh";
    let out = platform.fixture.post(refresh, json!({}), &owner).await;
    assert_eq!(out.status, StatusCode::UNAUTHORIZED);
    let by_password = json!({"identity": "ann@b.co", "password": PASSWORD});
    let path = "/api/collections/users/auth-with-password";
    let out = platform.fixture.post(path, by_password, "").await;
    assert_eq!(out.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_is_signed_in_links_their_account() {
    let platform = Platform::new().await;
    let token = platform.fixture.account("own@b.co").await;
    let (status, linked) = platform.sign_in(ann(), json!({}), &token).await;
    assert_eq!(status, 200, "{linked}");
    assert_eq!(linked["record"]["email"], "own@b.co");
    assert_eq!(
        linked["record"]["verified"], false,
        "the address is another"
    );
    let (_, again) = platform.sign_in(ann(), json!({}), "").await;
    assert_eq!(again["record"]["id"], linked["record"]["id"]);
}

#[tokio::test]
async fn new_accounts_are_made_by_the_rules() {
    let platform = Platform::new().await;
    let check = async |person: Value, create: Value, status: u16, field: &str, code: &str| {
        let (given, answer) = platform.sign_in(person, create.clone(), "").await;
        assert_eq!(given, status, "{create} {answer}");
        if !field.is_empty() {
            assert_eq!(answer["data"][field]["code"], code, "{create}");
        }
    };
    let verified = json!({"verified": true, "email": "other@b.co"});
    check(
        ann(),
        verified,
        400,
        "verified",
        "validation_values_mismatch",
    )
    .await;
    check(
        ann(),
        json!({"password": "x"}),
        400,
        "passwordConfirm",
        "validation_required",
    )
    .await;
    let nobody = json!({"sub": "", "email": "ann@b.co"});
    check(nobody, json!({}), 400, "providerId", "validation_required").await;
    let silent = json!({"sub": "2", "name": "Silent"});
    check(
        silent.clone(),
        json!({}),
        400,
        "email",
        "validation_required",
    )
    .await;
    check(silent, json!({"email": "given@b.co"}), 200, "", "").await;
    let password = json!({"password": PASSWORD, "passwordConfirm": PASSWORD, "name": "Given"});
    check(ann(), password, 200, "", "").await;
    platform.fixture.token("users", "ann@b.co").await;
}

#[tokio::test]
async fn codes_and_identity_tokens_are_checked() {
    let platform = Platform::new().await;
    let refused = async |body: Value, expected: &str| {
        let answer = platform.fixture.post(SIGN_IN, body, "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["message"].clone()),
            (400, json!(expected))
        );
    };
    platform.provider.set_person(ann());
    let (code, verifier) = platform.code().await;
    let body = |code: &str, verifier: &str| json!({"provider": "oidc", "code": code, "codeVerifier": verifier, "redirectURL": REDIRECT});
    let no_token = "Failed to fetch OAuth2 token.";
    refused(body(&code, "another verifier"), no_token).await;
    refused(body(&code, &verifier), no_token).await;
    refused(body("invented", &verifier), no_token).await;

    // Without a place to ask, the identity token tells who it is.
    let mut provider = platform.provider.options();
    provider["userInfoURL"] = json!("");
    let extra = json!({"jwksURL": format!("{}/keys", platform.provider.url),
        "issuers": [platform.provider.url]});
    provider["extra"] = extra;
    platform.configure(&provider).await;
    let wrong = [
        json!({"aud": "another"}),
        json!({"aud": ["client", "another"], "azp": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": START_MS / 1_000 - 61}),
        json!({"exp": null}),
        json!({"nbf": START_MS / 1_000 + 120}),
    ];
    for claims in wrong {
        platform.provider.known().claims = claims.clone();
        let (status, answer) = platform.sign_in(ann(), json!({}), "").await;
        let expected = (400, json!("Failed to fetch OAuth2 user."));
        assert_eq!((status, answer["message"].clone()), expected, "{claims}");
    }
    platform.provider.known().claims = json!({"aud": ["client", "another"], "azp": "client"});
    let (status, answer) = platform.sign_in(ann(), json!({}), "").await;
    assert_eq!(
        (status, &answer["meta"]["name"]),
        (200, &json!("Ann")),
        "{answer}"
    );
}

#[tokio::test]
async fn bad_requests_are_told_in_the_envelope() {
    let platform = Platform::new().await;
    let loading = "An error occurred while loading the submitted data.";
    let required = json!({"code": "validation_required", "message": "Cannot be blank."});
    let unknown = json!({"provider": {"code": "validation_invalid_provider",
        "message": "Provider with name zzz is missing or is not enabled.", "params": {"name": "zzz"}}});
    for (body, data) in [
        (json!({}), json!({"code": required, "provider": required})),
        (json!({"provider": 5}), json!({})),
        (json!({"createData": 5}), json!({})),
        (json!({"provider": "zzz", "code": "c"}), unknown),
    ] {
        let answer = platform.fixture.post(SIGN_IN, body, "").await;
        answer.check(
            400,
            json!({"data": data, "message": loading, "status": 400}),
        );
    }
    let administrators = "/api/collections/_superusers/auth-with-oauth2";
    let message = "The collection is not configured to allow OAuth2 authentication.";
    let answer = platform.fixture.post(administrators, json!({}), "").await;
    answer.check(403, json!({"data": {}, "message": message, "status": 403}));
}

#[tokio::test]
async fn a_person_who_comes_back_sees_a_page() {
    let platform = Platform::new().await;
    let check = async |method: Method, query: &str, status: u16| {
        let path = format!("/api/oauth2-redirect{query}");
        let answer = platform.fixture.call(method, &path, None, "").await;
        let place = answer.headers[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert!(place.ends_with("/auth/oauth2-redirect-failure"), "{place}");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer");
    };
    check(Method::GET, "", 307).await;
    check(Method::GET, "?state=nobody&code=c", 307).await;
    check(Method::POST, "?state=nobody&code=c", 303).await;
}

#[tokio::test]
async fn administrators_configure_sites() {
    let fixture = Fixture::new().await;
    let token = fixture.administrator().await;
    let path = "/api/collections/meta/oauth2-providers";
    assert_eq!(fixture.get(path, "").await.status, StatusCode::UNAUTHORIZED);
    let known = fixture.get(path, &token).await.json();
    assert_eq!(known.as_array().map(Vec::len), Some(32));
    assert_eq!(known[6]["displayName"], "GitHub");

    let path = "/api/settings/apple/generate-client-secret";
    let whole = json!({"clientId": "a", "teamId": "t".repeat(10), "keyId": "k".repeat(10),
        "privateKey": KEY, "duration": 100});
    let secret = fixture.post(path, whole.clone(), &token).await.json()["secret"].clone();
    let payload = secret
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let now = START_MS / 1_000;
    let expected = json!({"iss": "t".repeat(10), "sub": "a", "aud": ["https://appleid.apple.com"],
        "exp": now + 100, "iat": now});
    assert_eq!(claims, expected);
    for (name, value, code) in [
        ("clientId", json!(""), "validation_required"),
        ("teamId", json!("t"), "validation_length_invalid"),
        ("privateKey", json!("x"), "validation_match_invalid"),
        ("duration", json!(0), "validation_required"),
        (
            "duration",
            json!(-1),
            "validation_min_greater_equal_than_required",
        ),
        (
            "duration",
            json!(15_777_001),
            "validation_max_less_equal_than_required",
        ),
    ] {
        let mut body = whole.clone();
        body[name] = value;
        let answer = fixture.post(path, body, &token).await.json();
        assert_eq!(answer["data"][name]["code"], code, "{answer}");
        assert_eq!(answer["message"], "Invalid client secret data.");
    }
}
