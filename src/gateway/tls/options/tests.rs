//! What options become, and what is told of those that cannot be.

use serde_json::{Value, json};

use super::*;

fn build(config: Value) -> Result<Arc<Options>, String> {
    let config: TlsOptions = serde_json::from_value(config).expect("options");
    Options::build(&config, None)
}

#[test]
fn options_that_cannot_be_are_told_with_the_way_out() {
    let check = |config: Value, words: &[&str]| {
        let error = build(config.clone()).err().unwrap_or_default();
        for word in words {
            assert!(error.contains(word), "{config}: {error}");
        }
    };
    check(
        json!({"minVersion": "VersionTLS10"}),
        &["minVersion: VersionTLS10", "write VersionTLS12"],
    );
    check(
        json!({"maxVersion": "VersionTLS11"}),
        &["maxVersion: VersionTLS11", "write VersionTLS12"],
    );
    check(
        json!({"minVersion": "TLS1.3"}),
        &["minVersion", "VersionTLS13"],
    );
    check(
        json!({"minVersion": "VersionTLS13", "maxVersion": "VersionTLS12"}),
        &["minVersion", "above maxVersion"],
    );
    check(
        json!({"cipherSuites": ["TLS_FALLBACK_SCSV", "TLS_RSA_WITH_AES_128_GCM_SHA256"]}),
        &["cipherSuites[1]", "TLS_ECDHE_"],
    );
    check(
        json!({"cipherSuites": ["TLS_AES_128_GCM_SHA256"], "maxVersion": "VersionTLS12"}),
        &["cipherSuites", "none of them is of TLS 1.2"],
    );
    check(
        json!({"curvePreferences": ["X25519", "CurveP521"]}),
        &["curvePreferences[1]", "CurveP384"],
    );
    check(
        json!({"alpnProtocols": ["h3"]}),
        &["alpnProtocols[0]", "http/1.1"],
    );
    check(
        json!({"clientAuth": {"clientAuthType": "VerifyClientCertIfGiven"}}),
        &["clientAuth.caFiles", "needs them"],
    );
    check(
        json!({"clientAuth": {"clientAuthType": "Sometimes"}}),
        &["clientAuth.clientAuthType", "RequestClientCert"],
    );
    check(
        json!({"clientAuth": {"caFiles": ["/nowhere.pem"]}}),
        &["clientAuth.caFiles[0]: /nowhere.pem"],
    );
}

#[test]
fn what_has_not_changed_goes_on() {
    let config = |text: Value| -> TlsOptions { serde_json::from_value(text).expect("options") };
    let first = Options::build(&config(json!({})), None).expect("options");
    let same = Options::build(&config(json!({})), Some(&first)).expect("options");
    assert!(Arc::ptr_eq(&first, &same));
    let other = Options::build(&config(json!({"sniStrict": true})), Some(&first)).expect("options");
    assert!(!Arc::ptr_eq(&first, &other));
    assert_eq!(first.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
}

#[test]
fn who_may_issue_certificates_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    let authority = |name: &str| {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a pair");
        fs::write(&path, made.cert.pem()).expect("a file");
    };
    authority("a.test");
    let options = build(json!({"clientAuth": {"caFiles": [path.to_str()]}})).expect("options");
    assert!(!options.is_stale());
    authority("b.test");
    assert!(options.is_stale());
    fs::remove_file(&path).expect("a file");
    assert!(!options.is_stale(), "what was read stays");
}
