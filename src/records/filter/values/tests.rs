//! Values as SQLite sees them.

use super::*;

#[test]
fn numbers_are_written_as_sqlite_writes_them() {
    let check = |real: f64, expected: &str| {
        assert_eq!(written(&Value::Real(real)), expected, "{real}");
    };
    check(5.0, "5.0");
    check(-1.5, "-1.5");
    check(0.1, "0.1");
    check(1e20, "1.0e+20");
    check(1.5e-7, "1.5e-07");
    check(1.0 / 3.0, "0.333333333333333");
    check(123_456_789.25, "123456789.25");
}

#[test]
fn texts_that_are_numbers() {
    let check = |text: &str, expected: Option<f64>| assert_eq!(number(text), expected, "{text:?}");
    check("5", Some(5.0));
    check(" -5.50 ", Some(-5.5));
    check("1e3", Some(1_000.0));
    check(".5", Some(0.5));
    check("", None);
    check(".", None);
    check("5x", None);
    check("inf", None);
    check("0x10", None);
}

#[test]
fn patterns() {
    let check = |text: &str, expected: &str| assert_eq!(pattern(text), expected, "{text:?}");
    check("a", "%a%");
    check("50%", "50%");
    check("a_b", "%a\\_b%");
    check("50\\%", "%50\\%%");
    check("a\\", "%a\\\\%");
    check("", "%%");
}

#[test]
fn likeness() {
    let check = |pattern: &str, text: &str, expected: bool| {
        assert_eq!(matches(pattern, text), expected, "{pattern:?} {text:?}");
    };
    check("%b%", "aBc", true);
    check("a%", "abc", true);
    check("a%", "bac", false);
    check("%c", "abc", true);
    check("a_c", "abc", true);
    check("a\\_c", "abc", false);
    check("a\\_c", "a_c", true);
    check("%", "", true);
    check("", "", true);
    check("", "a", false);
    check("%ab%ab%", "abxab", true);
    check("%É%", "é", false);
    check("a\\", "a\\", false);
}

#[test]
fn a_bomb_of_wildcards_ends() {
    let pattern = "%a".repeat(400) + "b";
    assert!(!matches(&pattern, &"a".repeat(20_000)));
}

#[test]
fn comparisons() {
    let text = |text: &str| Value::Text(text.to_owned());
    let check = |left: &Value, operator, right: &Value, expected: Option<bool>| {
        let side = |value, affinity, constant| Side {
            value,
            affinity,
            exact: false,
            plain: false,
            constant,
        };
        // A column of text against what a filter says.
        let left_side = side(left, Affinity::Text, false);
        let right_side = side(right, Affinity::None, true);
        let found = holds(left_side, operator, right_side);
        assert_eq!(found, expected, "{left:?} {operator:?} {right:?}");
    };
    check(&text("a"), Operator::Equal, &text("a"), Some(true));
    check(&text("5"), Operator::Equal, &Value::Real(5.0), Some(false));
    check(&text("5.0"), Operator::Equal, &Value::Real(5.0), Some(true));
    check(&text(""), Operator::Equal, &Value::Null, Some(true));
    check(&Value::Null, Operator::Equal, &text(""), Some(true));
    check(&Value::Null, Operator::Equal, &text("a"), None);
    check(&Value::Null, Operator::NotEqual, &text("a"), Some(true));
    check(&Value::Null, Operator::NotEqual, &text(""), Some(false));
    check(&text("a"), Operator::Less, &text("b"), Some(true));
    check(&text("a"), Operator::Greater, &Value::Real(9.0), Some(true));
    check(&text("abc"), Operator::Like, &text("B"), Some(true));
    check(&text("abc"), Operator::NotLike, &text("B"), Some(false));
    check(&Value::Null, Operator::NotLike, &text("B"), None);
}
