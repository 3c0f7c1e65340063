//! The order by instant-acme: it tries again after a refused nonce, binds external accounts, hears when
//! an authority wants a certificate renewed (RFC 9773) and tells it which one is replaced.

mod keys;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error,
    Identifier, NewOrder, OrderStatus, RetryPolicy,
};

use super::{
    account::Accounts,
    challenges::{Challenges, Open},
    issuer::{Failure, Order, Suggestion},
};
use crate::{config::Challenge, tls::certificate::Certificate};

/// How long the authority may take to look at the host, and to sign. Its own `Retry-After` is followed
/// within that.
const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_secs(1))
    .backoff(1.5)
    .timeout(Duration::from_mins(2));
/// How long an authority is not asked again about a renewal, at least.
const ASK_AFTER: Duration = Duration::from_hours(6);

/// Orders by instant-acme.
pub(super) struct Thorough {
    pub(super) accounts: Arc<Accounts>,
    pub(super) challenges: Challenges,
}

impl Thorough {
    /// Orders one certificate; the key and the chain as PEM.
    pub(super) async fn order(&self, order: &Order) -> Result<Vec<u8>, Failure> {
        match self.attempt(order).await {
            // The one it replaces has been replaced already, or the authority has forgotten it.
            Err(error)
                if order.replaces.is_some()
                    && (is_kind(&error, "alreadyReplaced") || is_kind(&error, "malformed")) =>
            {
                let plain = Order {
                    replaces: None,
                    ..order.clone()
                };
                self.attempt(&plain).await
            }
            outcome => outcome,
        }
        .map_err(|attempt| match attempt {
            Attempt::Account(failure) => failure,
            Attempt::Order(error) => failure(&error, self.accounts.http.take_wish()),
            Attempt::Ours(reason) => Failure::Refused(reason),
        })
    }

    /// When the authority would like `certificate` to be renewed.
    pub(super) async fn suggestion(&self, certificate: &Certificate) -> Option<Suggestion> {
        let account = self.accounts.account().await.ok()?;
        let first = certificate.key.cert.first()?;
        let identifier = CertificateIdentifier::try_from(first).ok()?;
        let (info, ask_after) = account
            .renewal_info(&identifier)
            .await
            .inspect_err(|error| tracing::debug!(%error, "no renewal information"))
            .ok()?;
        let window = info.suggested_window;
        Some(Suggestion {
            start_ms: window.start.unix_timestamp().saturating_mul(1_000),
            end_ms: window.end.unix_timestamp().saturating_mul(1_000),
            ask_after: ask_after.max(ASK_AFTER),
        })
    }

    async fn attempt(&self, order: &Order) -> Result<Vec<u8>, Attempt> {
        let account = self.accounts.account().await.map_err(Attempt::Account)?;
        match self.run(&account, order).await {
            Err(error) if is_kind(&error, "accountDoesNotExist") => {
                self.accounts.forget(account.id()).await;
                let account = self.accounts.account().await.map_err(Attempt::Account)?;
                self.run(&account, order).await
            }
            outcome => outcome,
        }
    }

    async fn run(&self, account: &Account, order: &Order) -> Result<Vec<u8>, Attempt> {
        let identifiers = [Identifier::Dns(order.host.clone())];
        let mut new = NewOrder::new(&identifiers);
        if let Some(replaced) = &order.replaces
            && let Some(first) = replaced.key.cert.first()
            && let Ok(identifier) = CertificateIdentifier::try_from(first)
        {
            new = new.replaces(identifier);
        }
        let mut running = account.new_order(&new).await?;
        let mut open = Vec::new();
        let mut authorizations = running.authorizations();
        while let Some(authorization) = authorizations.next().await {
            open.extend(self.prove(authorization?, order).await?);
        }
        let status = running.poll_ready(&PATIENCE).await;
        if !matches!(status, Ok(OrderStatus::Ready)) {
            // The order only says that it failed; the challenge says why.
            let mut authorizations = running.authorizations();
            while let Some(authorization) = authorizations.next().await {
                let mut authorization = authorization?;
                let state = authorization.refresh().await?;
                if let Some(problem) = state.challenges.iter().find_map(|it| it.error.clone()) {
                    return Err(Error::Api(problem).into());
                }
            }
            status?;
            let reason = "the authority gave the order up without a reason";
            return Err(Attempt::Ours(reason.to_owned()));
        }
        drop(open);
        let (key, request) =
            keys::request(&order.host).map_err(|error| Attempt::Ours(error.to_string()))?;
        running.finalize_csr(&request).await?;
        let chain = running.poll_certificate(&PATIENCE).await?;
        Ok(format!("{key}\n{chain}").into_bytes())
    }

    /// Opens the challenge of an authorization and tells the authority to look.
    async fn prove(
        &self,
        mut authorization: AuthorizationHandle<'_>,
        order: &Order,
    ) -> Result<Option<Open>, Attempt> {
        if authorization.status == AuthorizationStatus::Valid {
            return Ok(None);
        }
        let way = match order.challenge {
            Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
            Challenge::Http01 => ChallengeType::Http01,
        };
        let Some(mut challenge) = authorization.challenge(way) else {
            return Err(Attempt::Ours(format!(
                "the authority does not offer {:?} for this host",
                order.challenge
            )));
        };
        let answer = challenge.key_authorization();
        let open = match order.challenge {
            Challenge::Http01 => self
                .challenges
                .open_token(&challenge.token, answer.as_str().to_owned()),
            Challenge::TlsAlpn01 => {
                let key = keys::validation(&order.host, answer.digest().as_ref())
                    .map_err(|error| Attempt::Ours(error.to_string()))?;
                self.challenges.open_certificate(&order.host, Arc::new(key))
            }
        };
        challenge.set_ready().await?;
        Ok(Some(open))
    }
}

/// Why an attempt failed.
enum Attempt {
    Account(Failure),
    Order(Error),
    Ours(String),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Order(error)
    }
}

fn is_kind(attempt: &Attempt, kind: &str) -> bool {
    let Attempt::Order(Error::Api(problem)) = attempt else {
        return false;
    };
    problem
        .r#type
        .as_ref()
        .is_some_and(|found| found.ends_with(kind))
}

/// The failure that an error of instant-acme means.
pub(super) fn failure(error: &Error, wish: Option<Duration>) -> Failure {
    match error {
        Error::Api(problem) => {
            let kind = problem.r#type.as_deref().unwrap_or_default();
            let detail = problem.detail.as_deref().unwrap_or("it gives no reason");
            let detail = problem
                .subproblems
                .iter()
                .fold(detail.to_owned(), |detail, more| {
                    format!("{detail}; {more}")
                });
            Failure::of_problem(kind, &detail, wish)
        }
        Error::Unsupported(what) => Failure::Refused(format!("the authority lacks {what}")),
        error => {
            let mut reason = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(deeper) = cause {
                reason = format!("{reason}: {deeper}");
                cause = deeper.source();
            }
            Failure::Broken(reason)
        }
    }
}
