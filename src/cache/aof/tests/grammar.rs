//! Manifests in Redis's grammar.

use super::super::manifest::{Entry, Manifest};

fn entry(name: &str, sequence: u64) -> Entry {
    Entry {
        name: name.to_owned(),
        sequence,
    }
}

#[test]
fn manifests_are_read_and_written() {
    let text = "file appendonly.aof.2.base.rdb seq 2 type b\n\
                file appendonly.aof.1.base.rdb seq 1 type h\n\
                file appendonly.aof.4.incr.aof seq 4 type i\n\
                file \"a \\\"b\\\" \\xc3\\xa9\" seq 9 type i\n";
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.base, Some(entry("appendonly.aof.2.base.rdb", 2)));
    assert_eq!(manifest.history, [entry("appendonly.aof.1.base.rdb", 1)]);
    let increments = [entry("appendonly.aof.4.incr.aof", 4), entry("a \"b\" é", 9)];
    assert_eq!(manifest.increments, increments);
    assert_eq!(manifest.encode(), text);
}

#[test]
fn what_redis_accepts_is_accepted() {
    for (text, name) in [
        ("# a remark\nfile a seq 1 type i\n", "a"),
        ("FILE a SEQ 1 TYPE i\n", "a"),
        ("seq 1 type i file a\r\n", "a"),
        ("file 'a b' seq 1 type i\n", "a b"),
        ("file 'it\\'s' seq 1 type i\n", "it's"),
        (
            "file \"\\n\\r\\t\\b\\a\\\\\\q\" seq 1 type i\n",
            "\n\r\t\u{8}\u{7}\\q",
        ),
        ("file a seq 1 type i startoffset 0\n", "a"),
    ] {
        let manifest = Manifest::parse(text.as_bytes());
        // A backslash is a folder's separator elsewhere, and refused.
        if name.contains('\\') {
            assert!(manifest.is_err(), "{text}");
            continue;
        }
        assert_eq!(manifest.unwrap().increments, [entry(name, 1)], "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, line) in [
        ("", 0),
        ("# nothing\n", 1),
        ("\n", 1),
        ("file a seq 1 type i\n\n", 2),
        ("file a seq 1 type i", 1),
        ("file a seq 1\n", 1),
        ("file a seq 1 type i more\n", 1),
        ("file a seq 0 type i\n", 1),
        ("file a seq -1 type i\n", 1),
        ("file a seq x type i\n", 1),
        ("file a seq 1 type x\n", 1),
        ("file ../a seq 1 type i\n", 1),
        ("file .. seq 1 type i\n", 1),
        ("file \"\" seq 1 type i\n", 1),
        ("file \"a seq 1 type i\n", 1),
        ("file \"a\"b seq 1 type i\n", 1),
        ("file 'a seq 1 type i\n", 1),
        ("file \"\\xff\" seq 1 type i\n", 1),
        ("file a seq 1 type b\nfile b seq 2 type b\n", 2),
        ("file a seq 2 type i\nfile b seq 2 type i\n", 2),
        ("file a seq 2 type i\nfile b seq 1 type i\n", 2),
    ] {
        let fault = Manifest::parse(text.as_bytes()).unwrap_err();
        assert_eq!(fault.line, line, "{text:?}: {}", fault.reason);
    }
    let long = format!("file {} seq 1 type i\n", "a".repeat(1100));
    assert!(Manifest::parse(long.as_bytes()).is_err());
}
