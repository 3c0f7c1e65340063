//! Challenges that are open: what an authority is shown when it looks whether a host is ours. Each is
//! open as long as its guard lives, so that an order that ends in any way leaves none behind.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    server::{ClientHello, ResolvesServerCert as _},
    sign::CertifiedKey,
};
use rustls_acme::ResolvesServerCertAcme;

/// The protocol of connections that validate (RFC 8737 §4).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";

/// The open challenges. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Challenges(Arc<RwLock<HashMap<Key, Answer>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Token(String),
    Host(String),
    /// An order of rustls-acme, which keeps its own challenge.
    Order(String),
}

enum Answer {
    Text(String),
    Certificate(Arc<CertifiedKey>),
    Resolver(Arc<ResolvesServerCertAcme>),
}

/// Closes its challenge when it is dropped.
#[must_use]
pub(crate) struct Open {
    challenges: Challenges,
    key: Key,
}

impl Challenges {
    /// Answers a token at `/.well-known/acme-challenge/`.
    pub(crate) fn open_token(&self, token: &str, text: String) -> Open {
        self.open(Key::Token(token.to_owned()), Answer::Text(text))
    }

    /// Shows a certificate to connections that validate `host`.
    pub(crate) fn open_certificate(&self, host: &str, key: Arc<CertifiedKey>) -> Open {
        self.open(Key::Host(host.to_owned()), Answer::Certificate(key))
    }

    /// Answers with whatever an order of rustls-acme for `host` wants to be answered.
    pub(crate) fn open_order(&self, host: &str, order: Arc<ResolvesServerCertAcme>) -> Open {
        self.open(Key::Order(host.to_owned()), Answer::Resolver(order))
    }

    fn open(&self, key: Key, answer: Answer) -> Open {
        let mut open = self.0.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(key.clone(), answer);
        Open {
            challenges: self.clone(),
            key,
        }
    }

    /// The answer to a token that came by HTTP.
    pub(crate) fn text(&self, token: &str) -> Option<String> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Answer::Text(text)) = open.get(&Key::Token(token.to_owned())) {
            return Some(text.clone());
        }
        open.values().find_map(|answer| match answer {
            Answer::Resolver(order) => order.get_http_01_key_auth(token),
            Answer::Text(_) | Answer::Certificate(_) => None,
        })
    }

    /// The certificate for a connection that validates; no other is ever shown to one.
    pub(crate) fn certificate(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name()?.to_ascii_lowercase();
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Answer::Certificate(key)) = open.get(&Key::Host(host.clone())) {
            return Some(key.clone());
        }
        match open.get(&Key::Order(host)) {
            // Told anything but this one protocol, it would show the certificate of the order.
            Some(Answer::Resolver(order)) if rustls_acme::is_tls_alpn_challenge(&hello) => {
                order.resolve(hello)
            }
            _ => None,
        }
    }
}

/// Whether a connection validates a host. A client that offers other protocols beside does not get
/// around that.
pub(crate) fn validates(hello: &ClientHello<'_>) -> bool {
    hello
        .alpn()
        .is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_TLS))
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self
            .challenges
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        open.remove(&self.key);
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Challenges").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_answered_as_long_as_its_challenge_is_open() {
        let challenges = Challenges::default();
        assert_eq!(challenges.text("token"), None);
        let open = challenges.open_token("token", "answer".to_owned());
        assert_eq!(challenges.text("token").as_deref(), Some("answer"));
        assert_eq!(challenges.text("other"), None);
        drop(open);
        assert_eq!(challenges.text("token"), None);
    }
}
