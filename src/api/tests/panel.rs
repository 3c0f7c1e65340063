//! `/_mito/api` as the panel sees it: a browser with a cookie.

use std::time::Duration;

use super::*;

/// What a browser keeps of one host.
#[derive(Default)]
pub(super) struct Browser {
    pub(super) cookie: Option<String>,
    csrf: String,
}

impl Browser {
    /// Sends a request as a page of the host itself would.
    async fn call(
        &mut self,
        fixture: &Fixture,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/_mito/api{path}"))
            .header("sec-fetch-site", "same-origin")
            .header("x-mito-csrf", &self.csrf);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("theme=dark; {cookie}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = fixture.send(request.body(body).unwrap()).await;
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE) {
            let pair = cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned();
            self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        answer
    }

    /// Loads the session as a page does when it opens.
    async fn load(&mut self, fixture: &Fixture) -> Value {
        let state = self
            .call(fixture, Method::GET, "/session", None)
            .await
            .json();
        state["csrf"].as_str().unwrap().clone_into(&mut self.csrf);
        state
    }

    async fn signed_in(fixture: &Fixture) -> Self {
        fixture.administrator().await;
        Self::signed_in_as_root(fixture).await
    }

    /// After [`Fixture::administrator`].
    pub(super) async fn signed_in_as_root(fixture: &Fixture) -> Self {
        let mut browser = Self::default();
        browser.load(fixture).await;
        let body = json!({"email": "root@b.co", "password": PASSWORD});
        let answer = browser
            .call(fixture, Method::POST, "/session", Some(body))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        browser.load(fixture).await;
        browser
    }
}

#[tokio::test]
async fn the_set_up_link_leads_to_a_session() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::default();
    let state = browser.load(&fixture).await;
    assert_eq!(
        (&state["identity"], &state["setupNeeded"]),
        (&Value::Null, &json!(true))
    );
    let token = fixture.records.new_setup_token().await.unwrap().unwrap();
    let body = |token: &str| json!({"token": token, "email": "root@b.co", "password": PASSWORD});
    let wrong = browser
        .call(&fixture, Method::POST, "/setup", Some(body("wrong")))
        .await;
    assert_eq!(wrong.status, 400);
    let token = secrecy::ExposeSecret::expose_secret(&token);
    let right = browser
        .call(&fixture, Method::POST, "/setup", Some(body(token)))
        .await;
    assert_eq!(right.json()["identity"]["email"], "root@b.co");
    assert_eq!(right.json()["setupNeeded"], false);
    let state = browser.load(&fixture).await;
    assert_eq!(state["identity"]["collection"], "_superusers");
}

#[tokio::test]
async fn cookies_are_strict_and_host_only() {
    let mut fixture = Fixture::new().await;
    fixture.administrator().await;
    for (scheme, expected) in [
        (
            "http",
            "mito_session=; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict",
        ),
        (
            "https",
            "__Host-mito_session=; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure",
        ),
    ] {
        fixture.scheme = scheme;
        let mut browser = Browser::default();
        browser.load(&fixture).await;
        let body = json!({"email": "root@b.co", "password": PASSWORD});
        let answer = browser
            .call(&fixture, Method::POST, "/session", Some(body))
            .await;
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        let (_, attributes) = rest.split_once(';').unwrap();
        assert_eq!(format!("{name}=;{attributes}"), expected);
    }
}

#[tokio::test]
async fn unsafe_requests_of_other_sites_are_refused() {
    let fixture = Fixture::new().await;
    let browser = Browser::signed_in(&fixture).await;
    let cookie = browser.cookie.clone().unwrap();
    let anonymous = fixture.records.csrf_token("no session");
    let check = async |headers: &[(&str, &str)], expected: u16| {
        let mut request = Request::post("/_mito/api/queue/queues").header(header::COOKIE, &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = fixture.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?} {answer:?}");
    };
    let csrf = ("x-mito-csrf", browser.csrf.as_str());
    check(&[], 403).await;
    check(&[csrf], 200).await;
    check(&[csrf, ("sec-fetch-site", "same-origin")], 200).await;
    check(&[csrf, ("sec-fetch-site", "same-site")], 403).await;
    check(&[csrf, ("sec-fetch-site", "cross-site")], 403).await;
    check(&[csrf, ("origin", "https://evil.example")], 403).await;
    check(&[csrf, ("origin", "http://admin.localhost:8000")], 200).await;
    check(&[("x-mito-csrf", &anonymous)], 403).await;
    check(&[("x-mito-csrf", "")], 403).await;
}

#[tokio::test]
async fn only_administrators_get_in() {
    let fixture = Fixture::new().await;
    let mut nobody = Browser::default();
    nobody.load(&fixture).await;
    for path in [
        "/queue/queues",
        "/collections",
        "/collections/users/records",
    ] {
        let answer = nobody.call(&fixture, Method::GET, path, None).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
    let user = fixture.account("a@b.co").await;
    let mut user = Browser {
        cookie: Some(format!("mito_session={user}")),
        ..Browser::default()
    };
    user.load(&fixture).await;
    let answer = user
        .call(&fixture, Method::GET, "/queue/queues", None)
        .await;
    assert_eq!(answer.status, 403, "an account is not an administrator");
    let body = json!({"email": "a@b.co", "password": PASSWORD});
    let answer = user
        .call(&fixture, Method::POST, "/session", Some(body))
        .await;
    assert_eq!(answer.status, 400, "nor can it sign in here");

    let mut root = Browser::signed_in(&fixture).await;
    let answer = root
        .call(&fixture, Method::GET, "/queue/queues", None)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "queues")
    );
    let answer = root
        .call(&fixture, Method::GET, "/collections/users/records", None)
        .await;
    assert_eq!(answer.json()["items"][0]["email"], "a@b.co");
    let bearer = format!(
        "Bearer {}",
        root.cookie.unwrap().replace("mito_session=", "")
    );
    let answer = fixture.get("/_mito/api/queue/queues", &bearer).await;
    assert_eq!(answer.status, 401, "bearer tokens mean nothing here");
    let answer = nobody.call(&fixture, Method::GET, "/nope", None).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::signed_in(&fixture).await;
    let stolen = browser.cookie.clone();
    let answer = browser
        .call(&fixture, Method::DELETE, "/session", None)
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(browser.cookie, None);
    let mut thief = Browser {
        cookie: stolen,
        ..Browser::default()
    };
    assert_eq!(thief.load(&fixture).await["identity"], Value::Null);
    assert_eq!(thief.cookie, None, "a dead cookie is taken away");
}

#[tokio::test]
async fn an_expired_token_is_renewed_while_its_session_lives() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::signed_in(&fixture).await;
    let before = browser.cookie.clone();
    fixture.clock.advance(Duration::from_hours(25));
    let answer = browser
        .call(&fixture, Method::POST, "/queue/queues", None)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(browser.cookie, before);
    fixture.clock.advance(Duration::from_hours(8 * 24));
    let answer = browser
        .call(&fixture, Method::GET, "/queue/queues", None)
        .await;
    assert_eq!(answer.status, 401);
    let body = json!({"email": "root@b.co", "password": PASSWORD});
    let answer = browser
        .call(&fixture, Method::POST, "/session", Some(body))
        .await;
    assert_eq!(
        answer.status, 200,
        "the page need not be loaded again to sign in"
    );
}

#[tokio::test]
async fn a_code_carries_the_session_to_another_host() {
    let fixture = Fixture::new().await;
    let mut browser = Browser::signed_in(&fixture).await;
    let code = browser
        .call(&fixture, Method::POST, "/session/code", None)
        .await
        .json();
    let mut other = Browser::default();
    let refused = other
        .call(
            &fixture,
            Method::POST,
            "/session/exchange",
            Some(code.clone()),
        )
        .await;
    assert_eq!(refused.status, 403, "needs its own CSRF token");
    other.load(&fixture).await;
    let state = other
        .call(
            &fixture,
            Method::POST,
            "/session/exchange",
            Some(code.clone()),
        )
        .await;
    assert_eq!(state.json()["identity"]["email"], "root@b.co");
    let again = other
        .call(
            &fixture,
            Method::POST,
            "/session/exchange",
            Some(code.clone()),
        )
        .await;
    assert_eq!(
        again.status, 403,
        "the token of the page belongs to no session any more"
    );
    other.load(&fixture).await;
    let again = other
        .call(&fixture, Method::POST, "/session/exchange", Some(code))
        .await;
    assert_eq!(again.status, 400, "codes work once");
    assert_ne!(other.cookie, browser.cookie);
}

#[tokio::test]
async fn a_real_domain_needs_https() {
    let mut fixture = Fixture::with("example.org", Config::default()).await;
    fixture.administrator().await;
    let sign_in = async |fixture: &Fixture, host: &str| {
        let csrf = fixture.records.csrf_token("no session");
        let request = Request::post("/_mito/api/session")
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-mito-csrf", csrf)
            .body(Body::from(
                json!({"email": "root@b.co", "password": PASSWORD}).to_string(),
            ))
            .unwrap();
        fixture.send(request).await.status.as_u16()
    };
    assert_eq!(sign_in(&fixture, "admin.example.org").await, 403);
    assert_eq!(
        sign_in(&fixture, "localhost:8080").await,
        200,
        "a tunnel to the machine"
    );
    assert_eq!(sign_in(&fixture, "[::1]:8080").await, 200);
    fixture.scheme = "https";
    assert_eq!(sign_in(&fixture, "admin.example.org").await, 200);
}

#[tokio::test]
async fn bad_bodies_are_problems() {
    let fixture = Fixture::new().await;
    let csrf = fixture.records.csrf_token("no session");
    for (kind, body, status) in [
        ("application/json", "{bad", 400),
        ("text/plain", "{}", 415),
        ("application/json", "{}", 400),
    ] {
        let request = Request::post("/_mito/api/session")
            .header(header::CONTENT_TYPE, kind)
            .header("x-mito-csrf", &csrf)
            .body(Body::from(body))
            .unwrap();
        let answer = fixture.send(request).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(
            answer.json()["title"],
            answer.status.canonical_reason().unwrap()
        );
    }
}

#[tokio::test]
async fn rules_are_explained_to_administrators() {
    let fixture = Fixture::new().await;
    let question = json!({
        "collection": "_superusers", "rule": "email = 'root@b.co' && @request.query.a = 'x'",
        "request": {"method": "get", "query": {"a": "x"}, "headers": {"X-A": "b"}, "body": {}},
    });
    let mut stranger = Browser::default();
    stranger.load(&fixture).await;
    let refused = stranger
        .call(
            &fixture,
            Method::POST,
            "/rules/explain",
            Some(question.clone()),
        )
        .await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    let mut browser = Browser::signed_in(&fixture).await;
    let explained = browser
        .call(
            &fixture,
            Method::POST,
            "/rules/explain",
            Some(question.clone()),
        )
        .await
        .json();
    assert_eq!(explained["kind"], "all");
    assert_eq!(explained["holds"], true);
    assert_eq!(explained["parts"][1]["left"], json!(["x"]));
    let mut wrong = question;
    wrong["rule"] = json!("nope = 1");
    let wrong = browser
        .call(&fixture, Method::POST, "/rules/explain", Some(wrong))
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        wrong.json()["data"]["rule"]["code"],
        "validation_invalid_rule"
    );
}
