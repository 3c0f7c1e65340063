//! Links in mails: what they confirm, once, and what ends with it.

use mito_network::{Authenticator as _, Identity};
use secrecy::SecretString;

use super::{mailed, mails};
use crate::{
    SUPERUSERS,
    accounts::links::reset::NewPassword,
    testing::{Fixture, PASSWORD, client, codes},
};

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
async fn links_verify_addresses() {
    let fixture = Fixture::new().await;
    let records = &fixture.records;
    fixture.sign_up("a@b.co").await;
    let session = fixture.sign_in("a@b.co", PASSWORD).await.unwrap();
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
}

#[tokio::test]
async fn a_link_in_the_new_mailbox_and_the_password_change_the_address() {
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
