//! Rules that are asked why.

use super::*;

#[tokio::test]
async fn a_rule_says_why_it_refuses_somebody() {
    let fixture = Fixture::new().await;
    let root = fixture.administrator().await;
    let user = fixture.account("ann@b.co").await;
    let path = "/api/rules/explain";
    let users = fixture.get("/api/collections/users/records", &root).await;
    let ann = users.json()["items"][0]["id"].clone();
    let rule = "email = 'bob@b.co' || (id = @request.auth.id && @request.headers.x_a = 'b')";
    let question = json!({
        "collection": "users", "rule": rule, "recordId": ann,
        "identity": {"collection": "users", "id": ann},
        "request": {"method": "get", "headers": {"X-A": "b"}},
    });
    let answer = fixture.post(path, question.clone(), &root).await.json();
    let holds = |pointer: &str| answer.pointer(pointer).and_then(Value::as_bool);
    assert_eq!(holds("/holds"), Some(true), "{answer}");
    assert_eq!(holds("/parts/0/holds"), Some(false));
    assert_eq!(answer["parts"][0]["left"], json!(["ann@b.co"]));
    assert_eq!(answer["parts"][1]["parts"][1]["left"], json!(["b"]));

    for (token, status) in [("", 401), (&*user, 403)] {
        let refused = fixture.post(path, question.clone(), token).await;
        assert_eq!(refused.status.as_u16(), status);
    }
    for (changed, field) in [
        (json!({"collection": "users", "rule": "nope = 1"}), "rule"),
        (
            json!({"collection": "users", "rule": "id = 'a'", "identity": {"collection": "users", "id": "x"}}),
            "identity",
        ),
    ] {
        let refused = fixture.post(path, changed, &root).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
        assert!(!refused.json()["data"][field].is_null(), "{refused:?}");
    }
}
