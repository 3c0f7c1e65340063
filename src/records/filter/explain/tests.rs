//! Explanations of rules.

use serde_json::json;

use super::*;
use crate::filter::tests::library::Library;

#[tokio::test]
async fn each_part_says_what_it_compared() {
    let library = Library::open().await;
    let rule = "title = 'Alpha' && (cats.name = 'one' || author = @request.auth.id)";
    let records = &library.fixture.records;
    let found = records.explain_rule("posts", rule, stored("p0"), &library.info);
    let found = serde_json::to_value(found.await.unwrap()).unwrap();
    let compare = |text: &str, holds: bool, left: Json, right: Json| {
        json!({"kind": "compare", "text": text, "holds": holds, "left": left, "right": right,
               "parts": []})
    };
    let inner = "cats.name = 'one' || author = @request.auth.id";
    let expected = json!({
        "draft": null, "kind": "all", "text": format!("title = 'Alpha' && ({inner})"), "holds": true,
        "left": [], "right": [],
        "parts": [
            compare("title = 'Alpha'", true, json!(["Alpha"]), json!(["Alpha"])),
            {"kind": "any", "text": inner, "holds": true, "left": [], "right": [], "parts": [
                compare("cats.name = 'one'", false, json!(["zero", "one"]), json!(["one"])),
                compare("author = @request.auth.id", true, json!(["ann"]), json!(["ann"])),
            ]},
        ],
    });
    assert_eq!(found, expected);
}

fn stored(id: &str) -> Subject {
    Subject::Stored(id.to_owned())
}

#[tokio::test]
async fn a_record_that_would_be_is_judged_as_it_would_be() {
    let library = Library::open().await;
    let records = &library.fixture.records;
    let explain = async |rule: &str, values: Json| {
        let subject = Subject::WouldBe(values.as_object().unwrap().clone());
        let found = records.explain_rule("posts", rule, subject, &library.info);
        let found = found.await.unwrap();
        (found.explanation.holds, found.draft.unwrap())
    };
    let rule = "title = 'New' && @request.body.title = 'New' && author.id = @request.auth.id";
    let (holds, draft) = explain(rule, json!({"title": "New", "author": "ann"})).await;
    assert!(holds);
    assert_eq!(draft["title"], json!("New"));
    assert_ne!(draft["id"], json!(""), "it has an id already");
    assert!(
        !explain(rule, json!({"title": "New", "author": "bob"}))
            .await
            .0
    );
    assert!(
        !explain(rule, json!({"title": "Old", "author": "ann"}))
            .await
            .0
    );
}

#[tokio::test]
async fn without_a_record_the_request_alone_is_judged() {
    let library = Library::open().await;
    let records = &library.fixture.records;
    let rule = "title = 'x' && @request.auth.id = 'bob'";
    let found = records.explain_rule("posts", rule, Subject::Any, &library.info);
    let found = found.await.unwrap().explanation;
    assert!(!found.holds && found.parts[0].holds && !found.parts[1].holds);
}

#[tokio::test]
async fn what_cannot_be_explained() {
    let library = Library::open().await;
    let records = &library.fixture.records;
    let explain = async |rule: &str, subject: Subject| {
        let found = records.explain_rule("posts", rule, subject, &library.info);
        found.await.unwrap_err().to_string()
    };
    assert!(
        explain("nope = 1", Subject::Any)
            .await
            .contains("unknown field")
    );
    assert!(
        explain("title", Subject::Any)
            .await
            .contains("expected an operator")
    );
    let missing = explain("title = 1", stored("none")).await;
    assert!(missing.contains("wasn't found"), "{missing}");
}
