//! What an operator is told of the certificates.

use super::{Certificates, exact_hosts};
use crate::state::State;

/// Hosts that one warning names.
const NAMED_HOSTS: usize = 3;

impl Certificates {
    /// What an operator should know, in words.
    pub(crate) fn warnings(&self, state: &State) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .own
            .pairs()
            .into_iter()
            .filter_map(|pair| pair.error)
            .map(|error| format!("a certificate of the configuration cannot be used: {error}"))
            .collect();
        if !state.has_real_domain() || state.https_port() == 0 {
            return warnings;
        }
        let table = state.table.load();
        let mut missing: Vec<&str> = exact_hosts(&table)
            .filter(|host| self.find(host).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if let Some(first) = missing.first() {
            warnings.push(self.missing(first, &missing));
        }
        warnings
    }

    fn missing(&self, first: &str, missing: &[&str]) -> String {
        let shown = &missing[..missing.len().min(NAMED_HOSTS)];
        let more = match missing.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = match self.acme() {
            None => "give gateway.acme.email to get certificates from Let's Encrypt".to_owned(),
            Some(acme) => match acme.hosts().get(first) {
                None => "no public authority certifies such names".to_owned(),
                Some(host) => match &host.attempts.last_error {
                    Some(error) => format!("the authority was asked: {error}"),
                    None => "the authority is being asked".to_owned(),
                },
            },
        };
        format!(
            "HTTPS for {}{more} uses this machine's own certificate authority, which browsers do not \
             trust: {why}",
            shown.join(", ")
        )
    }
}
