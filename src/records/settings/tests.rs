//! Changes of settings: what stays, what is wrong, what is sealed.

use mito_database::Tx;
use serde_json::{Value, json};

use super::*;
use crate::testing::Fixture;

/// The errors of a change as `path code`.
async fn errors(fixture: &Fixture, patch: &Value) -> Vec<String> {
    match fixture.records.change_settings(patch.clone(), None).await {
        Ok(_) => Vec::new(),
        Err(Error::Fields(fields)) => fields
            .iter()
            .map(|(name, error)| format!("{name} {}", error.code))
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_where_it_is() {
    let fixture = Fixture::new().await;
    let check = async |patch: Value, expected: &[&str]| {
        assert_eq!(errors(&fixture, &patch).await, expected, "{patch}");
    };
    check(json!({}), &[]).await;
    check(json!({"unknown": 1, "meta": {"unknown": []}}), &[]).await;
    let unreadable = "An error occurred while loading the submitted data.";
    for patch in [
        json!([]),
        json!({"meta": 5}),
        json!({"smtp": {"enabled": "yes"}}),
        json!({"smtp": {"port": "25"}}),
        json!({"smtp": {"port": 1.5}}),
        json!({"smtp": {"tls": 1}}),
        json!({"rateLimits": {"rules": [1]}}),
        json!({"superuserIPs": [1]}),
    ] {
        check(patch, &[unreadable]).await;
    }
    check(
        json!({"meta": {"appName": null, "senderAddress": "nope", "accentColor": "#12345z"}}),
        &[
            "meta.accentColor validation_is_hex_color",
            "meta.appName validation_required",
            "meta.senderAddress validation_is_email",
        ],
    )
    .await;
    check(
        json!({"smtp": {"enabled": true, "host": "a b", "port": -1, "authMethod": "x"}}),
        &[
            "smtp.authMethod validation_in_invalid",
            "smtp.host validation_is_host",
            "smtp.port validation_min_greater_equal_than_required",
        ],
    )
    .await;
    check(
        json!({"backups": {"cron": "* * * * *", "cronMaxKeep": 0}}),
        &["backups.cronMaxKeep validation_required"],
    )
    .await;
    check(
        json!({"backups": {"cron": "bad"}}),
        &["backups.cron validation_invalid_cron"],
    )
    .await;
    check(
        json!({"rateLimits": {"enabled": true, "rules": [
            {"label": "a:b", "duration": 1, "maxRequests": 1},
            {"label": "a:b", "audience": "@auth", "duration": 1, "maxRequests": -1},
            {"label": "a.b"},
        ], "excludedIPs": ["1.2.3.4", "x"]}}),
        &[
            "rateLimits.excludedIPs.1 validation_invlaid_ip_or_subnet",
            "rateLimits.rules.1.label validation_conflicting_rate_limit_rule",
            "rateLimits.rules.1.maxRequests validation_min_greater_equal_than_required",
            "rateLimits.rules.2.duration validation_required",
            "rateLimits.rules.2.label validation_match_invalid",
            "rateLimits.rules.2.maxRequests validation_required",
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_decided_elsewhere_is_refused_by_name() {
    let fixture = Fixture::new().await;
    let s3 = json!({"enabled": true, "bucket": "b", "region": "r", "endpoint": "http://e.co",
        "accessKey": "a", "secret": "s"});
    for (patch, expected) in [
        (json!({"s3": s3}), "objects.endpoint"),
        (json!({"backups": {"s3": s3}}), "data folder"),
        (
            json!({"trustedProxy": {"headers": ["X-Real-IP"]}}),
            "trusts no header",
        ),
    ] {
        let error = fixture.records.change_settings(patch, None).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn labels_of_rules_have_the_forms_of_the_peer() {
    let fixture = Fixture::new().await;
    let check = async |label: &str, good: bool| {
        let rule = json!({"label": label, "duration": 1, "maxRequests": 1});
        let found = errors(&fixture, &json!({"rateLimits": {"rules": [rule]}})).await;
        assert_eq!(found.is_empty(), good, "{label}: {found:?}");
    };
    for label in ["a", "ab:c", "post /a", "a_b", "/", "POST /", "*:x"] {
        check(label, true).await;
    }
    for label in [
        "*",
        "a.b",
        "a-b",
        "POST /a.b",
        "/a/{x}",
        "*:*",
        "a:*",
        "/a?b",
        "a:b-c",
        "POST  /a",
        "/a*",
        "PO-ST /a",
        ":x",
        "ab:",
        "@a",
        "/é",
        "",
    ] {
        check(label, false).await;
    }
}

#[tokio::test]
async fn secrets_stay_when_not_sent_and_are_neither_shown_nor_readable_in_the_file() {
    let fixture = Fixture::new().await;
    let change = async |patch: Value| fixture.records.change_settings(patch, None).await.unwrap();
    change(json!({"smtp": {"username": "u", "password": "hunter2"}})).await;
    let changed = change(json!({"smtp": {"username": "v"}, "meta": {"appName": "Ours"}})).await;
    assert_eq!(changed.smtp.password.expose(), "hunter2");
    assert_eq!(changed.shown()["smtp"]["username"], "v");
    assert!(!changed.shown().to_string().contains("hunter2"));
    assert!(changed.shown()["smtp"].get("password").is_none());
    assert!(!format!("{changed:?}").contains("hunter2"));
    let stored = fixture
        .database
        .read(|tx: &mut Tx<'_>| {
            let row = tx.query_one("SELECT value FROM _mito_records_settings", &[])?;
            row.expect("a row").get::<String>("value")
        })
        .await
        .unwrap_or_else(|error: mito_database::Error| panic!("{error}"));
    assert!(
        !stored.contains("hunter2") && stored.contains("Ours"),
        "{stored}"
    );
    fixture.records.inner.settings.replace(Settings::default());
    fixture.records.load_settings().await.unwrap();
    assert_eq!(*fixture.records.settings(), *changed);
    let emptied = change(json!({"smtp": null})).await;
    assert_eq!(emptied.smtp.password, Secret::default());
    assert_eq!(emptied.smtp.port, 0);
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let fixture = Fixture::new().await;
    let patch = |list: &str| json!({"superuserIPs": [list]});
    let caller = Some("192.0.2.7".parse().unwrap());
    let records = &fixture.records;
    let refused = records.change_settings(patch("10.0.0.0/8"), caller).await;
    assert!(refused.unwrap_err().to_string().contains("192.0.2.7"));
    assert!(records.may_administrate_from(None));
    records
        .change_settings(patch("192.0.2.0/24"), caller)
        .await
        .unwrap();
    assert!(records.may_administrate_from(caller));
    assert!(!records.may_administrate_from(Some("192.0.3.1".parse().unwrap())));
    assert!(!records.may_administrate_from(None));
}
