//! The certificates, in the shape of Traefik's API, with what Traefik does not show: hosts that wait
//! for one, why, and until when.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Extracted},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use ts_rs::TS;

use super::{message, views::Counts};
use crate::{
    state::State,
    tls::{Listed, certificate::Facts},
};

/// A certificate with less left of its life than one part in this many should have been renewed.
const RENEWED_BEFORE: i32 = 6;

/// A certificate, or a host that waits for one.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayCertificate")]
pub(super) struct CertificateView {
    #[serde(flatten)]
    facts: Facts,
    /// `enabled`, `warning`, `expired`, or `disabled` where there is none.
    status: &'static str,
    /// What it is for: a host, or the file that it is in.
    host: String,
    /// `acme` or `file`.
    provider: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<String>,
    /// When it is renewed, or ordered again after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(type = "string | null")]
    next_attempt: Option<Timestamp>,
}

/// Every certificate that is not the local authority's.
pub(super) fn views(state: &State) -> Vec<CertificateView> {
    let now = state.clock.now();
    let listed = state.certificates.list().into_iter();
    listed.map(|listed| view(listed, now)).collect()
}

/// How many there are, and in what state.
pub(super) fn counts(state: &State) -> Counts {
    let views = views(state);
    let with = |status: &[&str]| {
        let found = views.iter().filter(|view| status.contains(&view.status));
        found.count()
    };
    Counts {
        total: views.len(),
        warnings: with(&["warning"]),
        errors: with(&["expired", "disabled"]),
    }
}

/// Orders the certificate of a host now instead of when its last failure allows. For the panel alone:
/// a page elsewhere could have this machine's own browser send it to the loopback entry point.
pub(super) async fn order(
    Extracted(state): Extracted<Arc<State>>,
    Path(host): Path<String>,
) -> Response {
    let known = state
        .certificates
        .acme()
        .is_some_and(|acme| acme.order_now(&host));
    if known {
        return StatusCode::ACCEPTED.into_response();
    }
    let text = format!("no certificate is ordered for {host}");
    message(StatusCode::NOT_FOUND, &text)
}

fn view(listed: Listed, now: Timestamp) -> CertificateView {
    let status = status(&listed, now);
    let waiting = || Facts {
        name: listed.place.clone(),
        common_name: listed.place.clone(),
        sans: vec![listed.place.clone()],
        ..Facts::default()
    };
    CertificateView {
        facts: listed.facts.clone().unwrap_or_else(waiting),
        status,
        host: listed.place.clone(),
        provider: listed.provider,
        error: listed.error.into_iter().collect(),
        next_attempt: listed.next_order,
    }
}

fn status(listed: &Listed, now: Timestamp) -> &'static str {
    let Some(facts) = &listed.facts else {
        // It was not asked for yet, or it was refused.
        return if listed.error.is_some() {
            "disabled"
        } else {
            "warning"
        };
    };
    let (Some(from), Some(until)) = (facts.not_before, facts.not_after) else {
        return "warning";
    };
    let left = until.duration_since(now);
    if left < SignedDuration::ZERO {
        return "expired";
    }
    if listed.error.is_some() || left < until.duration_since(from) / RENEWED_BEFORE {
        return "warning";
    }
    "enabled"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_warns_before_it_expires() {
        let time = |text: &str| text.parse::<Timestamp>().expect(text);
        let check = |now: &str, error: Option<&str>, expected: &str| {
            let listed = Listed {
                facts: Some(Facts {
                    not_before: Some(time("2026-01-01T00:00:00Z")),
                    not_after: Some(time("2026-04-01T00:00:00Z")),
                    ..Facts::default()
                }),
                place: "a.example".to_owned(),
                provider: "acme",
                error: error.map(str::to_owned),
                next_order: None,
            };
            assert_eq!(status(&listed, time(now)), expected, "{now}");
        };
        check("2026-02-01T00:00:00Z", None, "enabled");
        check("2026-02-01T00:00:00Z", Some("refused"), "warning");
        check("2026-03-25T00:00:00Z", None, "warning");
        check("2026-04-02T00:00:00Z", None, "expired");
    }
}
