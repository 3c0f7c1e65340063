//! A certificate with its key.

mod facts;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

pub(crate) use facts::Facts;

/// Certificates of one chain.
const MAX_CHAIN: usize = 16;

/// A certificate that can be shown.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) facts: Facts,
}

impl Certificate {
    /// Reads a chain and its key, and checks that they belong together.
    pub(crate) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .take(MAX_CHAIN)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("the key cannot be read: {error}"))?;
        let first = chain.first().ok_or("there is no certificate in it")?;
        let facts = Facts::of(first)?;
        let key =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| {
                match error {
                    rustls::Error::InconsistentKeys(_) => {
                        "the key does not belong to the certificate".to_owned()
                    }
                    error => format!("the key cannot be used: {error}"),
                }
            })?;
        Ok(Self {
            key: Arc::new(key),
            facts,
        })
    }

    /// Whether a client that asks for `host` takes it.
    pub(crate) fn covers(&self, host: &str) -> bool {
        self.facts.sans.iter().any(|name| covers(name, host))
    }
}

/// Whether a name of a certificate, which may begin with a wildcard for one label, is `host`.
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => name.eq_ignore_ascii_case(host),
    }
}
