//! Which certificate a client is shown: the operator's own, that of a public authority, or else one of
//! the local authority. A name that no router asks for is refused, so that nobody learns the names of
//! a platform from its certificates; a client that names nothing gets the certificate of localhost,
//! and only where the domain is localhost. Where the operator has given a default certificate, both
//! get that one, unless the options say `sniStrict`. Who validates a host sees its challenge and
//! nothing else.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{
    acme::challenges,
    authority::{Authority, Leaf},
};
use crate::state::State;

/// Certificates in memory. Their names come from the routers, so this is never reached in practice.
const MAX_LEAVES: usize = 1_024;
/// What the certificate of a client that names nothing is for.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Finds certificates for clients with the same options.
pub(super) struct Resolver {
    issued: Arc<Issued>,
    /// The default certificate is for nobody.
    is_strict: bool,
}

/// What the local authority has issued, and the rest of the gateway, which has the others.
pub(super) struct Issued {
    state: Weak<State>,
    authority: Authority,
    leaves: Mutex<HashMap<String, Leaf>>,
}

impl Issued {
    /// Nothing yet; the routers of `state` are asked.
    pub(crate) fn new(state: Weak<State>, authority: Authority) -> Self {
        Self {
            state,
            authority,
            leaves: Mutex::new(HashMap::new()),
        }
    }

    fn leaf(&self, state: &State, name: &str) -> Option<Arc<CertifiedKey>> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = leaves.get(name)
            && state.clock.now_ms() < leaf.renew_at_ms
        {
            return Some(leaf.key.clone());
        }
        let issued = match name {
            "localhost" => self.authority.issue(&THIS_MACHINE),
            name => self.authority.issue(&[name]),
        };
        match issued {
            Ok(leaf) => {
                if leaves.len() >= MAX_LEAVES {
                    leaves.clear();
                }
                leaves.insert(name.to_owned(), leaf.clone());
                Some(leaf.key)
            }
            Err(error) => {
                tracing::error!(%error, name, "the local authority cannot issue a certificate");
                None
            }
        }
    }
}

impl Resolver {
    pub(super) fn new(issued: Arc<Issued>, is_strict: bool) -> Self {
        Self { issued, is_strict }
    }

    fn find(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let state = self.issued.state.upgrade()?;
        let default = || {
            let default = state.certificates.fallback();
            default.filter(|_| !self.is_strict)
        };
        let Some(server_name) = server_name else {
            let own = || self.issued.leaf(&state, "localhost");
            let own = || (!state.has_real_domain()).then(own).flatten();
            return default().or_else(own);
        };
        let host = server_name.trim_end_matches('.').to_ascii_lowercase();
        let Some(name) = state.table.load().certificate_name(&host) else {
            let default = default()?;
            return state.certificates.find(&host).or(Some(default));
        };
        state
            .certificates
            .find(&host)
            .or_else(default)
            .or_else(|| self.issued.leaf(&state, &name))
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if challenges::validates(&hello) {
            let state = self.issued.state.upgrade()?;
            return state.certificates.acme()?.challenges.certificate(hello);
        }
        self.find(hello.server_name())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resolver").finish_non_exhaustive()
    }
}
