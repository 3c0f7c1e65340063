//! Bodies as rules see them.

use serde_json::json;

use super::*;

#[test]
fn rules_see_what_modifiers_lead_to() {
    let collection: Collection = serde_json::from_value(json!({
        "name": "c", "type": "base", "fields": [
            {"name": "n", "type": "number"},
            {"name": "m", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"]},
            {"name": "h", "type": "text", "hidden": true},
        ],
    }))
    .unwrap();
    let random = Random::seeded(1);
    let check = |values: Value, trusted: bool, expected: Value| {
        let Value::Object(values) = values else {
            unreachable!("bodies are objects")
        };
        let stored = [
            Stored::Real(10.0),
            Stored::Text("[\"a\"]".to_owned()),
            Stored::Text("x".to_owned()),
        ];
        let mut draft = Draft::of(&collection, &stored);
        let body = draft.load(&Submitted::from(values), trusted, &random);
        assert_eq!(Value::Object((*body).clone()), expected);
    };
    check(
        json!({"n+": 5, "other": 1}),
        false,
        json!({"other": 1, "n": 15}),
    );
    check(json!({"n": 1, "n+": 5}), false, json!({"n": 6}));
    check(json!({"m-": "a", "m+": ["c"]}), false, json!({"m": ["c"]}));
    check(json!({"n": "5", "h": "y"}), false, json!({"n": "5"}));
    check(
        json!({"n": "5", "h": "y"}),
        true,
        json!({"n": "5", "h": "y"}),
    );
}
