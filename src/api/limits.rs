//! Rate limits: how often a client may call, by the rules in the settings. The client is its
//! address (of IPv6 the /64 network, which is what one household or server gets); administrators are
//! exempt. A rule counts in windows: the count begins anew when a window has passed since the last
//! request that was let through.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::{body::Body, extract::OriginalUri};
use http::{Method, Request, StatusCode};
use mito_records::settings::{RateLimitRule, RateLimits};

use crate::{Api, batch::Asked, caller::Caller, envelope::Envelope};

/// The most clients that are counted; beyond it the ones whose windows have passed go, then others.
const MAX_CLIENTS: usize = 50_000;

/// The counts of all clients.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<HashMap<(String, IpAddr), Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    left: i64,
    /// What the rule allowed when the window began.
    limit: i64,
    /// Seconds since the Unix epoch.
    last: i64,
    duration: i64,
}

impl Window {
    fn has_passed(self, now: i64) -> bool {
        now - self.last >= self.duration
    }
}

impl Counts {
    /// Counts a request; the error is in how many seconds the next one may come.
    fn take(&self, key: (String, IpAddr), rule: &RateLimitRule, now: i64) -> Result<(), u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_CLIENTS && !counts.contains_key(&key) {
            counts.retain(|_, window| !window.has_passed(now));
            // A flood of addresses pushes others out; that forgives requests, it refuses none.
            if counts.len() >= MAX_CLIENTS {
                let mut keep = false;
                counts.retain(|_, _| {
                    keep = !keep;
                    keep
                });
            }
        }
        let fresh = Window {
            left: rule.max_requests,
            limit: rule.max_requests,
            last: now,
            duration: rule.duration,
        };
        let window = counts.entry(key).or_insert(fresh);
        let is_of_rule = window.duration == rule.duration && window.limit == rule.max_requests;
        if window.has_passed(now) || !is_of_rule {
            *window = fresh;
        }
        if window.left > 0 {
            window.left -= 1;
            window.last = now;
            return Ok(());
        }
        Err(u64::try_from(window.last + window.duration - now).unwrap_or(1))
    }
}

/// What a request is called in rules.
#[derive(Debug, Default)]
pub(crate) struct Names {
    collection: Option<String>,
    tags: &'static [&'static str],
    method: String,
    path: String,
}

impl Names {
    /// What a request is called, if it is counted at all.
    pub(crate) fn of(api: &Api, request: &Request<Body>) -> Option<Self> {
        if !api.records.settings().rate_limits.enabled {
            return None;
        }
        let original = request.extensions().get::<OriginalUri>();
        let path = original.map_or_else(|| request.uri().path(), |uri| uri.path());
        let (collection, tags) = tags_of(request.method(), path);
        Some(Self {
            collection: collection.map(str::to_owned),
            tags,
            method: request.method().to_string(),
            path: path.to_owned(),
        })
    }
}

/// Counts one request of a batch.
pub(crate) async fn check_inner(api: &Api, caller: &Caller, asked: &Asked) -> Result<(), Envelope> {
    let Some((collection, id)) = &asked.target else {
        return Ok(());
    };
    let tags: &[&str] = match (asked.method.as_str(), id) {
        ("POST" | "PUT", _) => &["create"],
        ("PATCH", _) => &["update"],
        ("DELETE", _) => &["delete"],
        _ => &[],
    };
    let mut path = format!("/api/collections/{collection}/records");
    if let Some(id) = id {
        path = format!("{path}/{id}");
    }
    let names = Names {
        collection: Some(collection.clone()),
        tags,
        method: asked.method.clone(),
        path,
    };
    check(api, caller, names).await
}

/// Counts a request; refuses it when it comes too soon.
pub(crate) async fn check(api: &Api, caller: &Caller, mut names: Names) -> Result<(), Envelope> {
    let settings = api.records.settings();
    let limits = &settings.rate_limits;
    if !limits.enabled || caller.is_superuser() {
        return Ok(());
    }
    // Without an address there is nobody to count for.
    let Ok(address) = caller.client_ip.parse::<IpAddr>() else {
        return Ok(());
    };
    if limits.excludes(address) {
        return Ok(());
    }
    // Rules name collections, addresses may have their ids.
    if !names.tags.is_empty()
        && let Some(given) = &names.collection
    {
        names.collection = match api.records.collection(given).await {
            Ok(collection) => Some(collection.name),
            Err(_) => None,
        };
    }
    let Some((rule, scope)) = find(limits, &names, caller.identity.is_some()) else {
        return Ok(());
    };
    let key = format!("{}\n{}\n{scope}", rule.label, rule.audience);
    let now = api.clock.now_ms().div_euclid(1_000);
    let counted = api.rate_limits.take((key, network(address)), rule, now);
    counted.map_err(|seconds| {
        metrics::counter!("mito_api_rate_limited_total").increment(1);
        Envelope::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests.").retry_after(seconds)
    })
}

/// The most specific rule that matches, and what it counts apart: `*:create` counts the requests to
/// every collection for themselves.
fn find<'r, 'n>(
    limits: &'r RateLimits,
    names: &'n Names,
    signed_in: bool,
) -> Option<(&'r RateLimitRule, &'n str)> {
    let applies = |rule: &&RateLimitRule| match rule.audience.as_str() {
        "@guest" => !signed_in,
        "@auth" => signed_in,
        _ => true,
    };
    let exact = |label: &str| {
        limits
            .rules
            .iter()
            .filter(applies)
            .find(|rule| rule.label == label)
    };
    if let Some(collection) = &names.collection {
        for scope in [collection.as_str(), "*"] {
            for tag in names.tags {
                if let Some(rule) = exact(&format!("{scope}:{tag}")) {
                    return Some((rule, collection));
                }
            }
        }
    }
    if names.path.is_empty() {
        return None;
    }
    let with_method = format!("{} {}", names.method, names.path);
    for label in [with_method.as_str(), names.path.as_str()] {
        let slashed = format!("{label}/");
        let prefix = || {
            let rules = limits.rules.iter().filter(applies);
            rules
                .filter(|rule| rule.label.ends_with('/') && slashed.starts_with(&rule.label))
                .max_by_key(|rule| rule.label.len())
        };
        if let Some(rule) = exact(label).or_else(prefix) {
            return Some((rule, ""));
        }
    }
    None
}

/// What rules call the requests to a collection: `/api/collections/{collection}/…`.
fn tags_of<'a>(method: &Method, path: &'a str) -> (Option<&'a str>, &'static [&'static str]) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').take(7).collect();
    let (collection, rest) = match parts.as_slice() {
        ["api", "collections", collection, rest @ ..]
        | ["_mito", "api", "collections", collection, rest @ ..] => (*collection, rest),
        ["api", "files", collection, _, ..] => return (Some(collection), &["file"]),
        _ => return (None, &[]),
    };
    let tags: &[&str] = match (method.as_str(), rest) {
        ("GET" | "HEAD", ["records"]) => &["list"],
        ("POST", ["records"]) => &["create"],
        ("GET" | "HEAD", ["records", _]) => &["view"],
        ("PATCH", ["records", _]) => &["update"],
        ("DELETE", ["records", _]) => &["delete"],
        (_, ["auth-methods"]) => &["listAuthMethods"],
        (_, ["auth-with-password"]) => &["authWithPassword", "auth"],
        (_, ["auth-with-oauth2"]) => &["authWithOAuth2", "auth"],
        (_, ["auth-with-otp"]) => &["authWithOTP", "auth"],
        (_, ["auth-refresh"]) => &["authRefresh"],
        (_, ["request-otp"]) => &["requestOTP"],
        (_, ["request-password-reset"]) => &["requestPasswordReset"],
        (_, ["confirm-password-reset"]) => &["confirmPasswordReset"],
        (_, ["request-verification"]) => &["requestVerification"],
        (_, ["confirm-verification"]) => &["confirmVerification"],
        (_, ["request-email-change"]) => &["requestEmailChange"],
        (_, ["confirm-email-change"]) => &["confirmEmailChange"],
        _ => return (None, &[]),
    };
    (Some(collection), tags)
}

/// Who counts as one client.
fn network(address: IpAddr) -> IpAddr {
    const HOST_BITS: u32 = 64;
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> HOST_BITS << HOST_BITS;
            IpAddr::V6(bits.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(label: &str, audience: &str) -> RateLimitRule {
        RateLimitRule {
            label: label.to_owned(),
            audience: audience.to_owned(),
            duration: 10,
            max_requests: 2,
        }
    }

    #[test]
    fn the_most_specific_rule_holds() {
        let limits = RateLimits {
            rules: vec![
                rule("/api/", ""),
                rule("GET /api/collections/", ""),
                rule("*:create", ""),
                rule("posts:create", "@auth"),
                rule("*:auth", ""),
                rule("/api/health", "@guest"),
            ],
            excluded_ips: Vec::new(),
            enabled: true,
        };
        let check = |method: &str, path: &str, signed_in: bool, expected: &str| {
            let method: Method = method.parse().unwrap();
            let (collection, tags) = tags_of(&method, path);
            let names = Names {
                collection: collection.map(str::to_owned),
                tags,
                method: method.to_string(),
                path: path.to_owned(),
            };
            let found = find(&limits, &names, signed_in).map(|(rule, _)| rule.label.as_str());
            assert_eq!(found.unwrap_or_default(), expected, "{method} {path}");
        };
        check(
            "POST",
            "/api/collections/posts/records",
            true,
            "posts:create",
        );
        check("POST", "/api/collections/posts/records", false, "*:create");
        check(
            "GET",
            "/api/collections/posts/records",
            false,
            "GET /api/collections/",
        );
        check("PATCH", "/api/collections/posts/records/1", false, "/api/");
        check("POST", "/api/collections/u/auth-with-otp", false, "*:auth");
        check("POST", "/api/collections/u/auth-refresh", false, "/api/");
        check("GET", "/api/health", false, "/api/health");
        check("GET", "/api/health", true, "/api/");
        check("GET", "/api", true, "/api/");
        check("GET", "/apix", true, "");
    }

    #[test]
    fn windows_begin_after_the_last_request_that_was_let_through() {
        let counts = Counts::default();
        let rule = rule("/api/", "");
        let take = |now: i64, last: u8| {
            let address = IpAddr::from([192, 0, 2, last]);
            counts.take((String::new(), address), &rule, now)
        };
        assert_eq!(take(100, 1), Ok(()));
        assert_eq!(take(103, 1), Ok(()));
        assert_eq!(take(104, 1), Err(9));
        assert_eq!(take(104, 2), Ok(()), "another client");
        assert_eq!(take(112, 1), Err(1));
        assert_eq!(take(113, 1), Ok(()));
    }

    #[test]
    fn clients_are_addresses_or_networks_and_their_number_is_bounded() {
        let same = |one: &str, other: &str| {
            network(one.parse().unwrap()) == network(other.parse().unwrap())
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        let counts = Counts::default();
        let rule = rule("/api/", "");
        for number in 0..200_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            assert_eq!(counts.take((String::new(), address), &rule, 100), Ok(()));
        }
        assert!(counts.0.lock().unwrap().len() <= MAX_CLIENTS);
    }
}
