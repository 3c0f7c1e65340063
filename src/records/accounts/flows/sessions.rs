//! Sessions: listed, ended, begun by administrators and by other installations.

use std::time::Duration;

use mito_network::Authenticator as _;
use serde_json::json;

use super::{rows, set};
use crate::{
    Error, RequestInfo,
    accounts::{
        sessions::list::SessionsOf,
        tokens::{self, PurposeClaims},
    },
    testing::{Fixture, PASSWORD, client, codes},
};

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
    let claims: PurposeClaims = tokens::peek(&token).unwrap();
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

#[tokio::test]
async fn another_secret_ends_all_sessions_of_a_collection() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    assert!(records.authenticate(&session.token).await.is_some());
    let change = async |options: serde_json::Value| {
        let change = json!({"authToken": options});
        let change = change.as_object().unwrap().clone();
        records.update_collection("users", change).await.unwrap();
    };
    change(json!({"duration": 1_000})).await;
    assert!(records.authenticate(&session.token).await.is_some());
    change(json!({"duration": 1_000, "secret": "n".repeat(50)})).await;
    assert!(records.authenticate(&session.token).await.is_none());
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
    assert!(records.authenticate(&session.token).await.is_some());
}
