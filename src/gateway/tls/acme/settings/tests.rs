//! Options as they are written, right and wrong.

use super::*;

fn config(change: impl FnOnce(&mut config::Acme)) -> config::Acme {
    let mut config = config::Acme {
        email: "a@b.example".to_owned(),
        ..config::Acme::default()
    };
    change(&mut config);
    config
}

#[test]
fn the_directory_is_lets_encrypts_unless_another_is_named() {
    let check = |change: fn(&mut config::Acme), directory: &str, probe: bool| {
        let read = Settings::read(&config(change)).expect(directory);
        assert!(read.directory.contains(directory), "{}", read.directory);
        assert_eq!(read.probe, probe, "{directory}");
    };
    check(|_| {}, "https://acme-v02.api.letsencrypt.org", true);
    check(|it| it.staging = true, "staging", false);
    check(|it| it.self_probe = false, "acme-v02", false);
    let other = |it: &mut config::Acme| "https://ca.example/dir".clone_into(&mut it.ca_server);
    check(other, "https://ca.example/dir", true);
    let read = Settings::read(&config(|_| {})).expect("the defaults");
    assert_eq!(read.contact, ["mailto:a@b.example"]);
}

#[test]
fn wrong_options_are_named() {
    let check = |change: fn(&mut config::Acme), named: &str| {
        let error = Settings::read(&config(change)).expect_err(named);
        assert!(error.contains(named), "{error}");
    };
    check(
        |it| "http://ca.example".clone_into(&mut it.ca_server),
        "caServer",
    );
    check(|it| "nobody".clone_into(&mut it.email), "email");
    check(|it| it.challenges.clear(), "challenges");
    check(|it| "k".clone_into(&mut it.eab.kid), "eab");
    check(
        |it| {
            "k".clone_into(&mut it.eab.kid);
            it.eab.hmac_encoded = "not base64!".into();
        },
        "hmacEncoded",
    );
    check(
        |it| it.ca_certificates = vec!["/nonexistent.pem".into()],
        "/nonexistent.pem",
    );
}
