//! What is done for one host: an order, and what follows from how it ended.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    super::{
        Attempts, Host,
        issuer::{Failure, Order},
        limits, probe, schedule,
    },
    Inner,
};
use crate::tls::certificate::Certificate;

/// How long to wait when a host does not reach this machine. No authority was asked, so this need not
/// grow.
const PROBE_PAUSE: Duration = Duration::from_mins(2);
/// How long to leave an authority alone that names its limits and no time.
const LIMIT_PAUSE: Duration = Duration::from_hours(1);
/// How long a host with a new certificate orders no other.
const SETTLE: Duration = Duration::from_hours(1);

impl Inner {
    /// Orders a certificate.
    pub(super) async fn order(&self, name: &str, host: &Host) {
        // A host that had a certificate has reached this machine before.
        if self.acme.settings.probe
            && host.certificate.is_none()
            && let Err(reason) = probe::probe(name, &self.acme.challenges, &self.random).await
        {
            tracing::warn!(host = name, reason, "no certificate was ordered");
            let until_ms = self.clock.now_ms() + milliseconds(PROBE_PAUSE);
            return self.acme.update(name, |host| {
                host.attempts.last_error = Some(reason);
                host.attempts.not_before_ms = until_ms;
            });
        }
        let ways = &self.acme.settings.challenges;
        let turn = usize::try_from(host.attempts.failures).unwrap_or(0) % ways.len();
        let order = Order {
            host: name.to_owned(),
            challenge: ways[turn],
            replaces: host.certificate.clone().filter(|_| host.suggested),
        };
        let ordered = self.issuer.order(&order).await;
        match ordered.and_then(|pem| checked(name, pem)) {
            Ok((certificate, pem)) => self.succeeded(name, certificate, pem).await,
            Err(failure) => self.failed(name, failure).await,
        }
    }

    async fn succeeded(&self, name: &str, certificate: Certificate, pem: Vec<u8>) {
        let attempts = Attempts {
            not_before_ms: self.clock.now_ms().saturating_add(settle_ms(&certificate)),
            ..Attempts::default()
        };
        let (store, host, noted) = (self.acme.store.clone(), name.to_owned(), attempts.clone());
        let kept = tokio::task::spawn_blocking(move || {
            store.keep_certificate(&host, &pem)?;
            store.keep_attempts(&host, &noted)
        });
        // What cannot be kept is shown all the same, until the next start.
        match kept.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error, "a certificate cannot be kept"),
            Err(error) => tracing::error!(%error, "a certificate cannot be kept"),
        }
        let until = certificate.facts.not_after.map(|until| until.to_string());
        tracing::info!(host = name, not_after = until, "got a certificate");
        metrics::counter!("mito_gateway_orders_total", "outcome" => "issued").increment(1);
        let draw = self.draw();
        self.acme.update(name, |host| {
            host.adopt(certificate, draw);
            host.attempts = attempts;
        });
    }

    /// Notes that there is none, and until when not to ask again.
    pub(super) async fn failed(&self, name: &str, failure: Failure) {
        metrics::counter!("mito_gateway_orders_total", "outcome" => "failed").increment(1);
        let Some(host) = self.acme.hosts().remove(name) else {
            return;
        };
        let now_ms = self.clock.now_ms();
        let wish = self.wish(&failure);
        let failures = host.attempts.failures.saturating_add(1);
        let pause = schedule::pause(failures, wish, self.draw());
        if let (Failure::Limited { reason, .. }, Some(wish)) = (&failure, wish)
            && !limits::concerns_one_host(reason)
        {
            let until_ms = now_ms.saturating_add(milliseconds(wish));
            self.not_before_ms.fetch_max(until_ms, Ordering::Relaxed);
        }
        let reason = failure.to_string();
        let pause_s = pause.as_secs();
        tracing::warn!(
            host = name,
            reason,
            pause_s,
            "a certificate could not be had"
        );
        let attempts = Attempts {
            failures,
            not_before_ms: now_ms.saturating_add(milliseconds(pause)),
            last_error: Some(reason),
        };
        // Who ends mito now, and starts it again, must find the failure noted.
        let (store, noted) = (self.acme.store.clone(), attempts.clone());
        let owned = name.to_owned();
        let kept = tokio::task::spawn_blocking(move || store.keep_attempts(&owned, &noted));
        if let Ok(Err(error)) = kept.await {
            tracing::error!(error, "a failed order cannot be noted");
        }
        self.acme.update(name, |host| host.attempts = attempts);
    }

    /// Hears from the authority when it wants the certificate renewed.
    pub(super) async fn ask(&self, name: &str, host: &Host) {
        let Some(certificate) = &host.certificate else {
            return;
        };
        let suggestion = self.issuer.suggestion(certificate).await;
        let (now_ms, draw) = (self.clock.now_ms(), self.draw());
        self.acme.update(name, |host| match suggestion {
            Some(suggestion) => {
                let at_ms = schedule::within(suggestion.start_ms, suggestion.end_ms, draw);
                host.ask_at_ms = now_ms.saturating_add(milliseconds(suggestion.ask_after));
                // The window stays the same from answer to answer, so the draw stays, too, unless the
                // authority has moved it.
                let still = (suggestion.start_ms..=suggestion.end_ms).contains(&host.renew_at_ms);
                if !host.suggested || !still {
                    host.renew_at_ms = at_ms;
                }
                host.suggested = true;
            }
            None => {
                host.ask_at_ms = now_ms.saturating_add(milliseconds(schedule::ASK_AGAIN));
            }
        });
    }

    fn wish(&self, failure: &Failure) -> Option<Duration> {
        let Failure::Limited {
            reason,
            retry_after,
        } = failure
        else {
            return None;
        };
        let said = || {
            let until_ms = limits::said_until_ms(reason)?;
            let wish_ms = until_ms.saturating_sub(self.clock.now_ms());
            u64::try_from(wish_ms).ok().map(Duration::from_millis)
        };
        Some(retry_after.or_else(said).unwrap_or(LIMIT_PAUSE))
    }

    pub(super) fn draw(&self) -> schedule::Draw {
        schedule::Draw(self.random.bytes::<1>()[0])
    }
}

/// How long a new certificate is left in peace, whatever the authority suggests or a clock says: an
/// error there must not order again and again.
fn settle_ms(certificate: &Certificate) -> i64 {
    let facts = &certificate.facts;
    let lifetime_ms = match (facts.not_before, facts.not_after) {
        (Some(from), Some(until)) => until.as_millisecond() - from.as_millisecond(),
        _ => 0,
    };
    milliseconds(SETTLE).min(lifetime_ms.max(0) / 2)
}

/// A certificate that was not ordered, or without its key, is none.
fn checked(host: &str, pem: Vec<u8>) -> Result<(Certificate, Vec<u8>), Failure> {
    let certificate = Certificate::from_pem(&pem, &pem)
        .map_err(|reason| Failure::Broken(format!("the authority's certificate: {reason}")))?;
    if !certificate.covers(host) {
        let names = certificate.facts.sans.join(", ");
        let reason = format!("the authority's certificate is for {names} and not for {host}");
        return Err(Failure::Refused(reason));
    }
    Ok((certificate, pem))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
