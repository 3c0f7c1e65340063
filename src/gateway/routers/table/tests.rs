//! What is found in the table, and that the index never changes it.

use http::HeaderMap;
use proptest::prelude::*;

use super::*;
use crate::{
    routers::{RouterSpec, internal, platform},
    rules::{Rule, tests::expression},
};

fn router(name: &str, rule: &str, priority: i64) -> Router {
    let spec = RouterSpec {
        named: Vec::new(),
        tls: false,
        tls_options: String::new(),
        keeps_path: false,
        name: name.to_owned(),
        provider: "file",
        rule: rule.to_owned(),
        service: "api".to_owned(),
        priority,
        middlewares: Vec::new(),
        entrypoints: vec!["web".to_owned()],
    };
    Router::parse(spec).unwrap_or_else(|error| panic!("{error}"))
}

fn find(table: &Table, entrypoint: &str, host: &str, path: &str) -> Option<String> {
    let headers = HeaderMap::new();
    let target = Target {
        host,
        path,
        query: "",
        method: "GET",
        headers: &headers,
        peer: std::net::IpAddr::from([192, 0, 2, 7]),
    };
    table
        .find(entrypoint, &target)
        .map(|router| router.full_name.to_string())
}

fn platform_table(domain: &str) -> Table {
    let specs = [
        platform::routers(domain),
        internal::routers(domain != "localhost"),
    ]
    .concat();
    let routers = specs
        .into_iter()
        .map(Router::parse)
        .collect::<Result<Vec<_>, _>>();
    Table::compile(routers.expect("they parse")).expect("they compile")
}

#[test]
fn longer_rules_and_higher_priorities_come_first() {
    let table = Table::compile(vec![
        router("host", "Host(`a`)", 0),
        router("path", "Host(`a`) && Path(`/x`)", 0),
        router("first", "PathPrefix(`/z`)", 1_000),
        router("last", "PathPrefix(`/`)", -5),
    ])
    .expect("compiles");
    assert_eq!(find(&table, "web", "a", "/").as_deref(), Some("host@file"));
    assert_eq!(find(&table, "web", "a.", "/").as_deref(), Some("host@file"));
    assert_eq!(find(&table, "web", "a", "/x").as_deref(), Some("path@file"));
    assert_eq!(
        find(&table, "web", "a", "/z").as_deref(),
        Some("first@file")
    );
    assert_eq!(find(&table, "web", "b", "/").as_deref(), Some("last@file"));
    assert_eq!(find(&table, "traefik", "a", "/"), None);
}

#[test]
fn two_routers_of_one_name_are_refused() {
    let twice = vec![router("a", "Host(`a`)", 0), router("a", "Host(`b`)", 0)];
    assert!(Table::compile(twice).is_err());
}

/// Entry point, host and path, router (`-` for none).
const PLATFORM: &str = "
    web       api.localhost/health                      api@mito
    web       localhost/                                admin@mito
    websecure admin.localhost/                          admin@mito
    web       admin.localhost/_mito/api/session         panel@mito
    web       localhost/_mito/api/session               panel@mito
    web       minio.localhost/minio/health/live         minio@mito
    web       inbox.minio.localhost/a.html              minio@mito
    web       minio-console.localhost/                  minio-console@mito
    web       mobile-build.localhost/status             mobile-build-api@mito
    web       mobile-build.localhost/api/manifest       mobile-build-api@mito
    web       mobile-build.localhost/installs           mobile-build@mito
    web       traefik.localhost/api/http/routers        traefik-api@mito
    web       traefik.localhost/dashboard/              traefik@mito
    traefik   localhost/api/http/routers                api@internal
    traefik   localhost/ping                            ping@internal
    traefik   localhost/metrics                         prometheus@internal
    traefik   localhost/_mito/api/session               panel-local@mito
    traefik   localhost/dashboard/                      dashboard@mito
    web       postgres.localhost/                       -
    web       evil.example/                             -
";

#[test]
fn the_platform_is_routed_as_the_old_stack_was() {
    let table = platform_table("localhost");
    for line in PLATFORM.trim().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (host, path) = words[1].split_once('/').expect("a path");
        let found = find(&table, words[0], host, &format!("/{path}"));
        assert_eq!(found.as_deref().unwrap_or("-"), words[2], "{line}");
    }
}

#[test]
fn certificates_are_for_routed_names_alone() {
    let table = platform_table("localhost");
    let name = |host: &str| table.certificate_name(host);
    assert_eq!(name("api.localhost").as_deref(), Some("api.localhost"));
    assert_eq!(
        name("inbox.minio.localhost").as_deref(),
        Some("*.minio.localhost")
    );
    assert_eq!(name("evil.localhost"), None);
}

#[test]
fn a_real_domain_redirects_all_but_challenges() {
    let table = platform_table("example.com");
    let check = |host: &str, path: &str, router: &str| {
        assert_eq!(find(&table, "web", host, path).as_deref(), Some(router));
    };
    check("api.example.com", "/", "web-to-websecure@internal");
    check(
        "api.example.com",
        "/.well-known/acme-challenge/x",
        "acme-http@internal",
    );
    let secure = find(&table, "websecure", "api.example.com", "/");
    assert_eq!(secure.as_deref(), Some("api@mito"));
}

proptest! {
    #[test]
    fn the_index_finds_what_trying_all_would(
        rules in prop::collection::vec((expression(), -3_i64..50), 0..12),
        host in prop::sample::select(vec!["a", "b", "x.a", "c.d", "localhost", ""]),
        path in prop::sample::select(vec!["/", "/x", "/x/y"]),
    ) {
        let routers: Vec<Router> = rules
            .into_iter()
            .enumerate()
            .map(|(number, (rule, priority))| {
                router(&format!("r{number}"), &Rule(rule).to_string(), priority)
            })
            .collect();
        let headers = HeaderMap::new();
        let target = Target {
            host,
            path,
            query: "",
            method: "GET",
            headers: &headers,
            peer: std::net::IpAddr::from([192, 0, 2, 7]),
        };
        let naive = routers
            .iter()
            .filter(|router| router.rule.matches(&target))
            .max_by(|left, right| {
                let priority = left.priority.cmp(&right.priority);
                priority.then_with(|| right.full_name.cmp(&left.full_name))
            })
            .map(|router| router.full_name.to_string());
        let table = Table::compile(routers).expect("compiles");
        prop_assert_eq!(find(&table, "web", host, path), naive);
    }
}
