//! Accounts through a real database and a clock that the tests move.

use std::time::Duration;

use mito_network::Authenticator as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::*;
use crate::{
    RequestInfo,
    testing::{Fixture, PASSWORD, client, codes, record},
};

impl Fixture {
    async fn identity(&self, token: &str) -> Option<Identity> {
        self.records.authenticate(token).await
    }
}

#[tokio::test]
async fn the_migration_and_the_program_agree_on_what_an_account_is() {
    let fixture = Fixture::new().await;
    for name in [SUPERUSERS, "users"] {
        let stored = fixture.records.collection(name).await.unwrap();
        let nothing = record(serde_json::json!({}));
        let same = fixture.records.update_collection(name, nothing).await;
        let same = same.unwrap();
        assert_eq!((same.fields, same.indexes), (stored.fields, stored.indexes));
    }
}

#[tokio::test]
async fn sign_up_sign_in_and_sign_out() {
    let fixture = Fixture::new().await;
    let account = fixture.sign_up("a@b.co").await;
    assert!(!account.contains_key("password") && !account.contains_key("tokenKey"));
    assert!(
        !account.contains_key("email"),
        "nobody is told an address that is not visible"
    );
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    assert_eq!(session.record["email"], "a@b.co", "its owner is");
    let identity = fixture.identity(&session.token).await.expect("signed in");
    assert_eq!(identity, session.identity);
    assert_eq!(
        (identity.collection.as_str(), identity.email.as_str()),
        ("users", "a@b.co")
    );
    fixture
        .records
        .sign_out(&identity.session_id)
        .await
        .unwrap();
    assert_eq!(fixture.identity(&session.token).await, None);
    let refreshed = fixture.records.refresh(&session.token, &client()).await;
    assert!(matches!(refreshed, Err(Error::Unauthorized(_))));
}

#[tokio::test]
async fn tokens_expire_and_sessions_go_idle() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture
        .clock
        .advance(Duration::from_secs(5 * 24 * 3_600 - 1));
    assert!(fixture.identity(&session.token).await.is_some());
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.identity(&session.token).await, None);
    let mut token = fixture
        .records
        .renew(&session.token)
        .await
        .expect("lives")
        .token;
    assert!(fixture.identity(&token).await.is_some());
    for _ in 0..4 {
        fixture.clock.advance(Duration::from_hours(6 * 24));
        token = fixture.records.renew(&token).await.expect("in use").token;
    }
    fixture.clock.advance(Duration::from_hours(6 * 24));
    fixture
        .records
        .renew(&token)
        .await
        .expect_err("30 days are the most");

    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture.clock.advance(Duration::from_hours(7 * 24));
    fixture
        .records
        .renew(&session.token)
        .await
        .expect_err("7 days without use");
}

#[tokio::test]
async fn an_old_token_works_for_30_s_and_then_ends_the_session() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let first = fixture.sign_in("a@b.co", PASSWORD).await.unwrap().token;
    fixture.clock.advance(Duration::from_secs(1));
    let second = fixture
        .records
        .refresh(&first, &client())
        .await
        .unwrap()
        .token;
    assert_ne!(first, second);
    fixture.clock.advance(Duration::from_secs(30));
    assert!(fixture.identity(&first).await.is_some(), "tabs race");
    let same = fixture
        .records
        .refresh(&first, &client())
        .await
        .unwrap()
        .token;
    assert!(fixture.identity(&same).await.is_some());
    assert!(
        fixture.identity(&second).await.is_some(),
        "the race did not rotate again"
    );

    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.identity(&first).await, None);
    assert!(fixture.identity(&second).await.is_some());
    fixture
        .records
        .refresh(&first, &client())
        .await
        .expect_err("reused");
    assert_eq!(fixture.identity(&second).await, None, "the session is over");
    fixture
        .records
        .refresh(&second, &client())
        .await
        .expect_err("the session is over");
}

#[tokio::test]
async fn wrong_passwords_and_unknown_accounts_get_the_same_answer() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let check = async |email: &str, password: &str| {
        let answer = fixture.sign_in(email, password).await;
        assert!(matches!(&answer, Err(Error::Invalid(text)) if text == "Failed to authenticate."));
    };
    check("a@b.co", "wrong password").await;
    check("nobody@b.co", "wrong password").await;
    check("", "").await;
    check("' OR 1=1 --", PASSWORD).await;
    check("a@b.co", &"x".repeat(100_000)).await;
    check(&"x".repeat(100_000), PASSWORD).await;
    check("nobody@b.co", "nobody").await;
    fixture
        .sign_in("A@B.co", PASSWORD)
        .await
        .expect("a capital does not matter");
}

#[tokio::test]
async fn an_unknown_account_costs_a_real_verification() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let runs = || fixture.records.inner.passwords.runs();
    fixture
        .sign_in("a@b.co", "wrong password")
        .await
        .unwrap_err();
    for (email, password) in [
        ("a@b.co", "wrong password"),
        ("nobody@b.co", "wrong password"),
        ("nobody@b.co", ""),
        (&"x".repeat(1_000), PASSWORD),
        ("nul\0@b.co", PASSWORD),
        ("nobody@b.co", &"x".repeat(2_000)),
    ] {
        let before = runs();
        fixture.sign_in(email, password).await.unwrap_err();
        assert_eq!(runs() - before, 1, "{email:.20} {password:.20}");
    }
}

#[tokio::test]
async fn the_auth_rule_decides_who_may_have_a_session() {
    let fixture = Fixture::new().await;
    let account = fixture.sign_up("a@b.co").await;
    let open = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let set = async |rule: serde_json::Value| {
        let users = json!([{"name": "users", "type": "auth", "authRule": rule}]);
        fixture.import(users).await
    };
    let refusal = "The request doesn't satisfy the collection requirements to authenticate.";
    for rule in [json!("verified = true"), json!(null)] {
        set(rule).await.unwrap();
        assert_eq!(codes(fixture.sign_in("a@b.co", PASSWORD).await), [refusal]);
        assert_eq!(
            codes(fixture.records.refresh(&open.token, &client()).await),
            [refusal]
        );
    }
    set(json!("verified = true")).await.unwrap();
    let wrong = fixture.sign_in("a@b.co", "wrong password").await;
    assert_eq!(
        codes(wrong),
        ["Failed to authenticate."],
        "only who proves it is told"
    );
    let verified = record(json!({"verified": true}));
    let root = Identity {
        id: "root".to_owned(),
        collection: SUPERUSERS.to_owned(),
        collection_id: SUPERUSERS.to_owned(),
        email: String::new(),
        session_id: String::new(),
    };
    let id = account["id"].as_str().unwrap();
    let info = RequestInfo::of(Some(root));
    let update = fixture.records.update("users", id, verified, &info);
    update.await.unwrap();
    fixture.sign_in("a@b.co", PASSWORD).await.expect("verified");
    assert_eq!(
        codes(set(json!("nope = 1")).await),
        ["authRule validation_invalid_rule"]
    );
    assert_eq!(
        codes(set(json!(7)).await),
        ["collections validation_collections_import_failure"]
    );
}

#[tokio::test]
async fn a_stale_hot_copy_does_not_refuse_the_new_token() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let first = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture.identity(&first.token).await.expect("signed in");
    let cache = &fixture.records.inner.cache;
    let key = fixture.records.hot_key(&first.identity.session_id);
    let stale = cache.get(&key).expect("hot");
    let second = fixture
        .records
        .refresh(&first.token, &client())
        .await
        .unwrap();
    // As by a reader that had read the row before the refresh and kept it hot after it.
    cache.set(&key, stale, None).unwrap();
    assert!(fixture.identity(&second.token).await.is_some());
}

#[tokio::test]
async fn a_hot_copy_of_a_killed_process_is_not_believed() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture.identity(&session.token).await.expect("signed in");
    let key = fixture.records.hot_key(&session.identity.session_id);
    let spilled = fixture.records.inner.cache.get(&key).expect("hot");
    let signed_out = fixture.records.sign_out(&session.identity.session_id);
    signed_out.await.unwrap();
    // As after a kill: the spill brings back what stood in the cache before the sign-out.
    fixture
        .records
        .inner
        .cache
        .set(&key, spilled, None)
        .unwrap();
    let restarted = fixture.restarted();
    assert_eq!(restarted.authenticate(&session.token).await, None);
}

#[tokio::test]
async fn an_expired_token_is_renewed_for_the_panel_alone() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    fixture.clock.advance(Duration::from_hours(5 * 24));
    let refused = fixture.records.refresh(&session.token, &client()).await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))));
    fixture.records.renew(&session.token).await.expect("lives");
}

#[tokio::test]
async fn wrong_set_up_tokens_do_not_lock_the_right_one_out() {
    let fixture = Fixture::new().await;
    let token = fixture.records.new_setup_token().await.unwrap().unwrap();
    let redeem = async |token: SecretString| {
        let password = SecretString::from(PASSWORD);
        let redeemed = fixture
            .records
            .redeem_setup_token(token, "root@b.co", password);
        redeemed.await
    };
    for number in 0..300 {
        redeem(format!("guess {number}").into()).await.unwrap_err();
    }
    redeem(token).await.expect("still good");
}

#[tokio::test]
async fn one_set_up_token_makes_one_administrator() {
    let fixture = Fixture::new().await;
    let token = fixture.records.new_setup_token().await.unwrap().unwrap();
    let redeem = |email: &'static str| {
        let (records, token) = (fixture.records.clone(), token.clone());
        async move {
            let password = SecretString::from(PASSWORD);
            records.redeem_setup_token(token, email, password).await
        }
    };
    let (one, two, three) =
        tokio::join!(redeem("one@b.co"), redeem("two@b.co"), redeem("three@b.co"));
    let made = [one, two, three].iter().filter(|made| made.is_ok()).count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn an_account_has_a_hundred_sessions_at_most() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let first = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let identity = &first.identity;
    let mut last = String::new();
    for _ in 0..101 {
        fixture.clock.advance(Duration::from_secs(1));
        let records = &fixture.records;
        let code = records.new_session_code(identity).await;
        let Ok(code) = code else { break };
        last = records
            .redeem_session_code(&code, &client())
            .await
            .unwrap()
            .token;
    }
    assert_eq!(
        fixture.identity(&first.token).await,
        None,
        "the oldest went"
    );
    assert!(fixture.identity(&last).await.is_some());
    let count = fixture
        .database
        .read(|tx| tx.query_one("SELECT COUNT(*) AS total FROM _mito_records_sessions", &[]));
    let count: Option<mito_database::Row> = count.await.unwrap();
    assert_eq!(count.unwrap().get::<i64>("total").unwrap(), 100);
}

#[tokio::test]
async fn too_many_tries_have_to_wait() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    for _ in 0..10 {
        fixture.sign_in("a@b.co", "wrong").await.unwrap_err();
    }
    let refused = fixture.sign_in("a@b.co", PASSWORD).await;
    assert!(matches!(refused, Err(Error::TooManyRequests { .. })));
    fixture.clock.advance(Duration::from_secs(10));
    fixture
        .sign_in("a@b.co", PASSWORD)
        .await
        .expect("time has passed");
}

#[tokio::test]
async fn sign_up_is_checked() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let check = async |values: serde_json::Value, expected: &[&str]| {
        let text = values.to_string();
        let created = fixture
            .records
            .create("users", record(values), &RequestInfo::of(None))
            .await;
        assert_eq!(codes(created), expected, "{text}");
    };
    check(
        json!({}),
        &[
            "password validation_required",
            "passwordConfirm validation_required",
        ],
    )
    .await;
    let with = |email: &str, password: &str, confirm: &str| json!({"email": email, "password": password, "passwordConfirm": confirm});
    let min = "password validation_min_text_constraint";
    check(with("x@b.co", "short", "short"), &[min]).await;
    check(
        with("x@b.co", PASSWORD, "other"),
        &["passwordConfirm validation_values_mismatch"],
    )
    .await;
    check(
        with("nope", PASSWORD, PASSWORD),
        &["email validation_is_email"],
    )
    .await;
    check(
        with("a@b.co", PASSWORD, PASSWORD),
        &["email validation_not_unique"],
    )
    .await;
    for truth in [json!(true), json!("true"), json!("1"), json!(1), json!(0.5)] {
        let mut verified = with("x@b.co", PASSWORD, PASSWORD);
        verified["verified"] = truth;
        check(verified, &["verified validation_values_mismatch"]).await;
    }
    let root = with("x@b.co", PASSWORD, PASSWORD);
    let root = fixture
        .records
        .create(SUPERUSERS, record(root), &RequestInfo::of(None))
        .await;
    assert!(matches!(root, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_all_sessions() {
    let fixture = Fixture::new().await;
    let account = fixture.sign_up("a@b.co").await;
    let id = account["id"].as_str().unwrap();
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let update = async |values: serde_json::Value| {
        let owner = Some(session.identity.clone());
        fixture
            .records
            .update("users", id, record(values), &RequestInfo::of(owner))
            .await
    };
    let new = "another password";
    let change = |old: &str| json!({"password": new, "passwordConfirm": new, "oldPassword": old, "name": "n"});
    assert_eq!(
        codes(update(change("")).await),
        ["oldPassword validation_required"]
    );
    assert_eq!(
        codes(update(change("bad")).await),
        ["oldPassword validation_invalid_old_password"]
    );
    let email = json!({"email": "x@b.co"});
    assert_eq!(
        codes(update(email).await),
        ["email validation_values_mismatch"]
    );
    let verified = json!({"verified": true});
    assert_eq!(
        codes(update(verified).await),
        ["verified validation_values_mismatch"]
    );
    assert_eq!(
        update(json!({"name": "n", "email": "a@b.co"}))
            .await
            .unwrap()["name"],
        "n"
    );
    assert!(fixture.identity(&session.token).await.is_some());
    update(change(PASSWORD)).await.unwrap();
    assert_eq!(fixture.identity(&session.token).await, None);
    fixture
        .sign_in("a@b.co", PASSWORD)
        .await
        .expect_err("the old one");
    fixture.sign_in("a@b.co", new).await.expect("the new one");
}

#[tokio::test]
async fn sessions_end_with_their_account() {
    let fixture = Fixture::new().await;
    let account = fixture.sign_up("a@b.co").await;
    let id = account["id"].as_str().unwrap();
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    assert!(fixture.identity(&session.token).await.is_some());
    fixture
        .records
        .delete(
            "users",
            id,
            &RequestInfo::of(Some(session.identity.clone())),
        )
        .await
        .unwrap();
    assert_eq!(fixture.identity(&session.token).await, None);
    fixture
        .records
        .refresh(&session.token, &client())
        .await
        .expect_err("gone");
}

#[tokio::test]
async fn the_set_up_link_works_once_and_for_a_day() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    assert!(!records.has_superuser().await.unwrap());
    let first = records.new_setup_token().await.unwrap().unwrap();
    let second = records.new_setup_token().await.unwrap().unwrap();
    let redeem = async |token: &SecretString, password: &str| {
        let password = SecretString::from(password);
        records
            .redeem_setup_token(token.clone(), "root@b.co", password)
            .await
    };
    redeem(&first, PASSWORD)
        .await
        .expect_err("a newer one ends it");
    fixture.clock.advance(Duration::from_hours(24));
    redeem(&second, PASSWORD).await.expect_err("a day is over");
    let third = records.new_setup_token().await.unwrap().unwrap();
    assert_eq!(
        codes(redeem(&third, "short").await),
        ["password validation_min_text_constraint"]
    );
    assert_eq!(
        codes(redeem(&third, "Password123").await),
        ["password validation_common_password"]
    );
    redeem(&third, PASSWORD).await.expect("still good");
    assert!(records.has_superuser().await.unwrap());
    redeem(&third, PASSWORD).await.expect_err("used");
    assert!(records.new_setup_token().await.unwrap().is_none());
    let stored = fixture
        .database
        .read(|tx| tx.query("SELECT hash FROM _mito_records_codes", &[]));
    let rows: Vec<mito_database::Row> = stored.await.unwrap();
    assert!(rows.is_empty());
    assert!(!third.expose_secret().is_empty());
}

#[tokio::test]
async fn session_codes_work_once_and_for_a_minute() {
    let fixture = Fixture::new().await;
    fixture.sign_up("a@b.co").await;
    let records = &fixture.records;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    let code = records.new_session_code(&session.identity).await.unwrap();
    let other = records.redeem_session_code(&code, &client()).await.unwrap();
    assert_eq!(other.identity.id, session.identity.id);
    assert_ne!(other.identity.session_id, session.identity.session_id);
    records
        .redeem_session_code(&code, &client())
        .await
        .expect_err("used");
    let code = records.new_session_code(&session.identity).await.unwrap();
    fixture.clock.advance(Duration::from_mins(1));
    records
        .redeem_session_code(&code, &client())
        .await
        .expect_err("a minute is over");
    let code = records.new_session_code(&session.identity).await.unwrap();
    records
        .sign_out(&session.identity.session_id)
        .await
        .unwrap();
    records
        .redeem_session_code(&code, &client())
        .await
        .expect_err("signed out");
}

#[tokio::test]
async fn superusers_are_made_by_hand_too_and_the_last_one_stays() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    let password = || SecretString::from(PASSWORD);
    let root = records
        .create_superuser("root@b.co", password())
        .await
        .unwrap();
    let twice = records.create_superuser("root@b.co", password()).await;
    assert_eq!(codes(twice), ["email validation_not_unique"]);
    let identity = Identity {
        id: root["id"].as_str().unwrap().to_owned(),
        collection: SUPERUSERS.to_owned(),
        collection_id: SUPERUSERS.to_owned(),
        email: "root@b.co".to_owned(),
        session_id: String::new(),
    };
    let id = identity.id.clone();
    records
        .delete(SUPERUSERS, &id, &RequestInfo::of(Some(identity)))
        .await
        .expect_err("the last one");
}

#[tokio::test]
async fn csrf_tokens_belong_to_one_session() {
    let fixture = Fixture::new().await;
    let token = fixture.records.csrf_token("one");
    assert!(fixture.records.is_csrf_token("one", &token));
    assert!(!fixture.records.is_csrf_token("two", &token));
    assert!(!fixture.records.is_csrf_token("one", ""));
}
