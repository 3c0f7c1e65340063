//! Pairs of files that come, change and break.

use super::*;
use crate::tls::certificate::tests::self_signed;

fn pair(folder: &Path, name: &str, names: &[&str]) -> CertificateFiles {
    let files = CertificateFiles {
        cert_file: folder.join(format!("{name}.crt")),
        key_file: folder.join(format!("{name}.key")),
    };
    write(&files, names);
    files
}

fn write(files: &CertificateFiles, names: &[&str]) {
    let (chain, key) = self_signed(names);
    fs::write(&files.cert_file, chain).expect("a file");
    fs::write(&files.key_file, key).expect("a file");
}

#[test]
fn an_exact_name_goes_before_a_wildcard_and_a_bad_pair_hurts_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let wildcard = pair(folder.path(), "wildcard", &["*.a.example"]);
    let exact = pair(folder.path(), "exact", &["x.a.example"]);
    let mut mixed = pair(folder.path(), "mixed", &["y.b.example"]);
    mixed.key_file.clone_from(&exact.key_file);
    let own = OwnCertificates::default();
    own.set(vec![mixed, wildcard, exact.clone()], None);
    own.refresh();
    let shown = |host: &str| own.find(host).map(|key| key.cert[0].clone());
    assert!(shown("x.a.example").is_some());
    assert_ne!(shown("x.a.example"), shown("y.a.example"));
    assert!(shown("y.b.example").is_none());
    let error = own.pairs()[0].error.clone().expect("a reason");
    assert!(
        error.contains("mixed.crt") && error.contains("does not belong"),
        "{error}"
    );
    own.set(vec![exact], None);
    assert!(own.find("x.a.example").is_some());
    assert!(own.find("y.a.example").is_none());
}

#[test]
fn changed_files_are_read_again_and_broken_ones_keep_what_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = pair(folder.path(), "a", &["a.example"]);
    let own = OwnCertificates::default();
    own.set(vec![files.clone()], None);
    assert!(own.refresh());
    assert!(!own.refresh(), "nothing has changed");
    own.set(vec![files.clone()], None);
    assert!(own.find("a.example").is_some(), "what was read stays");
    fs::write(&files.key_file, "broken").expect("a file");
    own.refresh();
    assert!(own.find("a.example").is_some());
    assert!(own.pairs()[0].error.is_some());
    write(&files, &["b.example"]);
    own.refresh();
    assert!(own.find("a.example").is_none());
    assert!(own.find("b.example").is_some());
    assert_eq!(own.pairs()[0].error, None);
}
