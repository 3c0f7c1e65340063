//! Which certificate a client is shown. A name that no router asks for is refused, so that nobody
//! learns the names of a platform from its certificates; a client that names nothing gets the
//! certificate of localhost, and only where the domain is localhost.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::authority::{Authority, Leaf};
use crate::state::State;

/// Certificates in memory. Their names come from the routers, so this is never reached in practice.
const MAX_LEAVES: usize = 1_024;
/// What the certificate of a client that names nothing is for.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Finds or issues certificates.
pub(crate) struct Resolver {
    state: Weak<State>,
    authority: Authority,
    leaves: Mutex<HashMap<String, Leaf>>,
}

impl Resolver {
    /// A resolver that asks the routers of `state`.
    pub(crate) fn new(state: Weak<State>, authority: Authority) -> Self {
        Self {
            state,
            authority,
            leaves: Mutex::new(HashMap::new()),
        }
    }

    fn find(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let state = self.state.upgrade()?;
        let Some(server_name) = server_name else {
            return (!state.has_real_domain()).then(|| self.leaf(&state, "localhost"))?;
        };
        let host = server_name.trim_end_matches('.').to_ascii_lowercase();
        let name = state.table.load().certificate_name(&host)?;
        self.leaf(&state, &name)
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

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resolver").finish_non_exhaustive()
    }
}
