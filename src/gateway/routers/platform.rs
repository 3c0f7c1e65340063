//! The routers that a platform has without configuration: the host names of the old stack. This is
//! a table of defaults that the composition root passes in; the gateway itself reads it nowhere.

use super::{Middleware, RouterSpec};

/// The roles that answer HTTP, under the names that their containers had.
pub const ROLES: [&str; 5] = ["api", "admin-web", "minio", "minio-console", "mobile-build"];

const PAGE: [Middleware; 2] = [Middleware::SecurityHeaders, Middleware::Compress];
const PANEL_API: [Middleware; 3] = [
    Middleware::RateLimit,
    Middleware::SecurityHeaders,
    Middleware::Compress,
];

/// The routers of the platform on `domain`.
pub fn routers(domain: &str) -> Vec<RouterSpec> {
    let host = |name: &str| format!("Host(`{name}.{domain}`)");
    let any = |names: &[&str]| {
        let hosts: Vec<String> = names.iter().map(|name| host(name)).collect();
        hosts.join(" || ")
    };
    let pages = ["admin", "minio-console", "traefik", "mobile-build"];
    vec![
        router(
            "api",
            host("api"),
            "api",
            &[Middleware::RateLimit, Middleware::SecurityHeaders],
        ),
        router(
            "admin",
            format!("{} || Host(`{domain}`)", host("admin")),
            "admin-web",
            &PAGE,
        ),
        RouterSpec {
            keeps_path: true,
            ..router(
                "minio",
                format!("{} || Host(`*.minio.{domain}`)", host("minio")),
                "minio",
                &[],
            )
        },
        router(
            "minio-console",
            host("minio-console"),
            "minio-console",
            &PAGE,
        ),
        router("traefik", host("traefik"), "admin-web", &PAGE),
        router(
            "traefik-api",
            format!("{} && ({GATEWAY_PATHS})", host("traefik")),
            "api@internal",
            &[Middleware::SecurityHeaders],
        ),
        router("mobile-build", host("mobile-build"), "admin-web", &PAGE),
        router(
            "mobile-build-api",
            format!(
                "{} && (PathPrefix(`/api/`) || Path(`/status`))",
                host("mobile-build")
            ),
            "mobile-build",
            &[Middleware::SecurityHeaders],
        ),
        router(
            "panel",
            format!(
                "({} || Host(`{domain}`)) && PathPrefix(`/_mito/api/`)",
                any(&pages)
            ),
            "api",
            &PANEL_API,
        ),
        local(
            "panel-local",
            "PathPrefix(`/_mito/api/`)",
            "api",
            &PANEL_API,
        ),
        local("dashboard", "PathPrefix(`/`)", "admin-web", &PAGE),
    ]
}

/// What the gateway itself answers on its dashboard's host.
const GATEWAY_PATHS: &str = "PathPrefix(`/api/`) || Path(`/ping`) || Path(`/metrics`)";

fn router(name: &str, rule: String, service: &str, middlewares: &[Middleware]) -> RouterSpec {
    RouterSpec {
        name: name.to_owned(),
        provider: "mito",
        rule,
        service: service.to_owned(),
        priority: 0,
        middlewares: middlewares.to_vec(),
        entrypoints: Vec::new(),
        named: Vec::new(),
        tls: false,
        tls_options: String::new(),
        keeps_path: false,
    }
}

/// A router of the entry point `traefik`, which any name of this machine reaches.
fn local(name: &str, rule: &str, service: &str, middlewares: &[Middleware]) -> RouterSpec {
    RouterSpec {
        entrypoints: vec!["traefik".to_owned()],
        ..router(name, rule.to_owned(), service, middlewares)
    }
}
