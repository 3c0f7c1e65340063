//! What `[gateway]` says, with what is made of it. Another one takes its place while requests run:
//! everything is checked first ([`Change::check`]), then put in place at once.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    Config, Error, RouterSpec, access_log::Filter, entrypoints::Addresses, forwarded::Trusted,
    middlewares::rate_limit::RateLimit, routers, state::State, tls::acme::Acme,
};

/// The options that hold now.
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// The limit of the API.
    pub(crate) limit: RateLimit,
    /// Proxies whose forwarding headers are believed.
    pub(crate) trusted: Trusted,
}

impl Settings {
    /// Checks the options that need nothing else.
    pub(crate) fn read(config: Config) -> Result<Self, Error> {
        Ok(Self {
            limit: RateLimit::new(config.rate_limit_average, config.rate_limit_burst),
            trusted: Trusted::new(&config.trusted_proxies).map_err(Error::Option)?,
            config,
        })
    }

    /// The limiter goes on counting where it was, unless its numbers are others now.
    fn after(before: &Self, config: Config) -> Result<Self, Error> {
        let mut settings = Self::read(config)?;
        let numbers = |config: &Config| (config.rate_limit_average, config.rate_limit_burst);
        if numbers(&before.config) == numbers(&settings.config) {
            settings.limit = before.limit.clone();
        }
        Ok(settings)
    }

    /// How long a server may take to begin its answer.
    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.config.upstream_header_timeout_ms.max(1))
    }
}

/// What becomes of the authority that certificates are ordered from.
enum Authority {
    /// It stays with all that it knows.
    Stays,
    /// It is this one now, or none.
    Becomes(Option<Arc<Acme>>),
}

/// Options that were checked and can be put in place.
pub(crate) struct Change {
    settings: Settings,
    filter: Filter,
    routers: Vec<RouterSpec>,
    authority: Authority,
    pub(crate) addresses: Addresses,
}

impl Change {
    /// Checks `config`. Reads the files that it names, so it blocks.
    pub(crate) fn check(state: &State, config: Config) -> Result<Self, Error> {
        let before = state.settings.load();
        let authority = if same(&before.config.acme, &config.acme) {
            Authority::Stays
        } else {
            let acme = Acme::new(&config.acme, &state.data, &state.domain)?;
            Authority::Becomes(acme.map(Arc::new))
        };
        let routers = routers::operator(&config);
        state.try_routers(&routers)?;
        Ok(Self {
            addresses: Addresses::read(&config.entrypoints, &state.domain)?,
            filter: Filter::new(&config.access_log_filters).map_err(Error::Option)?,
            settings: Settings::after(&before, config)?,
            routers,
            authority,
        })
    }

    /// Puts it in place. Reads certificates, so it blocks.
    pub(crate) fn put_in_place(self, state: &Arc<State>) -> Result<(), Error> {
        let config = &self.settings.config;
        state.limits.set(config.limits.clone());
        state.log.set(config.access_log, self.filter);
        state
            .client
            .set_header_timeout(self.settings.header_timeout());
        state
            .certificates
            .configure(config.tls.certificates.clone());
        state.settings.store(Arc::new(self.settings));
        state.replace_routers(self.routers)?;
        state.certificates.refresh();
        if let Authority::Becomes(acme) = self.authority {
            state.certificates.change_authority(state, acme);
        }
        Ok(())
    }
}

/// Whether two sections say the same; they hold secrets, which are not to be compared by themselves.
fn same(left: &impl Serialize, right: &impl Serialize) -> bool {
    serde_json::to_value(left).ok() == serde_json::to_value(right).ok()
}
