//! Who is who.

use http::HeaderValue;

use super::{super::testing::connection, *};

fn forwarded(hops: &[&'static str]) -> HeaderMap {
    let hop = |hop: &&'static str| {
        let name = HeaderName::from_static("x-forwarded-for");
        (name, HeaderValue::from_static(hop))
    };
    hops.iter().map(hop).collect()
}

fn strategy(options: IpStrategy) -> Strategy {
    Strategy::build("ipStrategy", &options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_depth_counts_from_the_right() {
    let check = |depth, hops: &[&'static str], expected: Option<&str>| {
        let strategy = strategy(IpStrategy {
            depth,
            ..IpStrategy::default()
        });
        let client = connection("192.0.2.1".parse().expect("an address"));
        let found = strategy.client(&client, &forwarded(hops));
        let expected = expected.map(|it| it.parse().expect("an address"));
        assert_eq!(found, expected, "{depth} of {hops:?}");
    };
    check(0, &["10.0.0.1, 10.0.0.2"], Some("192.0.2.1"));
    check(1, &["10.0.0.1, 10.0.0.2"], Some("10.0.0.2"));
    check(2, &["10.0.0.1, 10.0.0.2"], Some("10.0.0.1"));
    check(2, &["10.0.0.1", "10.0.0.2 "], Some("10.0.0.1"));
    check(3, &["10.0.0.1, 10.0.0.2"], None);
    check(1, &[], None);
    check(1, &["nonsense"], None);
    check(1, &["10.0.0.1:80"], Some("10.0.0.1"));
    check(1, &["[2001:db8::1]:80"], Some("2001:db8::1"));
    check(1, &["::ffff:10.0.0.1"], Some("10.0.0.1"));
}

#[test]
fn excluded_addresses_are_passed_over_from_the_right() {
    let check = |hops: &[&'static str], expected: Option<&str>| {
        let strategy = strategy(IpStrategy {
            excluded_ips: vec!["10.0.0.0/8".to_owned(), "2001:db8::1".to_owned()],
            ..IpStrategy::default()
        });
        let client = connection("192.0.2.1".parse().expect("an address"));
        let found = strategy.client(&client, &forwarded(hops));
        let expected = expected.map(|it| it.parse().expect("an address"));
        assert_eq!(found, expected, "{hops:?}");
    };
    check(
        &["1.1.1.1, 2.2.2.2, 10.0.0.1, 2001:db8::1"],
        Some("2.2.2.2"),
    );
    check(&["10.0.0.1"], None);
    check(&["1.1.1.1, nonsense, 10.0.0.1"], None);
    check(&[], None);
}

#[test]
fn sources_are_networks_headers_or_hosts() {
    static HASHER: std::sync::LazyLock<std::hash::RandomState> =
        std::sync::LazyLock::new(std::hash::RandomState::new);
    let source = |options: Option<SourceCriterion>, client: &str, header: &'static str| {
        let criterion = Criterion {
            // One key for all, so that hashes can be compared.
            hasher: HASHER.clone(),
            ..Criterion::by_address(options.as_ref()).unwrap_or_else(|error| panic!("{error}"))
        };
        let mut headers = HeaderMap::new();
        headers.insert("x-user", HeaderValue::from_static(header));
        criterion.source(&connection(client.parse().expect("an address")), &headers)
    };
    let with_bits = |bits| {
        Some(SourceCriterion {
            ip_strategy: Some(IpStrategy {
                ipv6_subnet: Some(bits),
                ..IpStrategy::default()
            }),
            ..SourceCriterion::default()
        })
    };
    assert_eq!(
        source(None, "2001:db8::1", ""),
        source(None, "2001:db8::2", "")
    );
    assert_ne!(
        source(with_bits(128), "2001:db8::1", ""),
        source(with_bits(128), "2001:db8::2", "")
    );
    assert_eq!(
        source(with_bits(48), "2001:db8:0:1::1", ""),
        source(with_bits(48), "2001:db8:0:2::1", "")
    );
    assert_ne!(source(None, "10.0.0.1", ""), source(None, "10.0.0.2", ""));
    assert_eq!(
        source(None, "10.0.0.1", ""),
        source(None, "::ffff:10.0.0.1", "")
    );
    let by_header = |name: &str| {
        Some(SourceCriterion {
            request_header_name: name.to_owned(),
            ..SourceCriterion::default()
        })
    };
    assert_eq!(
        source(by_header("X-User"), "10.0.0.1", "a"),
        source(by_header("x-user"), "10.0.0.2", "a")
    );
    assert_ne!(
        source(by_header("X-User"), "10.0.0.1", "a"),
        source(by_header("X-User"), "10.0.0.1", "b")
    );
    assert_eq!(source(by_header("X-None"), "10.0.0.1", "a"), Source::Nobody);
}

#[test]
fn criteria_exclude_each_other_and_mistakes_are_named() {
    let check = |options: SourceCriterion, expected: &str| {
        let error = Criterion::by_host(Some(&options)).err().unwrap_or_default();
        assert!(error.contains(expected), "{error}");
    };
    let both = SourceCriterion {
        request_header_name: "A".to_owned(),
        request_host: true,
        ip_strategy: None,
    };
    check(both, "mutually exclusive");
    let header = SourceCriterion {
        request_header_name: "A B".to_owned(),
        ..SourceCriterion::default()
    };
    check(header, "sourceCriterion.requestHeaderName: \"A B\"");
    let with = |strategy| SourceCriterion {
        ip_strategy: Some(strategy),
        ..SourceCriterion::default()
    };
    let bits = IpStrategy {
        ipv6_subnet: Some(129),
        ..IpStrategy::default()
    };
    check(with(bits), "sourceCriterion.ipStrategy.ipv6Subnet: 129");
    let excluded = IpStrategy {
        excluded_ips: vec!["10.0.0.1".to_owned(), "x".to_owned()],
        ..IpStrategy::default()
    };
    check(
        with(excluded),
        "sourceCriterion.ipStrategy.excludedIPs[1]: \"x\"",
    );
}

#[test]
fn hosts_and_ports_come_apart() {
    let check = |host: &str, expected: (&str, &str)| {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().expect("a value"));
        let connection = connection(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(host_and_port(&connection, &headers), expected);
    };
    check("a.example", ("a.example", ""));
    check("A.example:8000", ("A.example", "8000"));
    check("[::1]:80", ("[::1]", "80"));
    check("[::1]", ("[::1]", ""));
}
