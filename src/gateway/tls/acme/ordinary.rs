//! The usual order, by rustls-acme. Its state is a stream that would order and renew for ever; here it
//! is made for one order, followed until that has ended, and dropped.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use rustls_acme::{
    AccountCache, AcmeConfig, AcmeState, CertCache, EventError, EventOk, OrderError, UseChallenge,
};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    account::Accounts,
    challenges::Challenges,
    issuer::{Failure, Order},
    settings::Settings,
};
use crate::config::Challenge;

/// How long an order may take. rustls-acme itself waits up to 31 s for a validation.
const ORDER_TIMEOUT: Duration = Duration::from_mins(3);

/// Orders by rustls-acme.
pub(super) struct Ordinary {
    pub(super) settings: Settings,
    pub(super) accounts: Arc<Accounts>,
    pub(super) challenges: Challenges,
}

/// Where an order leaves its certificate. The store takes it from there once it has been checked, so
/// rustls-acme never finds an old one and orders at once.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<Vec<u8>>>>);

/// The account that both clients use, made before the order.
struct Account(Vec<u8>);

impl Ordinary {
    /// Orders one certificate; the key and the chain as PEM.
    pub(super) async fn order(&self, order: &Order) -> Result<Vec<u8>, Failure> {
        let key = self.accounts.key().await?;
        let kept = Kept::default();
        let way = match order.challenge {
            Challenge::TlsAlpn01 => UseChallenge::TlsAlpn01,
            Challenge::Http01 => UseChallenge::Http01,
        };
        let tls = self.settings.tls.clone();
        let state = AcmeConfig::new_with_client_config([&order.host], tls)
            .directory(&self.settings.directory)
            .contact(&self.settings.contact)
            .challenge_type(way)
            .cache_compose(kept.clone(), Account(key))
            .state();
        let _open = self.challenges.open_order(&order.host, state.resolver());
        match tokio::time::timeout(ORDER_TIMEOUT, follow(state, &kept)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Broken(format!(
                "the order took longer than {} s",
                ORDER_TIMEOUT.as_secs()
            ))),
        }
    }
}

/// Follows a state until its first order has ended.
async fn follow(
    mut state: AcmeState<Infallible, Infallible>,
    kept: &Kept,
) -> Result<Vec<u8>, Failure> {
    while let Some(event) = state.next().await {
        match event {
            Ok(EventOk::CertCacheStore) => break,
            Ok(_) => {}
            Err(EventError::Order(error)) => return Err(failure(&error)),
            Err(error) => return Err(Failure::Broken(error.to_string())),
        }
    }
    let certificate = kept.0.lock().await.take();
    certificate.ok_or_else(|| Failure::Broken("the order ended without a certificate".to_owned()))
}

fn failure(error: &OrderError) -> Failure {
    match error {
        OrderError::BadAuth(authorization) => {
            let detail = authorization
                .challenges
                .iter()
                .filter_map(|challenge| challenge.error.as_ref())
                .find_map(|problem| problem.detail.clone());
            Failure::Refused(format!(
                "the authority could not see that the host is ours: {}",
                detail.unwrap_or_else(|| format!("{:?}", authorization.status))
            ))
        }
        OrderError::BadOrder(order) => {
            let detail = order.error.as_ref().and_then(|error| error.detail.clone());
            let detail = detail.unwrap_or_else(|| "it gives no reason".to_owned());
            Failure::Refused(format!("the authority refused the order: {detail}"))
        }
        OrderError::TooManyAttemptsAuth(_) => Failure::Refused(
            "the authority has not looked whether the host is ours within 31 s".to_owned(),
        ),
        error => of_answer(&error.to_string()),
    }
}

/// The failure in an answer of the authority. The type that holds it is private to rustls-acme, which
/// prints it as `… http status: 429 "{…}"`.
fn of_answer(text: &str) -> Failure {
    #[derive(Deserialize)]
    struct Problem {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        detail: String,
    }
    let quoted = text.find('"').map(|start| &text[start..]);
    let problem = quoted
        .and_then(|quoted| serde_json::from_str::<String>(quoted).ok())
        .and_then(|body| serde_json::from_str::<Problem>(&body).ok());
    match problem {
        Some(problem) => Failure::of_problem(&problem.kind, &problem.detail, None),
        None => Failure::Broken(text.to_owned()),
    }
}

#[async_trait]
impl CertCache for Kept {
    type EC = Infallible;

    async fn load_cert(&self, _: &[String], _: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }

    async fn store_cert(&self, _: &[String], _: &str, pem: &[u8]) -> Result<(), Infallible> {
        *self.0.lock().await = Some(pem.to_vec());
        Ok(())
    }
}

#[async_trait]
impl AccountCache for Account {
    type EA = Infallible;

    async fn load_account(&self, _: &[String], _: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(Some(self.0.clone()))
    }

    async fn store_account(&self, _: &[String], _: &str, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_authority_is_found_in_what_is_printed() {
        let printed = |kind: &str| {
            let body =
                format!(r#"{{"type":"urn:ietf:params:acme:error:{kind}","detail":"a \"b\""}}"#);
            of_answer(&format!(
                "acme error: http request error: non 2xx http status: 400 {body:?}"
            ))
        };
        assert!(matches!(printed("badNonce"), Failure::Broken(_)));
        assert_eq!(
            printed("rateLimited"),
            Failure::Limited {
                reason: "a \"b\"".to_owned(),
                retry_after: None
            }
        );
        assert!(matches!(printed("rejectedIdentifier"), Failure::Refused(_)));
        let other = "io error: \"refused\"";
        assert_eq!(of_answer(other), Failure::Broken(other.to_owned()));
    }
}
