//! What is kept comes back, for one user alone.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::tls::certificate::tests::self_signed;

#[test]
fn what_is_kept_is_for_one_user_and_comes_back() {
    let data = tempfile::tempdir().expect("a folder");
    let store = Store::new(data.path(), "https://ca.example:14000/dir");
    assert!(store.certificate("a.example").expect("nothing").is_none());
    let (chain, key) = self_signed(&["a.example"]);
    let pem = format!("{key}{chain}");
    store
        .keep_certificate("a.example", pem.as_bytes())
        .expect("kept");
    let attempts = Attempts {
        failures: 2,
        not_before_ms: 5,
        last_error: Some("no".to_owned()),
    };
    store.keep_attempts("a.example", &attempts).expect("kept");
    store.keep_account(br#""an account""#).expect("kept");
    let read = store
        .certificate("a.example")
        .expect("kept")
        .expect("a certificate");
    assert!(read.covers("a.example"));
    assert_eq!(store.attempts("a.example"), attempts);
    assert_eq!(store.account::<String>().as_deref(), Some("an account"));
    let mode = |path: &str| {
        let folder = data.path().join("acme/ca.example_14000_dir");
        let found = fs::metadata(folder.join(path)).expect(path);
        found.permissions().mode() & 0o777
    };
    for file in [
        "hosts/a.example.pem",
        "hosts/a.example.json",
        "account.json",
    ] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode("hosts"), 0o700);
    store.forget_account();
    assert_eq!(store.account::<String>(), None);
}

#[test]
fn a_broken_file_is_named() {
    let data = tempfile::tempdir().expect("a folder");
    let store = Store::new(data.path(), "https://ca.example/");
    store
        .keep_certificate("a.example", b"nonsense")
        .expect("kept");
    let error = store.certificate("a.example").expect_err("nonsense");
    assert!(error.contains("hosts/a.example.pem"), "{error}");
    assert_eq!(store.attempts("a.example"), Attempts::default());
}
