//! Compose files and what becomes of them.

use serde_json::{Value, json};

use super::{Imported, import};
use crate::dynamic::{Format, read};

fn take(text: &str) -> (Value, Imported) {
    let variable = |name: &str| (name == "DOMAIN").then(|| "example.com".to_owned());
    let is_role = |name: &str| name == "api";
    let imported = import(text, &variable, &is_role).unwrap_or_else(|error| panic!("{error}"));
    let yaml = serde_yaml_ng::from_str(&imported.text).expect("it is YAML");
    (yaml, imported)
}

const STACK: &str = r#"
services:
  traefik:
    image: traefik:v3
    ports: ["80:80"]
  api:
    build: .
    labels:
      - "traefik.enable=true"
      - "traefik.http.routers.api.rule=Host(`api.${DOMAIN:-localhost}`)"
      - "traefik.http.routers.api.entrypoints=websecure"
      - "traefik.http.routers.api.tls.certresolver=letsencrypt"
      - "traefik.http.routers.api.tls.domains[0].main=example.com"
      - "traefik.http.routers.api.tls.domains[0].sans=*.example.com, b.example.com"
      - "traefik.http.services.api.loadbalancer.server.port=3000"
  shop:
    ports: ["127.0.0.1:9000:8000"]
    labels:
      traefik.http.routers.shop.rule: PathPrefix(`/shop`)
      traefik.http.routers.shop.priority: 7
      traefik.http.routers.shop.middlewares: strip, limit@docker
      traefik.http.middlewares.strip.stripprefix.prefixes: /shop,/store
      traefik.http.middlewares.limit.ratelimit.average: 100
      traefik.http.middlewares.limit.ratelimit.sourcecriterion.ipstrategy.depth: 1
      traefik.http.middlewares.safe.headers.stsseconds: "60"
      traefik.http.middlewares.safe.headers.customrequestheaders.X-Kind: blue
      traefik.http.services.shop.loadbalancer.sticky.cookie.httponly: "true"
      traefik.http.services.shop.loadbalancer.healthcheck.path: /up
      traefik.docker.network: web
  hidden:
    labels: ["traefik.enable=false", "traefik.http.routers.hidden.rule=Host(`x`)"]
  db:
    image: postgres
"#;

#[test]
fn a_stack_becomes_a_file() {
    let (yaml, imported) = take(STACK);
    let http = &yaml["http"];
    assert_eq!(
        http["routers"]["api"],
        json!({
            "rule": "Host(`api.example.com`)",
            "entryPoints": ["websecure"],
            "service": "api@mito",
            "tls": {
                "certResolver": "letsencrypt",
                "domains": [{"main": "example.com", "sans": ["*.example.com", "b.example.com"]}],
            },
        })
    );
    assert_eq!(
        http["routers"]["shop"],
        json!({
            "rule": "PathPrefix(`/shop`)",
            "priority": 7,
            "middlewares": ["strip", "limit"],
            "service": "shop",
        })
    );
    assert_eq!(
        http["services"],
        json!({"shop": {"loadBalancer": {
            "servers": [{"url": "http://127.0.0.1:9000"}],
            "sticky": {"cookie": {"httpOnly": true}},
            "healthCheck": {"path": "/up"},
        }}})
    );
    let middlewares = &http["middlewares"];
    assert_eq!(
        middlewares["strip"]["stripPrefix"]["prefixes"],
        json!(["/shop", "/store"])
    );
    assert_eq!(
        middlewares["limit"]["rateLimit"]["sourceCriterion"]["ipStrategy"]["depth"],
        1
    );
    assert_eq!(middlewares["safe"]["headers"]["stsSeconds"], 60);
    assert_eq!(
        middlewares["safe"]["headers"]["customRequestHeaders"]["X-Kind"],
        "blue"
    );
    assert!(http["routers"].get("hidden").is_none());
    assert_eq!(imported.routers, 2);
    assert!(
        read::document(&imported.text, Format::Yaml).is_ok(),
        "{imported:?}"
    );
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.contains("the role of that name"))
    );
}

#[test]
fn what_cannot_be_taken_is_told() {
    let (yaml, imported) = take(
        "services:\n  shop:\n    labels:\n      - traefik.http.routers.a.rule=Host(`a`)\n      \
         - traefik.http.routers.a.colour=blue\n      - traefik.tcp.routers.b.rule=x\n      \
         - traefik.http.services.a.loadbalancer.server.port=80\n      \
         - traefik.http.services.b.loadbalancer.server.port=81\n",
    );
    let notes = imported.notes.join("\n");
    for words in [
        "there is no option \"colour\"",
        "tcp is not routed here",
        "names none of its services: a, b",
        "127.0.0.1:80",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert_eq!(
        yaml["http"]["services"]["b"]["loadBalancer"]["servers"][0]["url"],
        "http://127.0.0.1:81"
    );
    let none = import("services: {a: {image: x}}", &|_| None, &|_| false).unwrap_err();
    assert!(none.contains("no container has labels"), "{none}");
    let unset = "services:\n  a:\n    labels: ['traefik.x=${SECRET:?is needed}']\n";
    let unset = import(unset, &|_| None, &|_| false).unwrap_err();
    assert!(unset.contains("SECRET must be set"), "{unset}");
}
