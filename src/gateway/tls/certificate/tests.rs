//! What is read of a certificate, and pairs that do not belong together.

use super::*;

/// A self-signed certificate and its key, as PEM.
pub(crate) fn self_signed(names: &[&str]) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn a_certificate_tells_what_it_is_for() {
    let (chain, key) = self_signed(&["b.example", "*.a.example", "127.0.0.1"]);
    let read = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect("a certificate");
    assert_eq!(read.facts.sans, ["*.a.example", "127.0.0.1", "b.example"]);
    assert_eq!(
        (read.facts.key_type.as_str(), read.facts.key_size),
        ("ECDSA", 256)
    );
    assert_eq!(read.facts.signature_algorithm, "ECDSA-SHA256");
    assert_eq!(read.facts.name.len(), 64);
    assert!(read.facts.not_after > read.facts.not_before);
    for (host, covered) in [
        ("b.example", true),
        ("B.Example", true),
        ("x.a.example", true),
        ("a.example", false),
        ("x.y.a.example", false),
        ("c.example", false),
    ] {
        assert_eq!(read.covers(host), covered, "{host}");
    }
}

#[test]
fn what_does_not_belong_together_is_refused_with_the_reason() {
    let (chain, key) = self_signed(&["a.example"]);
    let (_, other) = self_signed(&["a.example"]);
    let check = |chain: &str, key: &str, reason: &str| {
        let error = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    };
    check(&chain, &other, "does not belong");
    check("", &key, "no certificate");
    check(&chain, "", "the key cannot be read");
    let broken = chain.replace("MII", "AAA");
    check(&broken, &key, "the certificate cannot be read");
}
