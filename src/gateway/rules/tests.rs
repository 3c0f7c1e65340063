//! What rules accept, refuse and mean.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{Expression, HostPattern, Matcher, Rule, Target, pattern::Pattern};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

/// `request` is `METHOD host/path`.
fn check(rule: &str, request: &str, expected: bool) {
    let (method, rest) = request.split_once(' ').expect("a method and a target");
    let (host, path) = rest.split_once('/').expect("a path");
    let headers = headers(&[("x-kind", "blue"), ("x-kind", "green")]);
    let path = format!("/{path}");
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let target = Target {
        host,
        path,
        query,
        method,
        headers: &headers,
        peer: PEER,
    };
    let parsed = Rule::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    assert_eq!(parsed.matches(&target), expected, "{rule} on {request}");
}

#[test]
fn rules_mean_what_traefik_says() {
    check("Host(`a.localhost`)", "GET a.localhost/", true);
    check("Host(`A.localhost.`)", "GET a.localhost/", true);
    check("Host(`a.localhost`)", "GET a.localhost./", true);
    check("Host(`a.localhost`)", "GET b.a.localhost/", false);
    check("Host(`*.localhost`)", "GET a.localhost/", true);
    check("Host(`*.localhost`)", "GET b.a.localhost/", false);
    check("Host(`*.localhost`)", "GET localhost/", false);
    check("Host(`*.localhost`)", "GET .localhost/", false);
    check("Host(`*`)", "GET /", true);
    check("Host(\"a\")", "GET a/", true);
    check("PathPrefix(`/products`)", "GET a/products-for-sale", true);
    check("Path(`/products`)", "GET a/products/", false);
    check("Method(`get`)", "GET a/", true);
    check("Method(`GET`)", "get a/", false);
    check("Header(`X-Kind`, `green`)", "GET a/", true);
    check("Header(`X-Kind`, `red`)", "GET a/", false);
    check("HostRegexp(`^[a-c]\\.x$`)", "GET b.x/", true);
    check("HostRegexp(`^[a-c]\\.x$`)", "GET d.x/", false);
    check("HostRegexp(`b`)", "GET abc/", true);
    check("PathRegexp(`\\.(png|jpg)$`)", "GET a/x.png", true);
    check("PathRegexp(`\\.(png|jpg)$`)", "GET a/x.pngs", false);
    check("HeaderRegexp(`X-Kind`, `^gr`)", "GET a/", true);
    check("HeaderRegexp(`X-Kind`, `^re`)", "GET a/", false);
    check("Query(`a`, `1`)", "GET a/?b=2&a=1", true);
    check("Query(`a`, `b c`)", "GET a/?a=b%20c", true);
    check("Query(`a`, `1`)", "GET a/?a=11", false);
    check("Query(`a`)", "GET a/?a", true);
    check("Query(`a`)", "GET a/?a=1", false);
    check("Query(`a`)", "GET a/", false);
    check("QueryRegexp(`a`, `^[0-9]+$`)", "GET a/?a=x&a=12", true);
    check("QueryRegexp(`a`, `^[0-9]+$`)", "GET a/?a=x", false);
    check("ClientIP(`192.0.2.7`)", "GET a/", true);
    check("ClientIP(`192.0.2.0/24`)", "GET a/", true);
    check("ClientIP(`2001:db8::/32`)", "GET a/", false);
    check("!Host(`a`)", "GET b/", true);
    check("!!Host(`a`)", "GET a/", true);
    check("Host(`a`) || Host(`b`) && Path(`/x`)", "GET a/y", true);
    check("(Host(`a`) || Host(`b`)) && Path(`/x`)", "GET a/y", false);
    check("Host(`a`)&&!Path(`/x`)", "GET a/y", true);
    check("!(Host(`a`) && Path(`/x`))", "GET a/x", false);
}

#[track_caller]
fn check_error(rule: &str, column: usize, message: &str) {
    let error = Rule::parse(rule).expect_err(rule);
    assert_eq!(error.column, column, "{rule}: {error}");
    assert!(error.message.contains(message), "{rule}: {error}");
}

#[test]
fn errors_say_where_and_what_to_write() {
    check_error("", 1, "empty");
    check_error("   ", 1, "empty");
    check_error("Hots(`a`)", 1, "did you mean Host?");
    check_error(
        "Host(`a`) && pathprefix(`/x`)",
        14,
        "did you mean PathPrefix?",
    );
    check_error("HostRegexp(`(a`)", 12, "unclosed group");
    check_error("PathRegexp(`a{1000}{1000}`)", 12, "compiled");
    check_error("PathRegexp(`(?=a)`)", 12, "look-around");
    check_error("ClientIP(`1.2.3`)", 10, "neither an address");
    check_error("Query(`a`, `b`, `c`)", 1, "got 3, expected one of [1, 2]");
    check_error("Host('a')", 6, "backticks or double quotes");
    check_error("Host(`a`", 9, "but the rule ends");
    check_error("Host(`a", 6, "never closed");
    check_error("Host(\"a", 6, "never closed");
    check_error(r#"Host("\x41")"#, 7, "backslash");
    check_error("Host(`a`) & Host(`b`)", 11, "write &&");
    check_error("Host(`a`) | Host(`b`)", 11, "write ||");
    check_error("Host(`a`) Host(`b`)", 11, "expected `&&`");
    check_error("Host(`a`) &&", 13, "expected a matcher");
    check_error("&& Host(`a`)", 1, "expected a matcher");
    check_error("(Host(`a`)", 11, "after the group");
    check_error("Host(`a`))", 10, "the end");
    check_error("Host()", 1, "got 0, expected one of [1]");
    check_error("Host(`a`, `b`)", 1, "combine matchers with ||");
    check_error("Host(`a`,)", 10, "expected a value");
    check_error("Host(a)", 6, "expected a value");
    check_error("Header(`X`)", 1, "expected one of [2]");
    check_error("Header(`X Y`, `z`)", 8, "not a header name");
    check_error("Path(`x`)", 6, "does not start with /");
    check_error("Host(`müller.de`)", 6, "punycode");
    check_error("Host(`a b`)", 6, "not a host name");
    check_error("Host(`a*.b`)", 6, "not a host name");
    check_error("Method(`G T`)", 8, "not a method");
    check_error("Host(`a`) ü", 11, "does not belong here");
}

#[test]
fn length_depth_and_number_are_bounded() {
    let deep = format!("{}Host(`a`){}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(Rule::parse(&deep).is_err());
    check_error(&format!("{}Host(`a`)", "!".repeat(33)), 33, "nests deeper");
    let long = format!("Host(`{}`)", "a".repeat(9_000));
    check_error(&long, super::MAX_RULE_BYTES + 1, "longer");
    let many = vec!["Host(`a`)"; 257].join("||");
    assert!(
        Rule::parse(&many)
            .expect_err("too many")
            .message
            .contains("more than 256")
    );
}

#[test]
fn the_hosts_a_rule_requires_are_found() {
    let required = |rule: &str| {
        let rule = Rule::parse(rule).expect(rule);
        rule.required_hosts().map(|hosts| hosts.join(","))
    };
    assert_eq!(required("Host(`a`)").as_deref(), Some("a"));
    assert_eq!(required("Path(`/x`) && Host(`a`)").as_deref(), Some("a"));
    assert_eq!(required("Host(`a`) || Host(`b`)").as_deref(), Some("a,b"));
    assert_eq!(
        required("(Host(`a`) || Host(`b`)) && Host(`c`)").as_deref(),
        Some("c")
    );
    assert_eq!(required("Host(`a`) || Path(`/x`)"), None);
    assert_eq!(required("!Host(`a`)"), None);
    assert_eq!(required("Host(`*.a`)"), None);
}

#[test]
fn rules_that_take_everything_before_others_are_found() {
    let covers = |wider: &str, narrower: &str| {
        let parse = |text: &str| Rule::parse(text).unwrap();
        parse(wider).covers(&parse(narrower))
    };
    for (wider, narrower) in [
        ("Host(`a`)", "Host(`a`) && Path(`/x`)"),
        ("Host(`*.a`)", "Host(`b.a`)"),
        ("PathPrefix(`/`)", "Method(`GET`)"),
        ("PathPrefix(`/a`)", "Path(`/ab`) && Host(`x`)"),
        ("HostRegexp(`^.+$`)", "Host(`a`)"),
        ("Host(`a`) || Host(`b`)", "Host(`a`) || Host(`b`)"),
        (
            "ClientIP(`10.0.0.0/8`)",
            "ClientIP(`10.1.0.0/16`) && Host(`a`)",
        ),
    ] {
        assert!(covers(wider, narrower), "{wider} covers {narrower}");
        assert!(
            wider == narrower || !covers(narrower, wider),
            "{narrower} covers {wider}"
        );
    }
    assert!(!covers("PathPrefix(`/a/`)", "PathPrefix(`/a`)"));
    assert!(!covers("Host(`a`) && !Path(`/x`)", "Host(`a`)"));
}

fn host_name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c.d", "localhost"]).prop_map(str::to_owned)
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let path = prop::sample::select(vec!["/", "/x", "/x/y", "/`\"\\", "/ü\n"]);
    let value = prop::sample::select(vec!["blue", "", "a`b", "\"", "\\"]);
    prop_oneof![
        Just(Matcher::Host(HostPattern::Any)),
        host_name().prop_map(|name| Matcher::Host(HostPattern::Exact(name))),
        host_name().prop_map(|name| Matcher::Host(HostPattern::OneLabel(format!(".{name}")))),
        path.clone().prop_map(|path| Matcher::Path(path.to_owned())),
        path.prop_map(|path| Matcher::PathPrefix(path.to_owned())),
        prop::sample::select(vec!["GET", "PUT"])
            .prop_map(|method| Matcher::Method(method.to_owned())),
        value.clone().prop_map(|value| Matcher::Header {
            name: HeaderName::from_static("x-kind"),
            value: value.to_owned(),
        }),
        value.prop_map(|value| Matcher::Query {
            name: "q".to_owned(),
            value: value.to_owned(),
        }),
        prop::sample::select(vec!["^a$", "`|x", "[a-c]\\.d"])
            .prop_map(|text| Matcher::HostRegexp(Pattern::compile(text).unwrap())),
        prop::sample::select(vec!["192.0.2.7/32", "2001:db8::/32"])
            .prop_map(|network| Matcher::ClientIp(network.parse().unwrap())),
    ]
}

pub(crate) fn expression() -> impl Strategy<Value = Expression> {
    matcher()
        .prop_map(Expression::Match)
        .prop_recursive(5, 32, 2, |inner| {
            prop_oneof![
                inner
                    .clone()
                    .prop_map(|inner| Expression::Not(Box::new(inner))),
                (inner.clone(), inner.clone())
                    .prop_map(|(left, right)| Expression::And(Box::new(left), Box::new(right))),
                (inner.clone(), inner)
                    .prop_map(|(left, right)| Expression::Or(Box::new(left), Box::new(right))),
            ]
        })
}

/// The meaning of an expression read from its disjunctive normal form instead of its tree.
fn naive(expression: &Expression, wanted: bool, target: &Target<'_>) -> bool {
    let clauses = normal_form(expression, wanted);
    clauses.iter().any(|clause| {
        clause.iter().all(|(matcher, wanted)| {
            Rule(Expression::Match((*matcher).clone())).matches(target) == *wanted
        })
    })
}

type Clause<'a> = Vec<(&'a Matcher, bool)>;

fn normal_form(expression: &Expression, wanted: bool) -> Vec<Clause<'_>> {
    match (expression, wanted) {
        (Expression::Match(matcher), _) => vec![vec![(matcher, wanted)]],
        (Expression::Not(inner), _) => normal_form(inner, !wanted),
        (Expression::And(left, right), true) | (Expression::Or(left, right), false) => {
            let right = normal_form(right, wanted);
            normal_form(left, wanted)
                .into_iter()
                .flat_map(|left| {
                    right
                        .iter()
                        .map(move |right| [&left[..], &right[..]].concat())
                })
                .take(4_096)
                .collect()
        }
        (Expression::And(left, right), false) | (Expression::Or(left, right), true) => {
            let mut clauses = normal_form(left, wanted);
            clauses.extend(normal_form(right, wanted));
            clauses
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(expression in expression()) {
        let rule = Rule(expression);
        prop_assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[HostPah()`\"!&| ,/\\\\]{0,40}") {
        if let Ok(rule) = Rule::parse(&text) {
            prop_assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
        }
    }

    #[test]
    fn evaluation_agrees_with_the_normal_form(
        expression in expression(),
        host in prop::sample::select(vec!["a", "b", "x.a", "c.d", ""]),
        path in prop::sample::select(vec!["/", "/x", "/x/y"]),
        method in prop::sample::select(vec!["GET", "PUT"]),
    ) {
        let headers = headers(&[("x-kind", "blue")]);
        let query = "q=blue";
        let target = Target { host, path, query, method, headers: &headers, peer: PEER };
        // Beyond this the normal form is cut off and says nothing.
        prop_assume!(normal_form(&expression, true).len() < 1_000);
        prop_assert_eq!(expression.matches(&target), naive(&expression, true, &target));
    }
}
