//! Cases for `conditions`.

use std::collections::BTreeMap;

use http::HeaderValue;

use super::*;

const TAG: &str = "\"abc\"";
const DATE: &str = "Wed, 06 May 2026 07:08:09 GMT";
const BEFORE: &str = "Wed, 06 May 2026 07:08:08 GMT";

fn object() -> Object {
    Object {
        bucket: String::new(),
        key: String::new(),
        size: 100,
        etag: "abc".to_owned(),
        content_type: None,
        metadata: BTreeMap::new(),
        modified_ms: 1_778_051_289_500,
        headers: mito_records::files::StoredHeaders::default(),
        checksums: mito_records::files::Checksums::default(),
    }
}

#[track_caller]
fn check(given: &[(HeaderName, &str)], expected: Verdict) {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    assert_eq!(judge(&headers, &object()), expected, "{given:?}");
}

#[test]
fn descriptions() {
    assert_eq!(etag(&object()), TAG);
    assert_eq!(last_modified(&object()), DATE);
}

#[test]
fn ranges() {
    let range = |text: &str, expected: Verdict| check(&[(header::RANGE, text)], expected);
    range("bytes=0-9", Verdict::Part(0..10));
    range("bytes=-5", Verdict::Part(95..100));
    range("bytes=98-", Verdict::Part(98..100));
    range("bytes=0-999", Verdict::Part(0..100));
    range("bytes=0-99999999999999999999999", Verdict::Part(0..100));
    range("bytes=-999", Verdict::Part(0..100));
    range("bytes= 1 - 2 ", Verdict::Part(1..3));
    range("bytes=", Verdict::Whole);
    range("bytes=0-0,5-9", Verdict::Whole);
    for text in [
        "bytes=100-",
        "bytes=9-0",
        "bytes=-0",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "items=0-1",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=99999999999999999999999-",
    ] {
        range(text, Verdict::OutOfRange);
    }
}

#[test]
fn conditions() {
    use header::{
        IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
    };
    check(&[], Verdict::Whole);
    check(&[(IF_NONE_MATCH, TAG)], Verdict::Unchanged);
    check(&[(IF_NONE_MATCH, "\"x\", W/\"abc\"")], Verdict::Unchanged);
    check(&[(IF_NONE_MATCH, "*")], Verdict::Unchanged);
    check(&[(IF_NONE_MATCH, "\"x\"")], Verdict::Whole);
    check(&[(IF_MODIFIED_SINCE, DATE)], Verdict::Unchanged);
    check(&[(IF_MODIFIED_SINCE, BEFORE)], Verdict::Whole);
    check(&[(IF_MODIFIED_SINCE, "yesterday")], Verdict::Whole);
    // The tag counts more than the date.
    check(
        &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, DATE)],
        Verdict::Whole,
    );
    check(&[(IF_MATCH, TAG)], Verdict::Whole);
    check(&[(IF_MATCH, "\"x\"")], Verdict::Unmet);
    check(&[(IF_UNMODIFIED_SINCE, BEFORE)], Verdict::Unmet);
    check(&[(IF_UNMODIFIED_SINCE, DATE)], Verdict::Whole);
    check(
        &[(IF_MATCH, TAG), (IF_UNMODIFIED_SINCE, BEFORE)],
        Verdict::Whole,
    );
    check(
        &[(RANGE, "bytes=0-0"), (IF_RANGE, TAG)],
        Verdict::Part(0..1),
    );
    check(
        &[(RANGE, "bytes=0-0"), (IF_RANGE, DATE)],
        Verdict::Part(0..1),
    );
    check(&[(RANGE, "bytes=0-0"), (IF_RANGE, BEFORE)], Verdict::Whole);
    check(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"x\"")], Verdict::Whole);
    check(
        &[(RANGE, "bytes=0-0"), (IF_RANGE, "W/\"abc\"")],
        Verdict::Whole,
    );
    check(
        &[(RANGE, "bytes=500-"), (IF_NONE_MATCH, TAG)],
        Verdict::Unchanged,
    );
}
