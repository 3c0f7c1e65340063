//! What sites say, read.

use serde_json::{Value, json};

use super::{
    person::{self, Person},
    sites::SITES,
};

fn check(site: &str, raw: Value, expected: [&str; 5], owns_email: bool) {
    let person = person::of(site, &raw).unwrap();
    let Person {
        id,
        name,
        username,
        avatar_url,
        email,
        ..
    } = &person;
    assert_eq!([id, name, username, avatar_url, email], expected, "{site}");
    assert_eq!(person.owns_email, owns_email, "{site}");
    assert_eq!(person.raw, raw, "{site}");
}

#[test]
fn persons_are_read_as_each_site_writes_them() {
    let open = json!({"sub": "1", "name": "N", "email": "a@b.co", "picture": "p"});
    check("oidc", open.clone(), ["1", "N", "", "p", "a@b.co"], true);
    check("google", open, ["1", "N", "", "p", "a@b.co"], true);
    let unverified = json!({"sub": "1", "email": "a@b.co", "email_verified": "false"});
    check("apple", unverified, ["1", "", "", "", ""], false);
    let microsoft = json!({"id": "m", "displayName": "N", "mail": "a@b.co"});
    check("microsoft", microsoft, ["m", "N", "", "", "a@b.co"], false);
    let github = json!({"id": 5, "login": "l", "name": null, "avatar_url": "p", "email": "x@b.co"});
    check("github", github, ["5", "", "l", "p", ""], false);
    let gitlab = json!({"id": 5, "username": "u", "email": "a@b.co", "confirmed_at": null});
    check("gitlab", gitlab, ["5", "", "u", "", "a@b.co"], false);
    let discord = json!({"id": "1", "username": "u", "discriminator": "7", "avatar": "h",
        "email": "a@b.co", "verified": true});
    let picture = "https://cdn.discordapp.com/avatars/1/h.png";
    check(
        "discord",
        discord,
        ["1", "u#7", "u", picture, "a@b.co"],
        true,
    );
    let kakao = json!({"id": 9, "properties": {"nickname": "n"},
        "kakao_account": {"email": "a@b.co", "is_email_verified": true, "is_email_valid": false}});
    check("kakao", kakao, ["9", "", "n", "", ""], false);
    let vk = json!({"response": [{"id": 3, "first_name": "F", "last_name": "L"}]});
    check("vk", vk, ["3", "F L", "", "", ""], false);
    let twitch =
        json!({"data": [{"id": "t", "login": "l", "display_name": "D", "email": "a@b.co"}]});
    check("twitch", twitch, ["t", "D", "l", "", "a@b.co"], true);
    let strava = json!({"id": 0, "firstname": "F", "lastname": ""});
    check("strava", strava, ["", "F", "", "", ""], false);
    let mailcow = json!({"id": "1", "active": 1, "username": "u@b.co", "email": "u@b.co"});
    check("mailcow", mailcow, ["1", "", "u", "", "u@b.co"], true);
    let yandex = json!({"id": "y", "default_avatar_id": "4/5", "is_avatar_empty": false});
    let picture = "https://avatars.yandex.net/get-yapic/4/5/islands-200";
    check("yandex", yandex, ["y", "", "", picture, ""], true);
    let patreon = json!({"data": {"id": "p", "attributes": {"email": "a@b.co",
        "is_email_verified": false}}});
    check("patreon", patreon, ["p", "", "", "", ""], false);
}

#[test]
fn accounts_that_are_not_active_are_refused() {
    for (site, raw) in [
        (
            "bitbucket",
            json!({"uuid": "1", "account_status": "closed"}),
        ),
        (
            "linear",
            json!({"data": {"viewer": {"id": "1", "active": false}}}),
        ),
        (
            "monday",
            json!({"data": {"me": {"id": "1", "enabled": false}}}),
        ),
        ("box", json!({"id": "1", "status": "inactive"})),
        ("mailcow", json!({"id": "1", "active": 0})),
        ("notion", json!({"bot": {"owner": {"type": "workspace"}}})),
        (
            "planningcenter",
            json!({"data": {"id": "1", "attributes": {"status": "gone"}}}),
        ),
    ] {
        assert!(person::of(site, &raw).is_err(), "{site}");
    }
}

#[test]
fn no_site_panics_on_an_answer_that_says_nothing() {
    for site in &SITES {
        for raw in [
            Value::Null,
            json!([]),
            json!({}),
            json!("x"),
            json!({"data": 5}),
        ] {
            if let Ok(person) = person::of(site.name, &raw) {
                assert_eq!(person.id, "", "{}", site.name);
            }
        }
    }
}

#[test]
fn only_a_verified_first_address_is_taken() {
    let check = |site: &str, list: Value, expected: Option<&str>| {
        let found = person::primary_address(site, &list);
        assert_eq!(found.as_deref(), expected, "{site} {list}");
    };
    let entry = |primary: bool, verified: bool| {
        json!([{"email": "other@b.co", "primary": false, "verified": true},
            {"email": "a@b.co", "primary": primary, "verified": verified}])
    };
    check("github", entry(true, true), Some("a@b.co"));
    check("gitea", entry(true, false), None);
    check("github", entry(false, true), None);
    let bitbucket =
        json!({"values": [{"email": "a@b.co", "is_primary": true, "is_confirmed": true}]});
    check("bitbucket", bitbucket, Some("a@b.co"));
    let gitee = json!([{"email": "a@b.co", "state": "confirmed", "scope": ["primary"]}]);
    check("gitee", gitee, Some("a@b.co"));
    check(
        "gitee",
        json!([{"email": "a@b.co", "state": "unconfirmed", "scope": ["primary"]}]),
        None,
    );
    check("github", json!("nothing"), None);
}
