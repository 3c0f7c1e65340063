//! What options become, what they refuse, and what is shown of them.

use serde_json::{Value, json};

use super::*;
use crate::{Error, FieldError, SUPERUSERS};

fn collection(name: &str, extra: &Value) -> Collection {
    let mut definition = json!({
        "id": "c", "name": name, "type": "auth",
        "fields": [
            {"name": "id", "type": "text"}, {"name": "email", "type": "email"},
            {"name": "nick", "type": "text"}, {"name": "city", "type": "text"},
        ],
        "indexes": [
            "CREATE UNIQUE INDEX `e` ON `t` (`email`) WHERE `email` != ''",
            "CREATE UNIQUE INDEX `n` ON `t` (`nick`)",
        ],
    });
    for (name, value) in extra.as_object().expect("an object") {
        definition[name] = value.clone();
    }
    serde_json::from_value(definition).unwrap()
}

fn rule(rule: &str) -> Option<FieldError> {
    (rule == "bad").then(|| FieldError::new("validation_invalid_rule", "Invalid rule."))
}

/// What is wrong with options that were submitted for a new collection.
fn check(options: &Value, expected: &[&str]) {
    let wanted = collection("t", options);
    let completed = AuthOptions::complete(&wanted, None).unwrap();
    let errors = completed.check(&wanted, None, rule);
    let errors: Vec<String> = errors
        .iter()
        .map(|(name, error)| format!("{name} {}", error.code))
        .collect();
    assert_eq!(errors, expected, "{options}");
}

#[test]
fn wrong_options_have_pocketbases_codes() {
    check(&json!({}), &[]);
    check(
        &json!({"authRule": "bad", "manageRule": "bad"}),
        &[
            "authRule validation_invalid_rule",
            "manageRule validation_invalid_rule",
        ],
    );
    check(&json!({"authRule": null}), &[]);
    check(
        &json!({"manageRule": ""}),
        &["manageRule validation_nil_or_not_empty_required"],
    );
    for (seconds, code) in [
        (0, "validation_required"),
        (5, "validation_min_greater_equal_than_required"),
        (94_670_857, "validation_max_less_equal_than_required"),
    ] {
        for token in [
            "authToken",
            "passwordResetToken",
            "emailChangeToken",
            "fileToken",
        ] {
            let expected = format!("{token}.duration {code}");
            check(&json!({token: {"duration": seconds}}), &[expected.as_str()]);
        }
    }
    check(
        &json!({"authToken": {"secret": "short"}}),
        &["authToken.secret validation_length_out_of_range"],
    );
    check(
        &json!({"mfa": {"enabled": true}}),
        &["mfa.enabled validation_mfa_not_enough_auths"],
    );
    check(
        &json!({"mfa": {"enabled": true, "duration": 0, "rule": "bad"}, "otp": {"enabled": true}}),
        &[
            "mfa.duration validation_required",
            "mfa.rule validation_invalid_rule",
        ],
    );
    check(&json!({"mfa": {"rule": "bad"}}), &[]);
    check(&json!({"otp": {"duration": 0, "length": 0}}), &[]);
    check(
        &json!({"otp": {"enabled": true, "duration": 86_401, "length": 3}}),
        &[
            "otp.duration validation_max_less_equal_than_required",
            "otp.length validation_min_greater_equal_than_required",
        ],
    );
    check(
        &json!({"otp": null}),
        &[
            "otp.emailTemplate.body validation_required",
            "otp.emailTemplate.subject validation_required",
        ],
    );
    check(
        &json!({"verificationTemplate": {"subject": ""}}),
        &["verificationTemplate.subject validation_required"],
    );
    check(&json!({"confirmEmailChangeTemplate": {}}), &[]);
}

#[test]
fn accounts_are_found_by_unique_fields_alone() {
    let fields = |names: Value| json!({"passwordAuth": {"identityFields": names}});
    check(&fields(json!(["email", "nick"])), &[]);
    check(
        &fields(json!([])),
        &["passwordAuth.identityFields validation_required"],
    );
    check(
        &fields(json!(["nope"])),
        &["passwordAuth.identityFields validation_missing_field"],
    );
    check(
        &fields(json!(["city"])),
        &["passwordAuth.identityFields validation_missing_unique_constraint"],
    );
    check(
        &json!({"passwordAuth": {"enabled": false, "identityFields": ["nope"]}}),
        &[],
    );
}

#[test]
fn providers_are_checked_while_they_are_used() {
    let providers = |enabled: bool, providers: Value| json!({"oauth2": {"enabled": enabled, "providers": providers}});
    check(&providers(true, json!([])), &[]);
    check(&providers(false, json!([{"name": "nope"}])), &[]);
    check(
        &providers(true, json!([{"name": "nope"}])),
        &[
            "oauth2.providers.0.clientId validation_required",
            "oauth2.providers.0.clientSecret validation_required",
            "oauth2.providers.0.name validation_missing_provider",
        ],
    );
    let google = json!({"name": "google", "clientId": "a", "clientSecret": "b"});
    check(
        &providers(true, json!([google, google])),
        &["oauth2.providers.1.name validation_duplicated_provider"],
    );
    let mut oidc = json!({"name": "oidc", "clientId": "a", "clientSecret": "b", "extra": null});
    oidc["authURL"] = json!("nourl");
    check(
        &providers(true, json!([oidc])),
        &["oauth2.providers.0.authURL validation_is_url"],
    );
}

#[test]
fn values_of_wrong_types_are_refused_as_a_whole() {
    for options in [
        json!({"authToken": {"duration": "x"}}),
        json!({"authToken": {"duration": 1.5}}),
        json!({"passwordAuth": {"identityFields": "email"}}),
        json!({"authRule": 5}),
        json!({"mfa": []}),
        json!({"oauth2": {"providers": [{"name": "oidc", "extra": "x"}]}}),
    ] {
        let completed = AuthOptions::complete(&collection("t", &options), None);
        assert!(matches!(completed, Err(Error::Invalid(_))), "{options}");
    }
}

#[test]
fn what_is_not_sent_stays_and_secrets_are_not_shown() {
    let secret = "s".repeat(30);
    let first = json!({
        "authToken": {"duration": 60, "secret": secret},
        "mfa": {"duration": 50},
        "oauth2": {"providers": [{"name": "google", "clientId": "a", "clientSecret": "b"}],
            "mappedFields": {"name": "nick", "username": "nope"}},
    });
    let mut stored = collection("t", &json!({}));
    let completed = AuthOptions::complete(&collection("t", &first), None).unwrap();
    completed.store_in(&mut stored.options);
    assert_eq!(AuthOptions::of(&stored), completed);
    assert_eq!(completed.oauth2.mapped_fields.name, "nick");
    assert_eq!(completed.oauth2.mapped_fields.username, "");
    let second = json!({
        "authToken": {"duration": 70},
        "oauth2": {"providers": [{"name": "google", "clientId": "c"}]},
    });
    let second = AuthOptions::complete(&collection("t", &second), Some(&stored)).unwrap();
    assert_eq!(second.auth_token.secret, secret);
    assert_eq!((second.auth_token.duration, second.mfa.duration), (70, 50));
    assert_eq!(second.oauth2.providers[0].client_secret, "b");
    let shown = Value::Object(second.shown());
    assert_eq!(shown["authToken"], json!({"duration": 70}));
    assert_eq!(
        shown["oauth2"]["providers"][0],
        json!({"pkce": null, "name": "google", "clientId": "c", "authURL": "", "tokenURL": "",
            "userInfoURL": "", "displayName": "", "extra": {}})
    );
    let emptied = AuthOptions::complete(&collection("t", &json!({"mfa": null})), Some(&stored));
    assert_eq!(emptied.unwrap().mfa.duration, 0);
}

#[test]
fn administrators_cannot_lock_themselves_out() {
    let options = json!({"passwordAuth": {"enabled": false}, "oauth2": {"enabled": true,
        "providers": [{"name": "google", "clientId": "a", "clientSecret": "b"}]}});
    let wanted = collection(SUPERUSERS, &options);
    let completed = AuthOptions::complete(&wanted, None).unwrap();
    assert!(completed.password_auth.enabled && !completed.oauth2.enabled);
    assert!(completed.oauth2.providers.is_empty());
    let existing = collection(SUPERUSERS, &json!({"system": true}));
    let opened = collection(
        SUPERUSERS,
        &json!({"authRule": null, "manageRule": "id != ''"}),
    );
    let completed = AuthOptions::complete(&opened, Some(&existing)).unwrap();
    let errors = completed.check(&opened, Some(&existing), rule);
    for name in ["authRule", "manageRule"] {
        assert_eq!(
            errors[name].code,
            "validation_collection_system_rule_change"
        );
    }
}
