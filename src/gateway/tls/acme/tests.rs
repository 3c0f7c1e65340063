//! The keeper against an authority of the test, on a clock that the test moves.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use mito_core::{Clock, Random, Shutdown};
use rcgen::{CertificateParams, KeyPair};
use tokio::task::JoinSet;

use super::{
    Acme, Host, Keeper,
    issuer::{Failure, Issuer, Order, Suggestion},
};
use crate::{
    config::{self, Challenge},
    tls::certificate::Certificate,
};

const DAY: Duration = Duration::from_hours(24);
/// 2026-01-01.
const START_MS: i64 = 1_767_225_600_000;

/// An authority that certifies for 90 days, unless it is told to fail.
struct Authority {
    clock: Clock,
    failures: Mutex<HashMap<String, Failure>>,
    suggestion: Mutex<Option<Suggestion>>,
    orders: Mutex<Vec<Order>>,
}

#[async_trait]
impl Issuer for Authority {
    async fn order(&self, order: &Order) -> Result<Vec<u8>, Failure> {
        self.orders.lock().expect("orders").push(order.clone());
        if let Some(failure) = self.failures.lock().expect("failures").get(&order.host) {
            return Err(failure.clone());
        }
        Ok(certify(&order.host, self.clock.now_ms(), 90 * DAY))
    }

    async fn suggestion(&self, _: &Certificate) -> Option<Suggestion> {
        *self.suggestion.lock().expect("a suggestion")
    }
}

fn certify(host: &str, from_ms: i64, lifetime: Duration) -> Vec<u8> {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    let from = Duration::from_millis(u64::try_from(from_ms).expect("after 1970"));
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + from;
    params.not_after = params.not_before + lifetime;
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    format!("{}{}", key.serialize_pem(), certificate.pem()).into_bytes()
}

/// A keeper that runs.
struct Test {
    acme: Arc<Acme>,
    authority: Arc<Authority>,
    clock: Clock,
    shutdown: Shutdown,
    running: JoinSet<()>,
}

impl Test {
    fn start(data: &Path, clock: &Clock, hosts: &[&str], failing: &[(&str, Failure)]) -> Self {
        let config = config::Acme {
            email: "a@b.example".to_owned(),
            ca_server: "https://ca.example/dir".to_owned(),
            self_probe: false,
            ..config::Acme::default()
        };
        let acme = Acme::new(&config, data, "b.example").expect("a configuration");
        let acme = Arc::new(acme.expect("a real domain with an address"));
        let failures = failing
            .iter()
            .map(|(host, failure)| ((*host).to_owned(), failure.clone()));
        let authority = Arc::new(Authority {
            clock: clock.clone(),
            failures: Mutex::new(failures.collect()),
            suggestion: Mutex::default(),
            orders: Mutex::default(),
        });
        let wanted: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let keeper = Keeper::with_issuer(
            acme.clone(),
            authority.clone(),
            move || wanted.clone(),
            clock.clone(),
            Random::seeded(7),
        );
        let shutdown = Shutdown::new();
        let mut running = JoinSet::new();
        let ending = shutdown.clone();
        running.spawn(async move { keeper.run(ending).await });
        Self {
            acme,
            authority,
            clock: clock.clone(),
            shutdown,
            running,
        }
    }

    fn host(&self, name: &str) -> Host {
        self.acme.hosts().remove(name).unwrap_or_default()
    }

    fn orders(&self, host: &str) -> Vec<Order> {
        let orders = self.authority.orders.lock().expect("orders");
        let of_host = orders.iter().filter(|order| order.host == host);
        of_host.cloned().collect()
    }

    async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if condition(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("not {what}");
    }

    async fn stop(mut self) {
        self.shutdown.begin();
        self.running
            .join_next()
            .await
            .expect("it ran")
            .expect("it ended");
    }
}

#[tokio::test]
async fn a_host_that_is_refused_holds_up_no_other_and_is_asked_for_less_and_less() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(START_MS);
    let refused = Failure::Refused("no such name".to_owned());
    let hosts = ["bad.b.example", "c.b.example", "d.b.example"];
    let test = Test::start(
        data.path(),
        &clock,
        &hosts,
        &[("bad.b.example", refused.clone())],
    );
    let had = |test: &Test, host: &str| test.host(host).certificate.is_some();
    test.until("certified", |it| {
        had(it, "c.b.example") && had(it, "d.b.example")
    })
    .await;
    test.until("refused", |it| {
        it.host("bad.b.example").attempts.failures == 1
    })
    .await;
    let error = test.host("bad.b.example").attempts.last_error;
    assert_eq!(error.as_deref(), Some("no such name"));
    clock.advance(Duration::from_mins(2));
    test.until("asked again", |it| {
        it.host("bad.b.example").attempts.failures == 2
    })
    .await;
    let ways: Vec<Challenge> = test
        .orders("bad.b.example")
        .iter()
        .map(|it| it.challenge)
        .collect();
    assert_eq!(ways, [Challenge::TlsAlpn01, Challenge::Http01]);
    test.stop().await;

    // A restart neither orders again what is there nor forgets to wait.
    let test = Test::start(data.path(), &clock, &hosts, &[]);
    test.until("read", |it| had(it, "c.b.example")).await;
    assert_eq!(test.host("bad.b.example").attempts.failures, 2);
    assert!(test.orders("c.b.example").is_empty());
    assert!(test.orders("bad.b.example").is_empty());
    assert!(!test.acme.order_now("other.b.example"));
    clock.advance(Duration::from_mins(15));
    test.until("certified in the end", |it| had(it, "bad.b.example"))
        .await;
    assert_eq!(test.host("bad.b.example").attempts.last_error, None);
    test.stop().await;
}

#[tokio::test]
async fn certificates_are_renewed_in_their_last_third() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(START_MS);
    let test = Test::start(data.path(), &clock, &["c.b.example"], &[]);
    test.until("certified", |it| {
        it.host("c.b.example").certificate.is_some()
    })
    .await;
    let serial = |test: &Test| {
        let certificate = test.host("c.b.example").certificate;
        certificate.map(|it| it.facts.serial_number.clone())
    };
    let first = serial(&test);
    clock.advance(50 * DAY);
    tokio::task::yield_now().await;
    assert_eq!(serial(&test), first);
    clock.advance(10 * DAY);
    test.until("renewed", |it| serial(it) != first).await;
    test.stop().await;
}

#[tokio::test]
async fn the_authority_may_say_when_to_renew() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(START_MS);
    let test = Test::start(data.path(), &clock, &["c.b.example"], &[]);
    let start_ms = START_MS + 86_400_000;
    *test.authority.suggestion.lock().expect("a suggestion") = Some(Suggestion {
        start_ms,
        end_ms: start_ms + 3_600_000,
        ask_after: Duration::from_hours(6),
    });
    // The first answer may have been given before the suggestion was made.
    test.until("certified", |it| {
        it.host("c.b.example").certificate.is_some()
    })
    .await;
    clock.advance(DAY);
    test.until("told", |it| it.host("c.b.example").suggested)
        .await;
    clock.advance(Duration::from_hours(1));
    test.until("renewed", |it| it.orders("c.b.example").len() == 2)
        .await;
    assert!(test.orders("c.b.example")[1].replaces.is_some());
    test.stop().await;
}

#[tokio::test]
async fn a_limit_of_the_account_stops_every_order() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(START_MS);
    let reason = "too many new orders (300) from this account in the last 3h0m0s, retry after \
                  2026-01-01 03:00:00 UTC: see the documentation";
    let limited = Failure::Limited {
        reason: reason.to_owned(),
        retry_after: None,
    };
    let test = Test::start(
        data.path(),
        &clock,
        &["c.b.example"],
        &[("c.b.example", limited)],
    );
    test.until("limited", |it| {
        it.host("c.b.example").attempts.failures == 1
    })
    .await;
    let until_ms = test.host("c.b.example").attempts.not_before_ms;
    assert!(until_ms >= START_MS + 3 * 3_600_000, "{until_ms}");
    assert!(until_ms < START_MS + 4 * 3_600_000, "{until_ms}");
    test.authority.failures.lock().expect("failures").clear();
    // Somebody who cannot wait is held to the limit, too.
    assert!(test.acme.order_now("c.b.example"));
    tokio::task::yield_now().await;
    assert_eq!(test.orders("c.b.example").len(), 1);
    test.clock.advance(Duration::from_hours(4));
    test.until("certified", |it| {
        it.host("c.b.example").certificate.is_some()
    })
    .await;
    test.stop().await;
}

#[tokio::test]
async fn an_operator_need_not_wait() {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(START_MS);
    let refused = Failure::Refused("no such name".to_owned());
    let hosts = ["c.b.example"];
    let test = Test::start(data.path(), &clock, &hosts, &[("c.b.example", refused)]);
    test.until("refused", |it| {
        it.host("c.b.example").attempts.failures == 1
    })
    .await;
    test.authority.failures.lock().expect("failures").clear();
    assert!(test.acme.order_now("c.b.example"));
    test.until("certified", |it| {
        it.host("c.b.example").certificate.is_some()
    })
    .await;
    test.stop().await;
}

#[test]
fn a_local_domain_or_one_without_an_address_orders_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let check = |domain: &str, email: &str, terms_agreed: bool, on: bool| {
        let config = config::Acme {
            email: email.to_owned(),
            terms_agreed,
            ..config::Acme::default()
        };
        let acme = Acme::new(&config, data.path(), domain).expect("a configuration");
        assert_eq!(acme.is_some(), on, "{domain} {email:?} {terms_agreed}");
    };
    check("localhost", "a@b.example", true, false);
    check("b.example", "", false, false);
    check("b.example", "a@b.example", false, true);
    check("b.example", "", true, true);
}
