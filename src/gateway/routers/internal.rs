//! The gateway's own routers, named as Traefik's are.

use super::{Middleware, RouterSpec};

/// The routers of the entry point `traefik`, and those of `web` when plain HTTP is redirected.
pub(crate) fn routers(redirect_to_https: bool) -> Vec<RouterSpec> {
    let mut routers = vec![
        on(
            "traefik",
            "api",
            "PathPrefix(`/api`)",
            "api@internal",
            i64::MAX - 1,
        ),
        on(
            "traefik",
            "ping",
            "PathPrefix(`/ping`)",
            "ping@internal",
            i64::MAX,
        ),
        on(
            "traefik",
            "prometheus",
            "PathPrefix(`/metrics`)",
            "prometheus@internal",
            i64::MAX,
        ),
    ];
    if redirect_to_https {
        let challenges = "PathPrefix(`/.well-known/acme-challenge/`)";
        routers.push(on(
            "web",
            "acme-http",
            challenges,
            "acme-http@internal",
            i64::MAX,
        ));
        let redirect = on(
            "web",
            "web-to-websecure",
            "Host(`*`)",
            "noop@internal",
            i64::MAX - 1,
        );
        routers.push(RouterSpec {
            middlewares: vec![Middleware::RedirectToHttps],
            ..redirect
        });
    }
    routers
}

fn on(entrypoint: &str, name: &str, rule: &str, service: &str, priority: i64) -> RouterSpec {
    let api = matches!(service, "api@internal" | "prometheus@internal");
    RouterSpec {
        name: name.to_owned(),
        provider: "internal",
        rule: rule.to_owned(),
        service: service.to_owned(),
        priority,
        middlewares: if api {
            vec![Middleware::SecurityHeaders]
        } else {
            Vec::new()
        },
        entrypoints: vec![entrypoint.to_owned()],
        named: Vec::new(),
        tls: false,
        tls_options: String::new(),
        keeps_path: false,
    }
}
