//! TLS of the entry point `websecure`, for names that a router asks for and for no others: with the
//! operator's own certificates, with those of a public authority, else with those of the local one.

pub(crate) mod acme;
mod any_client;
mod authority;
pub(crate) mod certificate;
mod certificates;
mod choice;
mod files;
mod options;
mod resolver;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Error, state::State};

pub(crate) use authority::Authority;
pub(crate) use certificates::{Certificates, Listed};
pub(crate) use choice::Choice;
pub(crate) use options::Options;
use resolver::Issued;

/// Where the root certificate of the local authority for `domain` is.
pub(crate) fn root_path(state: &State) -> PathBuf {
    root_in(&state.data, &state.domain)
}

/// Where the root certificate of the local authority for `domain` is, with everything in `data`.
pub(crate) fn root_in(data: &Path, domain: &str) -> PathBuf {
    authority::folder(data, domain).join("root.crt")
}

/// How TLS is spoken, with the authority read or made and the stored certificates read.
pub(crate) fn choice(state: &Arc<State>) -> Result<Arc<Choice>, Error> {
    let authority = Authority::open(
        &state.data,
        &state.domain,
        state.clock.clone(),
        &state.random,
    )?;
    state.certificates.load(state);
    let issued = Issued::new(Arc::downgrade(state), authority);
    Choice::new(Arc::downgrade(state), Arc::new(issued)).map(Arc::new)
}
