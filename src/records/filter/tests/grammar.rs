//! What is said, and what is refused.

use proptest::prelude::*;

use crate::filter::{
    ast::{Comparison, Expression, Operand, Operator},
    lexer::{self, Word},
    parser::parse,
};

fn check(text: &str, expected: Result<&str, &str>) {
    let found = parse(text).map(|expression| shown(&expression));
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
}

/// With a parenthesis around everything that belongs together.
fn shown(expression: &Expression) -> String {
    let joined = |parts: &[Expression], by: &str| {
        let parts: Vec<String> = parts.iter().map(shown).collect();
        format!("({})", parts.join(by))
    };
    match expression {
        Expression::All(parts) => joined(parts, " && "),
        Expression::Any(parts) => joined(parts, " || "),
        Expression::Compare(comparison) => comparison.to_string(),
    }
}

#[test]
fn what_is_said() {
    let same = |text: &str| check(text, Ok(text));
    same("title = 'a'");
    same("(a = 1 || (b ?!~ 'x' && c >= -1.5))");
    same("geoDistance(a.lon, a.lat, 1, -2) < 5");
    same("(@collection.a:b.c ?= @request.auth.id && d:lower != null)");
    check("a=1||b=2&&c=3", Ok("(a = 1 || (b = 2 && c = 3))"));
    check("((((a=1))))", Ok("a = 1"));
    check("a = \"it's\"", Ok("a = 'it\\'s'"));
    check("a='x\\ty\\q\\\\'", Ok("a = 'x\ty\\\\q\\\\'"));
    check("// c\na// c\n='x' // c", Ok("a = 'x'"));
    check("strftime('%Y',)='a'", Ok("strftime('%Y') = 'a'"));
}

#[test]
fn what_is_refused() {
    check("", Err("expected a field or a value, found the end"));
    check("   ", Err("expected a field or a value, found the end"));
    check("// c", Err("expected a field or a value, found the end"));
    check("a", Err("expected an operator, found the end"));
    check("a=", Err("expected a field or a value, found the end"));
    check("=1", Err("expected a field or a value, found \"=\""));
    check("(a=1", Err("a parenthesis is not closed"));
    check("a=1)", Err("\")\" was not expected"));
    check("a=1 b=2", Err("\"b\" was not expected"));
    check("a == 1", Err("expected a field or a value, found \"=\""));
    check("a=1 & b=2", Err("unexpected character '&'"));
    check("a='x", Err("invalid quoted text 'x"));
    check("a='x\0'", Err("a text contains a null character"));
    for number in ["1.", ".5", "1.2.3", "+1", "-", "--1"] {
        assert!(parse(&format!("a = {number}")).is_err(), "{number}");
    }
    for name in ["a.", "a:", "ä", "a-b", "@"] {
        assert!(parse(&format!("{name} = 1")).is_err(), "{name}");
    }
    check(
        "f(g(1)) = 1",
        Err("expected a field or a value, found a call of \"g\""),
    );
}

#[test]
fn bombs() {
    let long = format!("a = '{}'", "x".repeat(3_500));
    check(&long, Err("max filter length of 3500 is exceeded"));
    let many = ["1=1"; 201].join("||");
    check(&many, Err("max expressions limit of 200 reached"));
    assert!(parse(&["1=1"; 200].join("||")).is_ok());
    let deep = format!("{}1=1{}", "(".repeat(101), ")".repeat(101));
    check(&deep, Err("it is nested deeper than 100 parentheses"));
    assert!(parse(&"(".repeat(3_000)).is_err());
    assert!(parse(&format!("f({}) = 1", "1,".repeat(1_000))).is_err());
}

fn operands() -> impl Strategy<Value = Operand> {
    let plain = prop_oneof![
        "[^\0]{0,8}".prop_map(Operand::Text),
        (-1_000i32..1_000).prop_map(|number| Operand::Number(f64::from(number) / 4.0)),
        "[a-z_]{1,4}(\\.[a-z0-9]{1,3}){0,2}(:lower)?".prop_map(Operand::Name),
    ];
    let arguments = prop::collection::vec(plain.clone(), 0..4);
    prop_oneof![
        8 => plain,
        1 => arguments.prop_map(|all| Operand::Function("strftime".to_owned(), all)),
    ]
}

fn expressions() -> impl Strategy<Value = Expression> {
    let operators = prop::sample::select(Operator::ALL.to_vec());
    let comparison = (operands(), operators, any::<bool>(), operands());
    let leaf = comparison.prop_map(|(left, operator, any, right)| {
        Expression::Compare(Comparison {
            left,
            operator,
            any,
            right,
        })
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        // `&&` inside `||` and the reverse, so that what is written has one reading.
        (any::<bool>(), prop::collection::vec(inner, 2..4)).prop_map(|(all, parts)| {
            let flat = parts.into_iter().flat_map(|part| match (all, part) {
                (true, Expression::All(inner)) | (false, Expression::Any(inner)) => inner,
                (_, other) => vec![other],
            });
            let parts = flat.collect();
            if all {
                Expression::All(parts)
            } else {
                Expression::Any(parts)
            }
        })
    })
}

proptest! {
    #[test]
    fn written_expressions_are_read_back(expected in expressions()) {
        let text = shown(&expected);
        prop_assume!(text.chars().count() <= 3_500);
        prop_assert_eq!(parse(&text), Ok(expected));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_salad_of_words_makes_the_parser_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "&&", "||", "a", "'x'", "1", "=", "?!~", "f(", ",", "//", "\n", "'", "\\",
                "@request.auth.id", ":lower", ".", "!", "?", "-", "\"",
            ]),
            0..200,
        )
    ) {
        let _ = parse(&words.concat());
    }

    #[test]
    fn a_text_is_one_word(text in "[^\0]{0,40}") {
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        let words = lexer::words(&format!("'{quoted}'"));
        prop_assert_eq!(words, Ok(vec![Word::Text(text)]));
    }
}
