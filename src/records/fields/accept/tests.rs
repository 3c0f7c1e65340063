//! What each type of field makes of values from outside.

use serde_json::{Value, json};

use crate::{
    Field,
    fields::{check::check as judge, convert::convert, show},
};

fn field(definition: &Value) -> Field {
    serde_json::from_value(definition.clone()).expect("a field")
}

/// `Ok` is the JSON shown afterwards, `Err` the error code.
fn check(definition: Value, value: Value, expected: Result<Value, &str>) {
    let mut definition = definition;
    definition["name"] = json!("f");
    let field = field(&definition);
    let stored = convert(&field, &value);
    let shown = judge(&field, &stored)
        .map(|()| show::show(&field, &stored))
        .map_err(|error| error.code);
    assert_eq!(shown, expected, "{definition} given {value}");
}

#[test]
fn texts() {
    let title =
        json!({"type": "text", "required": true, "min": 3, "max": 10, "pattern": "^[a-z]+$"});
    check(title.clone(), json!(null), Err("validation_required"));
    check(title.clone(), json!(""), Err("validation_required"));
    check(
        title.clone(),
        json!("ab"),
        Err("validation_min_text_constraint"),
    );
    check(
        title.clone(),
        json!("abcdefghijk"),
        Err("validation_max_text_constraint"),
    );
    check(
        title.clone(),
        json!("ABCD"),
        Err("validation_invalid_format"),
    );
    check(title, json!("abcd"), Ok(json!("abcd")));
    let plain = json!({"type": "text"});
    check(plain.clone(), json!(5), Ok(json!("5")));
    check(
        plain.clone(),
        json!("a\u{0}b"),
        Err("validation_invalid_format"),
    );
    check(
        plain.clone(),
        json!("ü".repeat(5_000)),
        Ok(json!("ü".repeat(5_000))),
    );
    check(
        plain.clone(),
        json!("x".repeat(5_001)),
        Err("validation_max_text_constraint"),
    );
    check(plain, json!({"a": 1}), Ok(json!("")));
}

#[test]
fn numbers() {
    let number = json!({"type": "number", "min": 1, "max": 5, "onlyInt": true});
    check(number.clone(), json!("3"), Ok(json!(3)));
    check(number.clone(), json!("x"), Ok(json!(0)));
    check(
        number.clone(),
        json!(9),
        Err("validation_max_number_constraint"),
    );
    check(
        number.clone(),
        json!(-1),
        Err("validation_min_number_constraint"),
    );
    check(
        number.clone(),
        json!(1.5),
        Err("validation_only_int_constraint"),
    );
    check(number, json!(null), Ok(json!(0)));
    check(json!({"type": "number"}), json!("1e999"), Ok(json!(0)));
    check(json!({"type": "number"}), json!(0.25), Ok(json!(0.25)));
    check(
        json!({"type": "number", "required": true}),
        json!(0),
        Err("validation_required"),
    );
}

#[test]
fn flags_and_dates() {
    check(json!({"type": "bool"}), json!("true"), Ok(json!(true)));
    check(json!({"type": "bool"}), json!("no"), Ok(json!(false)));
    check(
        json!({"type": "bool", "required": true}),
        json!(false),
        Err("validation_required"),
    );
    check(
        json!({"type": "date"}),
        json!("2024-01-02"),
        Ok(json!("2024-01-02 00:00:00.000Z")),
    );
    check(json!({"type": "date"}), json!("soon"), Ok(json!("")));
    check(
        json!({"type": "date", "min": "2024-01-01"}),
        json!("2023-01-01"),
        Err("validation_min_greater_equal_than_required"),
    );
}

#[test]
fn addresses() {
    let email = json!({"type": "email", "exceptDomains": ["spam.example"]});
    check(email.clone(), json!("a@b.co"), Ok(json!("a@b.co")));
    for wrong in [
        "x",
        "@b.co",
        "a@b",
        "a b@c.co",
        "a@b..co",
        "a\r\n@b.co",
        "a@b.co\n",
        "<a@b.co>",
    ] {
        check(email.clone(), json!(wrong), Err("validation_is_email"));
    }
    check(
        email,
        json!("a@Spam.example"),
        Err("validation_email_domain_not_allowed"),
    );
    let url = json!({"type": "url"});
    check(
        url.clone(),
        json!("http://x.y/z?q"),
        Ok(json!("http://x.y/z?q")),
    );
    check(
        url.clone(),
        json!("https://[::1]:80/"),
        Ok(json!("https://[::1]:80/")),
    );
    for wrong in [
        "x",
        "javascript:alert(1)",
        "javascript://x.y/%0aalert(1)",
        "http://",
        "http://a b",
    ] {
        check(url.clone(), json!(wrong), Err("validation_invalid_url"));
    }
}

#[test]
fn selections() {
    let one = json!({"type": "select", "values": ["a", "b"], "maxSelect": 1});
    check(one.clone(), json!("a"), Ok(json!("a")));
    check(one.clone(), json!(["a", "b"]), Ok(json!("b")));
    check(one, json!("z"), Err("validation_invalid_value"));
    let two = json!({"type": "select", "values": ["a", "b", "c"], "maxSelect": 2});
    check(two.clone(), json!("a"), Ok(json!(["a"])));
    check(two.clone(), json!(["a", "a", "b"]), Ok(json!(["a", "b"])));
    check(
        two.clone(),
        json!(["a", "b", "c"]),
        Err("validation_too_many_values"),
    );
    check(two, json!([]), Ok(json!([])));
}

#[test]
fn any_json() {
    let any = json!({"type": "json", "maxSize": 10});
    check(any.clone(), json!({"x": 1}), Ok(json!({"x": 1})));
    check(any.clone(), json!(null), Ok(json!(null)));
    check(
        any.clone(),
        json!("12345678901"),
        Err("validation_json_size_limit"),
    );
    check(
        json!({"type": "json", "required": true}),
        json!([]),
        Err("validation_required"),
    );
}

#[test]
fn points_on_earth() {
    let place = json!({"type": "geoPoint"});
    let point = json!({"lon": 12.5, "lat": -3});
    check(place.clone(), point.clone(), Ok(point.clone()));
    check(place.clone(), json!(point.to_string()), Ok(point));
    check(place.clone(), json!(7), Ok(json!({"lon": 0, "lat": 0})));
    let outside = json!({"lon": 181, "lat": 0});
    check(place.clone(), outside, Err("validation_invalid_longitude"));
    let outside = json!({"lon": 0, "lat": -91});
    check(place, outside, Err("validation_invalid_latitude"));
}
