//! How many jobs each worker role runs at once, changed while it runs.
//!
//! The number that was asked for last is kept in the database and survives a restart. A
//! configuration that says another number than it did when that was asked wins: whoever edits it
//! means it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use mito_database::Tx;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use ts_rs::TS;

use crate::{Error, Queue, store::replicas};

/// The most replicas of a role.
pub const MAX_REPLICAS: usize = 1_000;

/// A worker role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WorkerRole {
    /// The name of its queue.
    pub name: String,
    /// How many jobs it may run at once; with 0 its queue waits.
    pub replicas: usize,
    /// What the configuration says.
    pub configured: usize,
    /// How many run now, in this process.
    pub busy: usize,
}

/// The roles of this process.
#[derive(Debug, Default)]
pub(crate) struct Replicas(Mutex<BTreeMap<&'static str, Role>>);

#[derive(Debug)]
struct Role {
    configured: usize,
    scale: watch::Sender<usize>,
    busy: usize,
}

impl Replicas {
    /// A role of the configuration.
    pub(crate) fn register(&self, name: &'static str, configured: usize) -> watch::Receiver<usize> {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let role = roles.entry(name).or_insert_with(|| Role {
            configured,
            scale: watch::channel(configured).0,
            busy: 0,
        });
        role.scale.subscribe()
    }

    /// A job of the role begins or ends.
    pub(crate) fn count(&self, name: &str, begins: bool) {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(role) = roles.get_mut(name) {
            role.busy = if begins {
                role.busy + 1
            } else {
                role.busy.saturating_sub(1)
            };
        }
    }

    fn set(&self, name: &str, replicas: usize) {
        let roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(role) = roles.get(name) {
            role.scale.send_replace(replicas);
        }
    }

    fn all(&self) -> Vec<WorkerRole> {
        let roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        roles
            .iter()
            .map(|(name, role)| WorkerRole {
                name: (*name).to_owned(),
                replicas: *role.scale.borrow(),
                configured: role.configured,
                busy: role.busy,
            })
            .collect()
    }
}

impl Queue {
    /// The worker roles of this process.
    pub fn roles(&self) -> Vec<WorkerRole> {
        self.replicas().all()
    }

    /// Lets a role run `replicas` jobs at once from now on, also after a restart; at most
    /// [`MAX_REPLICAS`]. Jobs that run beyond that end as usual; 0 starts none.
    pub async fn scale(&self, name: &str, replicas: usize) -> Result<(), Error> {
        let known = self.roles().into_iter().find(|role| role.name == name);
        let role = known.ok_or_else(|| Error::Unknown {
            what: "worker role",
            name: name.to_owned(),
        })?;
        if replicas > MAX_REPLICAS {
            return Err(Error::Invalid(format!(
                "{replicas} replicas of {name}, allowed are {MAX_REPLICAS}"
            )));
        }
        let configured = role.configured;
        self.write(move |tx: &mut Tx<'_>| replicas::set(tx, &role.name, configured, replicas))
            .await?;
        self.replicas().set(name, replicas);
        tracing::info!(role = name, replicas, "a worker role was scaled");
        Ok(())
    }

    /// Takes the number that was asked for last.
    pub(crate) async fn recall_scale(
        &self,
        name: &'static str,
        configured: usize,
    ) -> Result<(), Error> {
        let recall = move |tx: &mut Tx<'_>| replicas::recall(tx, name, configured);
        let replicas = self.write(recall).await?;
        self.replicas().set(name, replicas.min(MAX_REPLICAS));
        Ok(())
    }
}
