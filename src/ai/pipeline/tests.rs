//! Cases for [`super::Definition`] and [`super::Binding`].

use serde_json::json;

use super::{Binding, Definition};

#[test]
fn what_ships_is_valid() {
    let content = Definition::shipped("content").unwrap();
    assert_eq!(content.steps.len(), 5);
    let json = serde_json::to_string(&content).unwrap();
    assert_eq!(
        Definition::from_yaml(&json).unwrap(),
        content,
        "JSON reads back the same"
    );
}

fn check(yaml: &str, expected: &str) {
    let error = Definition::from_yaml(yaml).unwrap_err().to_string();
    assert!(error.contains(expected), "{yaml}: {error}");
}

#[test]
fn bad_definitions_are_refused_with_the_reason() {
    check("", "missing field");
    check("[1]", "expected struct Definition");
    check("name: x", "missing field `steps`");
    check("name: X Y\nsteps: []", "a name has");
    check("name: x\nsteps: []", "the first step must be clean");
    check("name: x\nsteps: [{uses: clean}]", "the last one record");
    check(
        "name: x\nsteps: [{uses: dance}]",
        "there is no step \"dance\"",
    );
    check(
        "name: x\nsteps: [{uses: clean, with: {a: 1}}]",
        "unknown field `a`",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: clean}, {uses: record}]",
        "is there twice",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: summary}, {uses: record}]",
        "needs step language",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: record}]",
        "the record has no fields",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: record, with: {fields: {a: summary}}}]",
        "no step makes \"summary\"",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: language}, {uses: summary, with: {sentences: 0}}, \
         {uses: record}]",
        "1 to 20 sentences",
    );
    check(
        "name: x\nsteps: [{uses: clean}, {uses: language}, {uses: key_phrases, with: {count: 99}}, \
         {uses: record}]",
        "1 to 50 key phrases",
    );
    check("name: x\nsteps: []\ncolour: red", "unknown field `colour`");
}

#[test]
fn bindings_take_the_content_types_they_name() {
    let binding = Binding::from_json(&json!({
        "pipeline": "content", "bucket": "inbox", "collection": "contents",
        "content_types": ["text/html", "text/x-markdown"],
    }))
    .unwrap();
    assert_eq!(binding.name, "content");
    for (content_type, key, taken) in [
        (Some("text/html; charset=utf-8"), "a", true),
        (Some("application/xhtml+xml"), "a", true),
        (None, "a.md", true),
        (Some("text/plain"), "a.html", false),
        (Some("image/png"), "a.png", false),
    ] {
        assert_eq!(
            binding.takes(content_type, key).is_some(),
            taken,
            "{content_type:?} {key}"
        );
    }
}

#[test]
fn bad_bindings_are_refused() {
    for (binding, expected) in [
        (json!({}), "missing field"),
        (
            json!({"pipeline": "nope", "bucket": "b", "collection": "c"}),
            "no pipeline \"nope\"",
        ),
        (
            json!({"pipeline": "content", "bucket": "", "collection": "c"}),
            "must not be empty",
        ),
        (
            json!({"pipeline": "content", "bucket": "b", "collection": "c", "content_types": ["x/y"]}),
            "cannot be read",
        ),
        (
            json!({"pipeline": {"name": "x", "steps": []}, "bucket": "b", "collection": "c"}),
            "first",
        ),
    ] {
        let error = Binding::from_json(&binding).unwrap_err().to_string();
        assert!(error.contains(expected), "{binding}: {error}");
    }
}
