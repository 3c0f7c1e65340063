//! TLS of the entry point `websecure`: certificates of the local authority, for names that a
//! router asks for and for no others.

mod authority;
mod resolver;

use std::{path::PathBuf, sync::Arc};

use rustls::{ServerConfig, crypto::ring, server::ResolvesServerCert};

use crate::{Error, state::State};

pub(crate) use authority::Authority;
use resolver::Resolver;

/// Where the root certificate of the local authority for `domain` is.
pub(crate) fn root_path(state: &State) -> PathBuf {
    authority::folder(&state.data, &state.domain).join("root.crt")
}

/// The TLS configuration, with the authority read or made.
pub(crate) fn config(state: &Arc<State>) -> Result<Arc<ServerConfig>, Error> {
    let authority = Authority::open(
        &state.data,
        &state.domain,
        state.clock.clone(),
        &state.random,
    )?;
    let resolver = Resolver::new(Arc::downgrade(state), authority);
    server_config(Arc::new(resolver))
}

fn server_config(resolver: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::LocalCa(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
