//! The language: what it becomes, what it refuses, and that no value of a caller is ever SQL.

use mito_database::Value;
use mito_network::Identity;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::collections::system;

fn collection() -> Collection {
    let collection = serde_json::from_value(json!({"name": "c", "type": "auth", "fields": [
        {"name": "title", "type": "text"}, {"name": "views", "type": "number"},
        {"name": "open", "type": "bool"}, {"name": "tags", "type": "select", "maxSelect": 3,
         "values": ["a", "b"]}, {"name": "extra", "type": "json"},
        {"name": "inner", "type": "text", "hidden": true},
    ]}));
    system::complete(collection.expect("a collection"), None)
}

fn compiled(text: &str, trusted: bool) -> Result<Sql, String> {
    let collection = collection();
    let identity = Identity {
        id: "me".to_owned(),
        collection: "c".to_owned(),
        collection_id: "c".to_owned(),
        email: "me@x.co".to_owned(),
        session_id: "s".to_owned(),
    };
    let info = RequestInfo::of(Some(identity));
    let scope = Scope {
        collection: &collection,
        info: &info,
        now: "2024-05-06T07:08:09.123Z".parse().expect("a time"),
        dialect: Dialect::Sqlite,
        trusted,
    };
    let mut sql = Sql::default();
    compile(&mut sql, text, scope).map(|()| sql)
}

fn check(text: &str, expected: Result<&str, &str>) {
    let found = compiled(text, true).map(|sql| sql.text);
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
}

#[test]
fn operators_and_precedence() {
    check("title = 'a'", Ok("\"title\" = $1"));
    check("'a' = title", Ok("\"title\" = $1"));
    check("3 < views", Ok("\"views\" > $1"));
    check(
        "views >= 3 && open = true",
        Ok("(\"views\" >= $1 AND \"open\" = $2)"),
    );
    check(
        "title = 'a' || title = 'b' && views > 1",
        Ok("(\"title\" = $1 OR (\"title\" = $2 AND \"views\" > $3))"),
    );
    check(
        "(title = 'a' || title = 'b') && views > 1",
        Ok("((\"title\" = $1 OR \"title\" = $2) AND \"views\" > $3)"),
    );
    check("title ~ 'a'", Ok("\"title\" LIKE $1 ESCAPE '\\'"));
    check("title !~ 'a'", Ok("\"title\" NOT LIKE $1 ESCAPE '\\'"));
    check(
        "tags ?~ 'a' // any of them",
        Ok("\"tags\" LIKE $1 ESCAPE '\\'"),
    );
    check(
        "views ~ 1",
        Ok("CAST(\"views\" AS TEXT) LIKE $1 ESCAPE '\\'"),
    );
    check("extra = ''", Ok("COALESCE(\"extra\", '') = $1"));
    check("title = views", Ok("\"title\" = CAST(\"views\" AS TEXT)"));
}

#[test]
fn constants_take_the_type_of_the_column() {
    let check = |text: &str, expected: &[Value]| {
        assert_eq!(
            compiled(text, true).expect(text).parameters,
            expected,
            "{text}"
        );
    };
    check("title = 5", &[Value::Text("5".to_owned())]);
    check("title = null", &[Value::Text(String::new())]);
    check("views = '5'", &[Value::Real(5.0)]);
    check("open = 1", &[Value::Integer(1)]);
    check("title ~ '50%'", &[Value::Text("50%".to_owned())]);
    check("title ~ 'a_b'", &[Value::Text("%a\\_b%".to_owned())]);
    check("title ~ '50\\%'", &[Value::Text("%50\\%%".to_owned())]);
    check("title ~ 'a\\\\'", &[Value::Text("%a\\\\%".to_owned())]);
    check("title = 'it\\'s'", &[Value::Text("it's".to_owned())]);
    check("title = @request.auth.id", &[Value::Text("me".to_owned())]);
    check(
        "title > @now",
        &[Value::Text("2024-05-06 07:08:09.123Z".to_owned())],
    );
    check(
        "title < @monthEnd",
        &[Value::Text("2024-05-31 23:59:59.999Z".to_owned())],
    );
    check("views = @weekday", &[Value::Real(1.0)]);
}

#[test]
fn what_is_known_is_decided_at_once() {
    check("@request.auth.id != ''", Ok("1=1"));
    check("@request.auth.collectionName = 'users'", Ok("1=0"));
    check("views = null", Ok("1=0"));
    check("views != 'many'", Ok("1=1"));
    check("1 = 1", Ok("1=1"));
    check("10 > 9", Ok("1=1"));
}

#[test]
fn what_is_refused() {
    check("", Err("expected a field or a value, found the end"));
    check("nope = 1", Err("there is no field \"nope\""));
    check("title", Err("expected an operator, found the end"));
    check(
        "title = 'a' ||",
        Err("expected a field or a value, found the end"),
    );
    check("(title = 'a'", Err("a parenthesis is not closed"));
    check("title = 'a')", Err("\")\" was not expected"));
    check("title = 'a", Err("a text in quotes does not end"));
    check("title = 1.2.3", Err("\"1.2.3\" is not a number"));
    check("title = 'a\0'", Err("a text contains a null character"));
    check("password = 'x'", Err("there is no field \"password\""));
    check("tokenKey != ''", Err("there is no field \"tokenKey\""));
    check("title.x = 1", Err("there is no field \"title.x\""));
    check(
        "title:lower = 'a'",
        Err("there is no field \"title:lower\""),
    );
    check(
        "@request.body.x = 1",
        Err("@request.body.x is not supported"),
    );
    check(
        "@collection.c.id = 1",
        Err("@collection.c.id is not supported"),
    );
    check("@never = 1", Err("@never is not known"));
    check(
        &format!("title = '{}'", "a".repeat(3_500)),
        Err("it is longer than 3500 characters"),
    );
    check(
        &["1=1"; 201].join("||"),
        Err("it has more than 200 comparisons"),
    );
    check(
        &format!("{}1=1{}", "(".repeat(33), ")".repeat(33)),
        Err("it is nested deeper than 32 parentheses"),
    );
}

#[test]
fn others_filters_see_neither_hidden_fields_nor_hidden_addresses() {
    assert!(compiled("inner = 'a'", true).is_ok());
    assert_eq!(
        compiled("inner = 'a'", false),
        Err("there is no field \"inner\"".to_owned())
    );
    assert_eq!(
        compiled("email ~ 'a'", false).expect("allowed").text,
        "(\"email\" LIKE $1 ESCAPE '\\' AND \"emailVisibility\" = 1)"
    );
}

/// Each of these is a value to look for, or is refused; none becomes part of the statement.
const INJECTIONS: &[&str] = &[
    "' OR 1=1 --",
    "'; DROP TABLE users; --",
    "\\'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "') OR ('1'='1",
    "1; ATTACH DATABASE '/tmp/x' AS x",
    "$1",
    "?1",
    "/* */ UNION SELECT password FROM _superusers",
    "\u{2019} OR 1=1",
    "%' ESCAPE '",
];

#[test]
fn injections_are_values() {
    for injection in INJECTIONS {
        let quoted = injection.replace('\\', "\\\\").replace('\'', "\\'");
        let sql = compiled(&format!("title = '{quoted}'"), true).expect("a text");
        assert_eq!(sql.text, "\"title\" = $1", "{injection}");
        assert_eq!(sql.parameters, [Value::Text((*injection).to_owned())]);
        let bare = compiled(&format!("title = '{injection}'"), true);
        if let Ok(sql) = bare {
            assert!(
                !sql.text.contains("DROP") && !sql.text.contains("UNION"),
                "{}",
                sql.text
            );
        }
        assert!(
            compiled(&format!("{injection} = 1"), true).is_err(),
            "{injection}"
        );
    }
}

fn operand() -> impl Strategy<Value = (String, Operand)> {
    prop_oneof![
        "[a-z ]{0,8}".prop_map(|text| (format!("'{text}'"), Operand::Text(text))),
        (-1_000i32..1_000).prop_map(|number| (number.to_string(), Operand::Number(number.into()))),
        Just(("title".to_owned(), Operand::Name("title".to_owned()))),
        Just(("true".to_owned(), Operand::Bool(true))),
        Just(("null".to_owned(), Operand::Null)),
    ]
}

fn expressions() -> impl Strategy<Value = (String, Expression)> {
    let operators = prop::sample::select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Like,
        Operator::NotLike,
    ]);
    let leaf = (operand(), operators, operand()).prop_map(|(left, operator, right)| {
        let text = format!("{} {} {}", left.0, operator.symbol(), right.0);
        (text, Expression::Compare(left.1, operator, right.1))
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (any::<bool>(), prop::collection::vec(inner, 2..4)).prop_map(|(all, parts)| {
            let (texts, parts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let texts: Vec<String> = texts.iter().map(|text| format!("({text})")).collect();
            if all {
                (texts.join(" && "), Expression::All(parts))
            } else {
                (texts.join("||"), Expression::Any(parts))
            }
        })
    })
}

proptest! {
    #[test]
    fn written_expressions_are_read_back((text, expected) in expressions()) {
        prop_assert_eq!(parser::parse(&text), Ok(expected));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = compiled(&text, false);
    }

    #[test]
    fn texts_reach_the_statement_as_parameters_alone(text in "[^\0]{1,40}") {
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        let sql = compiled(&format!("title = '{quoted}'"), true).expect("a text");
        prop_assert_eq!(sql.text, "\"title\" = $1");
        prop_assert_eq!(sql.parameters, [Value::Text(text)]);
    }
}
