//! Signing in by mail, by two methods, by links: whole flows on a real database, with the mails read
//! from the queue.

mod links;
mod sessions;

use std::time::Duration;

use mito_network::Authenticator as _;
use mito_queue::kinds::SendMail;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Fixture, PASSWORD, client, codes, record};

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
    fixture.clock.advance(Duration::from_mins(3));
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
    assert_eq!(self::mails(&fixture).await.len(), 1);
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
