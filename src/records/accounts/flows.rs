//! Signing in by mail, by two methods, by links: whole flows on a real database, with the mails read
//! from the queue.

use std::time::Duration;

use mito_network::{Authenticator as _, Identity};
use mito_queue::kinds::SendMail;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::{
    accounts::{
        links::reset::NewPassword,
        sessions::list::SessionsOf,
        tokens::{PurposeClaims, fingerprint},
    },
    testing::{Fixture, PASSWORD, client, codes, record},
};

/// The mails that wait, the oldest first.
async fn mails(fixture: &Fixture) -> Vec<SendMail> {
    let rows = fixture.database.read(|tx| {
        let sql = "SELECT payload FROM _mito_queue_jobs ORDER BY sequence";
        let rows = tx.query(sql, &[])?;
        let payloads: Result<Vec<String>, _> = rows.iter().map(|row| row.get("payload")).collect();
        Ok::<_, Error>(payloads?)
    });
    let parse = |payload: &String| serde_json::from_str(payload).unwrap();
    rows.await.unwrap().iter().map(parse).collect()
}

/// What stands in the last mail after `before`, up to white space or a quote.
async fn mailed(fixture: &Fixture, before: &str) -> String {
    let mails = mails(fixture).await;
    let text = &mails.last().expect("a mail").text;
    let at = text
        .find(before)
        .unwrap_or_else(|| panic!("{before} in {text}"));
    let rest = &text[at + before.len()..];
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn set(fixture: &Fixture, options: Value) {
    let mut users = fixture.records.collection("users").await.unwrap();
    for (name, value) in options.as_object().unwrap() {
        users.options.insert(name.clone(), value.clone());
    }
    let store = fixture
        .database
        .exclusive(move |tx| crate::collections::store::save(tx, &users));
    store.await.unwrap();
}

fn with(body: Value) -> RequestInfo {
    client().with_body(record(body))
}

/// The rows of some tables, to compare what two requests have written.
async fn rows(fixture: &Fixture) -> Vec<i64> {
    let count = fixture.database.read(|tx| {
        let mut counts = Vec::new();
        for table in [
            "_otps",
            "_mito_queue_jobs",
            "_mito_records_otp_tries",
            "_mfas",
        ] {
            let sql = format!("SELECT COUNT(*) AS total FROM \"{table}\"");
            counts.push(tx.query_one(&sql, &[])?.unwrap().get("total")?);
        }
        Ok::<_, Error>(counts)
    });
    count.await.unwrap()
}

fn token(outcome: AuthOutcome) -> String {
    match outcome {
        AuthOutcome::Session(session) => session.token,
        AuthOutcome::MfaRequired { mfa_id } => panic!("a second method is needed: {mfa_id}"),
    }
}

fn mfa_id(outcome: &AuthOutcome) -> &str {
    match outcome {
        AuthOutcome::MfaRequired { mfa_id } => mfa_id,
        AuthOutcome::Session(_) => panic!("no second method is needed"),
    }
}

#[tokio::test]
async fn a_mailed_code_signs_in_once_and_verifies_the_address() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    let refusal = "The collection is not configured to allow OTP authentication.";
    assert_eq!(
        codes(records.request_otp("users", "a@b.co", &client()).await),
        [refusal]
    );
    set(&fixture, json!({"otp": {"enabled": true}})).await;
    for (email, code) in [("", "validation_required"), ("x", "validation_is_email")] {
        let asked = records.request_otp("users", email, &client()).await;
        assert_eq!(codes(asked), [format!("email {code}")]);
    }
    let id = records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let mail = mails(&fixture).await.pop().unwrap();
    assert_eq!(mail.to.as_deref(), Some("a@b.co"));
    let code = mailed(&fixture, "is\n\n").await;
    assert!(
        code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );

    let wrong = if code == "00000000" {
        "11111111"
    } else {
        "00000000"
    };
    let tried = records
        .sign_in_with_otp("users", &id, wrong, &client())
        .await;
    assert_eq!(codes(tried), ["Invalid or expired OTP."]);
    let outcome = records
        .sign_in_with_otp("users", &id, &code, &client())
        .await
        .unwrap();
    let identity = records
        .authenticate(&token(outcome))
        .await
        .expect("signed in");
    let account = records.find_in_test("users", &identity.id).await;
    assert_eq!(account["verified"], true);
    let again = records
        .sign_in_with_otp("users", &id, &code, &client())
        .await;
    assert_eq!(codes(again), ["Invalid or expired OTP."]);

    let id = records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let code = mailed(&fixture, "is\n\n").await;
    fixture.clock.advance(Duration::from_secs(180));
    let late = records
        .sign_in_with_otp("users", &id, &code, &client())
        .await;
    assert_eq!(codes(late), ["Invalid or expired OTP."]);
}

#[tokio::test]
async fn a_code_may_be_tried_five_times_and_unknown_ids_answer_alike() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    set(&fixture, json!({"otp": {"enabled": true}})).await;
    let real = records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let code = mailed(&fixture, "is\n\n").await;
    for id in [real.as_str(), "nobodynobodynob"] {
        for _ in 0..5 {
            let tried = records.sign_in_with_otp("users", id, "x", &client()).await;
            assert_eq!(codes(tried), ["Invalid or expired OTP."], "{id}");
        }
        let tried = records.sign_in_with_otp("users", id, "x", &client()).await;
        assert!(matches!(tried, Err(Error::TooManyRequests { .. })), "{id}");
    }
    let right = records
        .sign_in_with_otp("users", &real, &code, &client())
        .await;
    assert!(matches!(right, Err(Error::TooManyRequests { .. })));
}

#[tokio::test]
async fn mails_that_are_asked_for_cost_the_same_for_nobody() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    set(&fixture, json!({"otp": {"enabled": true}})).await;
    let mut written = Vec::new();
    for email in ["a@b.co", "nobody@b.co"] {
        let before = (rows(&fixture).await, fixture.events().await.len());
        let id = records
            .request_otp("users", email, &client())
            .await
            .unwrap();
        assert_eq!(id.len(), 15);
        records
            .request_verification("users", email, &client())
            .await
            .unwrap();
        records
            .request_password_reset("users", email, &client())
            .await
            .unwrap();
        let after = (rows(&fixture).await, fixture.events().await.len());
        let grown: Vec<i64> = after.0.iter().zip(&before.0).map(|(a, b)| a - b).collect();
        written.push((grown, after.1 - before.1));
    }
    assert_eq!(written[0], written[1]);
    assert_eq!(written[0].0, [1, 3, 0, 0], "a code and three mails");
    let to: Vec<Option<String>> = mails(&fixture)
        .await
        .into_iter()
        .map(|mail| mail.to)
        .collect();
    assert_eq!(to[3..], [None, None, None]);
    let runs = records.inner.passwords.runs();
    let before = rows(&fixture).await;
    records
        .request_verification("users", "a@b.co", &client())
        .await
        .unwrap();
    assert_eq!(rows(&fixture).await, before, "not twice in two minutes");
    assert_eq!(records.inner.passwords.runs(), runs);
}

#[tokio::test]
async fn two_methods_are_two_different_ones() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    fixture.sign_up("b@b.co").await;
    set(
        &fixture,
        json!({"otp": {"enabled": true}, "mfa": {"enabled": true}}),
    )
    .await;
    let first = fixture
        .authenticate("a@b.co", PASSWORD, &client())
        .await
        .unwrap();
    let id = mfa_id(&first).to_owned();
    let same = fixture
        .authenticate("a@b.co", PASSWORD, &with(json!({"mfaId": id})))
        .await;
    assert_eq!(
        codes(same),
        ["A different authentication method is required."]
    );
    let wrong = fixture
        .authenticate("a@b.co", PASSWORD, &with(json!({"mfaId": "x"})))
        .await;
    assert_eq!(codes(wrong), ["Invalid or expired MFA session."]);
    let other = fixture
        .authenticate("b@b.co", PASSWORD, &with(json!({"mfaId": id})))
        .await;
    assert_eq!(codes(other), ["Invalid or expired MFA session."]);

    let otp = records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let code = mailed(&fixture, "is\n\n").await;
    let info = with(json!({"mfaId": id}));
    let second = records
        .sign_in_with_otp("users", &otp, &code, &info)
        .await
        .unwrap();
    assert!(records.authenticate(&token(second)).await.is_some());
    let used = fixture
        .authenticate("a@b.co", PASSWORD, &with(json!({"mfaId": id})))
        .await;
    assert_eq!(codes(used), ["Invalid or expired MFA session."]);

    let first = fixture
        .authenticate("a@b.co", PASSWORD, &client())
        .await
        .unwrap();
    fixture.clock.advance(Duration::from_mins(10));
    let otp = records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let code = mailed(&fixture, "is\n\n").await;
    let info = with(json!({"mfaId": mfa_id(&first)}));
    let late = records.sign_in_with_otp("users", &otp, &code, &info).await;
    assert_eq!(codes(late), ["Invalid or expired MFA session."]);

    let rule = json!({"mfa": {"enabled": true, "rule": "email = 'b@b.co'"}});
    set(&fixture, rule).await;
    token(
        fixture
            .authenticate("a@b.co", PASSWORD, &client())
            .await
            .unwrap(),
    );
    let first = fixture
        .authenticate("b@b.co", PASSWORD, &client())
        .await
        .unwrap();
    mfa_id(&first);
}

#[tokio::test]
async fn a_reset_password_ends_sessions_and_its_link() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let account = fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    records
        .request_password_reset("users", "a@b.co", &client())
        .await
        .unwrap();
    let link = mailed(&fixture, "/auth/confirm-password-reset/").await;
    let form = |token: &str, password: &str, again: &str| NewPassword {
        token: token.to_owned(),
        password: SecretString::from(password),
        confirmation: SecretString::from(again),
    };
    let new = "a new password";
    for (form, expected) in [
        (
            form("", "", ""),
            vec![
                "password validation_required",
                "passwordConfirm validation_required",
                "token validation_required",
            ],
        ),
        (
            form("x", "a", "b"),
            vec![
                "password validation_length_out_of_range",
                "passwordConfirm validation_values_mismatch",
                "token validation_invalid_token",
            ],
        ),
        (
            form(&session.token, new, new),
            vec!["token validation_invalid_token"],
        ),
    ] {
        let refused = records
            .confirm_password_reset("users", form, &client())
            .await;
        assert_eq!(codes(refused), expected);
    }
    let info = client();
    let confirmed = records.confirm_password_reset("users", form(&link, new, new), &info);
    confirmed.await.unwrap();
    assert_eq!(records.authenticate(&session.token).await, None);
    fixture.sign_in("a@b.co", PASSWORD).await.unwrap_err();
    fixture.sign_in("a@b.co", new).await.expect("the new one");
    let id = account["id"].as_str().unwrap();
    assert_eq!(records.find_in_test("users", id).await["verified"], true);
    let again = records
        .confirm_password_reset("users", form(&link, new, new), &client())
        .await;
    assert_eq!(codes(again), ["token validation_invalid_token"]);
}

#[tokio::test]
async fn links_verify_and_change_addresses() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    fixture.sign_up("taken@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let identity: Identity = session.identity.clone();
    records
        .request_verification("users", "a@b.co", &client())
        .await
        .unwrap();
    let link = mailed(&fixture, "/auth/confirm-verification/").await;
    for (token, code) in [
        ("", "validation_required"),
        ("x", "validation_invalid_token_claims"),
        (session.token.as_str(), "validation_invalid_token_claims"),
    ] {
        let refused = records
            .confirm_verification("users", token, &client())
            .await;
        assert_eq!(codes(refused), [format!("token {code}")]);
    }
    let elsewhere = records
        .confirm_verification(SUPERUSERS, &link, &client())
        .await;
    assert_eq!(codes(elsewhere), ["token validation_invalid_token"]);
    records
        .confirm_verification("users", &link, &client())
        .await
        .unwrap();
    records
        .confirm_verification("users", &link, &client())
        .await
        .expect("it is so already");
    assert!(
        records.authenticate(&session.token).await.is_some(),
        "sessions go on"
    );

    for (email, code) in [
        ("", "validation_required"),
        ("x", "validation_is_email"),
        ("a@b.co", "validation_not_in_invalid"),
        ("taken@b.co", "validation_invalid_new_email"),
    ] {
        let refused = records
            .request_email_change(&identity, email, &client())
            .await;
        assert_eq!(codes(refused), [format!("newEmail {code}")]);
    }
    records
        .request_email_change(&identity, "new@b.co", &client())
        .await
        .unwrap();
    let mail = mails(&fixture).await.pop().unwrap();
    assert_eq!(mail.to.as_deref(), Some("new@b.co"));
    let change = mailed(&fixture, "/auth/confirm-email-change/").await;
    let confirm = async |token: &str, password: &str| {
        let password = SecretString::from(password);
        records
            .confirm_email_change("users", token, password, &client())
            .await
    };
    assert_eq!(
        codes(confirm(&change, "wrong").await),
        ["password validation_invalid_password"]
    );
    assert_eq!(
        codes(confirm(&link, "").await),
        [
            "password validation_required",
            "token validation_invalid_token_payload"
        ]
    );
    confirm(&change, PASSWORD).await.unwrap();
    assert_eq!(
        records.authenticate(&session.token).await,
        None,
        "sessions end"
    );
    fixture.sign_in("a@b.co", PASSWORD).await.unwrap_err();
    fixture.sign_in("new@b.co", PASSWORD).await.unwrap();
    assert_eq!(codes(confirm(&change, PASSWORD).await).len(), 2, "once");
}

#[tokio::test]
async fn new_places_are_told_of_once() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let at = |agent: &str| RequestInfo {
        headers: record(json!({"user_agent": agent})).into(),
        ..client()
    };
    for agent in ["one", "one", "<two>", "<two>"] {
        fixture
            .authenticate("a@b.co", PASSWORD, &at(agent))
            .await
            .unwrap();
    }
    let mails = mails(&fixture).await;
    assert_eq!(mails.len(), 1, "the first place is no news");
    assert!(
        mails[0].text.contains("192.0.2.1 <two>"),
        "{}",
        mails[0].text
    );
    assert!(mails[0].html.contains("&lt;two&gt;"), "{}", mails[0].html);
    set(&fixture, json!({"authAlert": {"enabled": false}})).await;
    fixture
        .authenticate("a@b.co", PASSWORD, &at("three"))
        .await
        .unwrap();
    assert_eq!(super::flows::mails(&fixture).await.len(), 1);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    let first = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture.clock.advance(Duration::from_mins(1));
    let second = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let of = || SessionsOf::own(&first.identity);
    let listed = records
        .sessions(of(), &first.identity.session_id)
        .await
        .unwrap();
    let seen: Vec<(bool, &str, &str)> = listed
        .iter()
        .map(|session| {
            (
                session.current,
                session.user_agent.as_str(),
                session.method.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [(false, "test", "password"), (true, "test", "password")]
    );

    fixture.clock.advance(Duration::from_mins(1));
    assert!(records.authenticate(&first.token).await.is_some());
    records.write_uses().await.unwrap();
    let listed = records.sessions(of(), "").await.unwrap();
    assert_eq!(
        listed[0].id, first.identity.session_id,
        "the last used comes first"
    );

    let other = fixture.sign_up("b@b.co").await;
    let others = SessionsOf {
        collection: "users".to_owned(),
        record: other["id"].as_str().unwrap().to_owned(),
    };
    let ended = records
        .end_session(others, &second.identity.session_id)
        .await;
    assert!(matches!(ended, Err(Error::NotFound)), "not somebody else's");
    let ended = records
        .end_other_sessions(of(), &first.identity.session_id)
        .await;
    assert_eq!(ended.unwrap(), 1);
    assert_eq!(records.authenticate(&second.token).await, None);
    records
        .end_session(of(), &first.identity.session_id)
        .await
        .unwrap();
    assert_eq!(records.authenticate(&first.token).await, None);
}

#[tokio::test]
async fn impersonation_has_one_token_for_its_time() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let account = fixture.sign_up("a@b.co").await;
    let id = account["id"].as_str().unwrap();
    let refused = records.impersonate("users", id, -1, &client()).await;
    assert_eq!(
        codes(refused),
        ["duration validation_min_greater_equal_than_required"]
    );
    let missing = records.impersonate("users", "nobody", 10, &client()).await;
    assert!(matches!(missing, Err(Error::NotFound)));
    let session = records
        .impersonate("users", id, 100, &client())
        .await
        .unwrap();
    let refreshed = records.refresh(&session.token, &client()).await.unwrap();
    assert_eq!(refreshed.token, session.token, "it is not renewed");
    fixture.clock.advance(Duration::from_secs(99));
    assert!(records.authenticate(&session.token).await.is_some());
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(records.authenticate(&session.token).await, None);
}

/// A token as another PocketBase signs it.
fn foreign(id: &str, exp: i64, key: &str) -> String {
    use jsonwebtoken::{EncodingKey, Header, encode};
    let claims = json!({"id": id, "type": "auth", "collectionId": "_pb_users_auth_",
        "exp": exp, "refreshable": true});
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(key.as_bytes()),
    )
    .unwrap()
}

#[tokio::test]
async fn tokens_and_hashes_of_an_imported_installation_work() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let account = fixture.sign_up("a@b.co").await;
    let id = account["id"].as_str().unwrap().to_owned();
    let secret = "s".repeat(50);
    let hash = bcrypt::hash("imported password", 4).unwrap();
    let (key, record) = ("k".repeat(50), id.clone());
    let store = fixture.database.write(move |tx| {
        let sql = "UPDATE users SET \"tokenKey\" = $1, password = $2 WHERE id = $3";
        Ok::<_, Error>(tx.execute(sql, &[&key, &hash, &record])?)
    });
    store.await.unwrap();
    let exp = fixture.clock.now_ms() / 1_000 + 60;
    let token = foreign(&id, exp, &format!("{}{secret}", "k".repeat(50)));
    assert_eq!(
        records.authenticate(&token).await,
        None,
        "nothing was imported"
    );
    let weak = foreign(&id, exp, &"k".repeat(50));
    assert_eq!(records.authenticate(&weak).await, None);
    set(
        &fixture,
        json!({"authToken": {"duration": 100, "secret": secret}}),
    )
    .await;
    let identity = records.authenticate(&token).await.expect("it is accepted");
    assert_eq!(
        (identity.id.as_str(), identity.email.as_str()),
        (id.as_str(), "a@b.co")
    );
    let session = records.refresh(&token, &client()).await.unwrap();
    assert!(records.authenticate(&session.token).await.is_some());
    assert!(
        records.authenticate(&token).await.is_some(),
        "until it expires"
    );
    records.sign_out(&identity.session_id).await.unwrap();
    assert_eq!(records.authenticate(&token).await, None, "it was ended");
    let other = foreign(&id, exp + 1, &format!("{}{secret}", "k".repeat(50)));
    assert!(records.authenticate(&other).await.is_some());
    fixture.clock.advance(Duration::from_secs(61));
    assert_eq!(records.authenticate(&other).await, None, "it has expired");

    fixture
        .sign_in("a@b.co", "wrong password")
        .await
        .unwrap_err();
    fixture
        .sign_in("a@b.co", "imported password")
        .await
        .unwrap();
    let read = fixture.database.read(move |tx| {
        let sql = "SELECT password FROM users WHERE id = $1";
        Ok::<_, Error>(
            tx.query_one(sql, &[&id])?
                .unwrap()
                .get::<String>("password")?,
        )
    });
    assert!(
        read.await.unwrap().starts_with("$argon2id$"),
        "it was hashed anew"
    );
    fixture
        .sign_in("a@b.co", "imported password")
        .await
        .unwrap();
}

#[tokio::test]
async fn file_tokens_are_good_for_files_alone() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let token = records.new_file_token(&session.identity).await.unwrap();
    let claims: PurposeClaims = super::tokens::peek(&token).unwrap();
    assert_eq!((claims.kind.as_str(), claims.email), ("file", None));
    assert_eq!(records.authenticate(&token).await, None);
    let whose = records
        .file_token_identity(&token)
        .await
        .unwrap()
        .expect("it is good");
    assert_eq!(whose.id, session.identity.id);
    let none = records.file_token_identity(&session.token).await.unwrap();
    assert_eq!(none, None, "a session is no file token");
    fixture.clock.advance(Duration::from_mins(3));
    assert_eq!(records.file_token_identity(&token).await.unwrap(), None);
    assert_ne!(fingerprint(&token), token);
}

#[tokio::test]
async fn what_is_over_is_swept_and_what_an_account_had_goes_with_it() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let account = fixture.sign_up("a@b.co").await;
    set(&fixture, json!({"otp": {"enabled": true}})).await;
    records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    records.sweep_accounts().await.unwrap();
    assert_eq!(rows(&fixture).await[0], 1);
    fixture.clock.advance(Duration::from_mins(3));
    records.sweep_accounts().await.unwrap();
    assert_eq!(rows(&fixture).await[0], 0);
    records
        .request_otp("users", "a@b.co", &client())
        .await
        .unwrap();
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let info = RequestInfo::of(Some(session.identity));
    records
        .delete("users", account["id"].as_str().unwrap(), &info)
        .await
        .unwrap();
    assert_eq!(rows(&fixture).await[0], 0);
}

impl Records {
    async fn find_in_test(&self, collection: &'static str, id: &str) -> Record {
        let (records, id) = (self.clone(), id.to_owned());
        let find = self
            .inner
            .database
            .read(move |tx| records.find_in(tx, collection, &id));
        find.await.unwrap()
    }
}
