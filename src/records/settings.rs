//! Settings: what administrators change while the platform runs, in the shape of PocketBase's
//! `/api/settings`. What an operator decides before (addresses, folders, limits) is configuration.
//!
//! | module | what it holds |
//! |---|---|
//! | `shape` | the settings themselves, with their defaults |
//! | `patch` | a change laid over the settings in force |
//! | `validate` | what is wrong with settings, in PocketBase's codes |
//! | `store` | the row they are kept in, its secrets sealed |
//! | `trial` | mails that are sent to try the settings |
//! | `ips` | lists of addresses and networks |

pub(crate) mod ips;
mod patch;
mod shape;
mod store;
mod trial;
mod validate;

#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use mito_core::{Shutdown, supervisor::TaskError};
use mito_database::{Dialect, Tx};
use serde_json::Value;

pub use shape::{
    Backups, Batch, Logs, Meta, RateLimitRule, RateLimits, S3, Secret, Settings, Smtp, TrustedProxy,
};
pub(crate) use store::Sealer;
pub use trial::MailTrial;

use crate::{Error, FieldError, Records, error::FieldErrors};

/// How often a process looks for changes that another one made, where several share a database.
const REREAD_EVERY: Duration = Duration::from_secs(5);

/// The settings in force.
#[derive(Debug, Default)]
pub(crate) struct Current(RwLock<Arc<Settings>>);

impl Current {
    fn replace(&self, settings: Settings) -> Arc<Settings> {
        let settings = Arc::new(settings);
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&settings);
        settings
    }
}

impl Records {
    /// The settings in force. Does no I/O.
    pub fn settings(&self) -> Arc<Settings> {
        let current = self.inner.settings.0.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the settings that are stored: once before the platform serves.
    pub async fn load_settings(&self) -> Result<(), Error> {
        let records = self.clone();
        let load = move |tx: &mut Tx<'_>| store::load(tx, &records.inner.sealer);
        let settings = self.inner.database.read(load).await?;
        self.inner.settings.replace(settings);
        Ok(())
    }

    /// Lays `patch` over the settings, checks the whole and puts it in force. A caller's own
    /// address, if given, must stay among those that administrators may come from.
    pub async fn change_settings(
        &self,
        patch: Value,
        caller: Option<IpAddr>,
    ) -> Result<Arc<Settings>, Error> {
        let records = self.clone();
        let change = move |tx: &mut Tx<'_>| {
            let current = store::load(tx, &records.inner.sealer)?;
            let changed = patch::apply(&current, &patch)?;
            let mut errors = validate::check(&changed);
            check_caller(&changed, caller, &mut errors);
            if !errors.is_empty() {
                return Err(Error::Fields(errors));
            }
            let changed = patch::typed(changed)?;
            store::save(tx, &records.inner.sealer, &changed)?;
            Ok(changed)
        };
        let changed = self.inner.database.write(change).await?;
        Ok(self.inner.settings.replace(changed))
    }

    /// What is wrong with a change of the settings, which is not made.
    pub(crate) fn check_settings(&self, patch: &Value) -> Result<(), Error> {
        let changed = patch::apply(&self.settings(), patch)?;
        let errors = validate::check(&changed);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Fields(errors))
        }
    }

    /// Follows the changes that other processes make to the same database.
    pub(crate) async fn follow_settings(self, shutdown: Shutdown) -> Result<(), TaskError> {
        loop {
            let records = self.clone();
            let load = move |tx: &mut Tx<'_>| {
                let shared = tx.dialect() == Dialect::Postgres;
                Ok::<_, Error>((shared, store::load(tx, &records.inner.sealer)?))
            };
            match self.inner.database.read(load).await {
                // A file has one process, which put its changes in force itself.
                Ok((false, _)) => return Ok(()),
                Ok((true, settings)) if settings != *self.settings() => {
                    self.inner.settings.replace(settings);
                    tracing::info!("the settings were changed by another process");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the settings cannot be read"),
            }
            tokio::select! {
                () = shutdown.begun() => return Ok(()),
                () = self.inner.clock.sleep(REREAD_EVERY) => {}
            }
        }
    }

    /// Whether administrators may act from `address`.
    pub fn may_administrate_from(&self, address: Option<IpAddr>) -> bool {
        let settings = self.settings();
        settings.superuser_ips.is_empty()
            || address.is_some_and(|address| ips::contains(&settings.superuser_ips, address))
    }
}

/// Nobody may lock themselves, and so perhaps everybody, out.
fn check_caller(changed: &Value, caller: Option<IpAddr>, errors: &mut FieldErrors) {
    let (Some(caller), Some(allowed)) = (caller, changed["superuserIPs"].as_array()) else {
        return;
    };
    let allowed: Vec<String> = allowed
        .iter()
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let wrong = errors.keys().any(|name| name.starts_with("superuserIPs"));
    if wrong || allowed.is_empty() || ips::contains(&allowed, caller) {
        return;
    }
    let message = format!("The list must hold your own address, which is {caller}.");
    let error = FieldError::new("validation_own_ip_missing", message);
    errors.insert("superuserIPs".to_owned(), error);
}
