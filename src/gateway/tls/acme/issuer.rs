//! What an order is and how it can end, whoever drives it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{ordinary::Ordinary, thorough::Thorough};
use crate::{config::Challenge, tls::certificate::Certificate};

/// An order of one certificate for one host.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) host: String,
    pub(super) challenge: Challenge,
    /// The certificate that the authority wants to know replaced (RFC 9773 §5).
    pub(super) replaces: Option<Arc<Certificate>>,
}

/// When an authority would like a certificate to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// When it is to be asked again.
    pub(super) ask_after: Duration,
}

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The authority said no, or could not see that the host is ours. Trying again at once would only
    /// be counted.
    #[error("{0}")]
    Refused(String),
    /// The authority has had enough orders for now.
    #[error("the limits of the authority are reached: {reason}")]
    Limited {
        /// What it said.
        reason: String,
        /// How long it wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// The exchange failed on the way: another attempt or another client may well succeed.
    #[error("{0}")]
    Broken(String),
}

/// Gets certificates from an authority.
#[async_trait]
pub(super) trait Issuer: Send + Sync {
    /// Orders one certificate; the chain and its key as PEM.
    async fn order(&self, order: &Order) -> Result<Vec<u8>, Failure>;

    /// When the authority would like `certificate` to be renewed, if it says such things.
    async fn suggestion(&self, certificate: &Certificate) -> Option<Suggestion>;
}

/// rustls-acme first, and instant-acme for what that cannot do or does not get through.
pub(super) struct Both {
    pub(super) ordinary: Ordinary,
    pub(super) thorough: Thorough,
    /// The authority wants an account that was made elsewhere.
    pub(super) external: bool,
}

#[async_trait]
impl Issuer for Both {
    async fn order(&self, order: &Order) -> Result<Vec<u8>, Failure> {
        if self.external || order.replaces.is_some() {
            return self.thorough.order(order).await;
        }
        match self.ordinary.order(order).await {
            Err(Failure::Broken(reason)) => {
                tracing::debug!(
                    host = order.host,
                    reason,
                    "another client takes the order over"
                );
                self.thorough.order(order).await
            }
            outcome => outcome,
        }
    }

    async fn suggestion(&self, certificate: &Certificate) -> Option<Suggestion> {
        self.thorough.suggestion(certificate).await
    }
}

impl Failure {
    /// The failure that a problem document of the authority means (RFC 8555 §6.7).
    pub(super) fn of_problem(kind: &str, detail: &str, retry_after: Option<Duration>) -> Self {
        let kind = kind.rsplit(':').next().unwrap_or_default();
        let reason = format!("the authority answered {kind}: {detail}");
        match kind {
            "rateLimited" => Self::Limited {
                reason: detail.to_owned(),
                retry_after,
            },
            // `malformed` comes from servers that have lost the order, too.
            "badNonce"
            | "serverInternal"
            | "accountDoesNotExist"
            | "malformed"
            | "externalAccountRequired"
            | "" => Self::Broken(reason),
            _ => Self::Refused(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_of_the_host_are_final_and_those_of_the_way_are_not() {
        let of = |kind: &str| {
            Failure::of_problem(&format!("urn:ietf:params:acme:error:{kind}"), "why", None)
        };
        assert!(matches!(of("badNonce"), Failure::Broken(_)));
        assert!(matches!(of("serverInternal"), Failure::Broken(_)));
        assert!(matches!(of("rateLimited"), Failure::Limited { .. }));
        for kind in [
            "unauthorized",
            "dns",
            "caa",
            "rejectedIdentifier",
            "connection",
        ] {
            let Failure::Refused(reason) = of(kind) else {
                panic!("{kind}");
            };
            assert!(reason.contains(kind) && reason.contains("why"), "{reason}");
        }
    }
}
