//! How TLS is spoken with a client: by the options of the host that it names, which may change at
//! any time. Whoever validates a host is asked for nothing.

use std::sync::{Arc, Weak};

use mito_network::listener::{Chosen, TlsChoice};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
};

use super::{
    acme::challenges,
    options,
    resolver::{Issued, Resolver},
};
use crate::{Error, state::State};

/// Chooses by the routers of the gateway.
pub(crate) struct Choice {
    state: Weak<State>,
    issued: Arc<Issued>,
    validation: Arc<ServerConfig>,
}

impl Choice {
    /// A choice among the options of the files.
    pub(super) fn new(state: Weak<State>, issued: Arc<Issued>) -> Result<Self, Error> {
        let resolver = Arc::new(Resolver::new(Arc::clone(&issued), true));
        let validation = options::validation(resolver).map_err(Error::LocalCa)?;
        Ok(Self {
            state,
            issued,
            validation: Arc::new(validation),
        })
    }
}

impl TlsChoice for Choice {
    fn choose(&self, hello: &ClientHello<'_>) -> Option<Chosen> {
        if challenges::validates(hello) {
            return Some(Chosen {
                config: Arc::clone(&self.validation),
                name: "acme-tls/1".into(),
            });
        }
        let table = self.state.upgrade()?.table.load_full();
        let host = hello.server_name().unwrap_or_default();
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let name = table.tls.of_host(&host);
        let options = table.tls.options(&name)?;
        let resolver = |is_strict| -> Arc<dyn ResolvesServerCert> {
            Arc::new(Resolver::new(Arc::clone(&self.issued), is_strict))
        };
        Some(Chosen {
            config: options.server_config(resolver),
            name,
        })
    }
}
