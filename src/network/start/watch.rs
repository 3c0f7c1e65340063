//! The life of one service: waits for its dependencies, starts its tasks, and is checked until
//! shutdown.

use std::{collections::HashSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use mito_core::{
    Health, Shutdown, Supervisor,
    supervisor::{TaskError, record_panic},
};
use tokio::{sync::watch, time::Instant};

use super::Options;
use crate::{HealthCheck, Network, registry::Role};

/// How long a check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause between checks of a service that is not healthy, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How long a starting service may fail its checks before it counts as unhealthy.
const STARTING_GRACE: Duration = Duration::from_secs(2);

/// Watches `role` until shutdown. `waits_for` are its dependencies in this process.
pub(crate) async fn run(
    network: Network,
    role: Arc<Role>,
    waits_for: Vec<Arc<Role>>,
    supervisor: Supervisor,
    options: Options,
    shutdown: Shutdown,
) -> Result<(), TaskError> {
    let watched = watch_until_shutdown(&network, &role, &waits_for, &supervisor, &options);
    tokio::select! {
        () = shutdown.begun() => {}
        () = watched => {}
    }
    network.set_health(&role, Health::Stopped);
    Ok(())
}

async fn watch_until_shutdown(
    network: &Network,
    role: &Role,
    waits_for: &[Arc<Role>],
    supervisor: &Supervisor,
    options: &Options,
) {
    wait_for_dependencies(network, role, waits_for).await;
    network.set_health(role, Health::Starting);
    start_tasks(role, supervisor);
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut held = options.held.as_ref().map(|held| held.subscribe());
    loop {
        let held_back = held
            .as_mut()
            .is_some_and(|held| is_held(role, &held.borrow_and_update()));
        let outcome = if held_back {
            Err("held back".to_owned())
        } else {
            check(role.service.name, &role.service.health).await
        };
        let was = role.health();
        match outcome {
            Ok(()) => {
                pause = FIRST_PAUSE;
                network.set_health(role, Health::Healthy);
            }
            Err(_)
                if was == Health::Starting && !held_back && started.elapsed() < STARTING_GRACE => {}
            Err(reason) => network.set_health(role, Health::Unhealthy { reason }),
        }
        let wait = if role.health().is_healthy() {
            options.check_every
        } else {
            pause
        };
        if !role.health().is_healthy() {
            pause = (pause * 2).min(options.check_every.max(FIRST_PAUSE));
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed(held.as_mut()) => {}
        }
    }
}

async fn wait_for_dependencies(network: &Network, role: &Role, waits_for: &[Arc<Role>]) {
    let mut changes = network.changes();
    loop {
        changes.mark_unchanged();
        let missing = waits_for
            .iter()
            .find(|dependency| !dependency.health().is_healthy());
        let Some(missing) = missing else { return };
        network.set_health(
            role,
            Health::Waiting {
                on: missing.service.name.to_owned(),
            },
        );
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Starts the tasks once, also when the watcher itself is restarted.
fn start_tasks(role: &Role, supervisor: &Supervisor) {
    if !role.begin_tasks() {
        return;
    }
    for task in &role.service.tasks {
        let run = task.run.clone();
        let name = format!("{}/{}", role.service.name, task.name);
        supervisor.start(name, move |shutdown| run(shutdown));
    }
}

async fn check(name: &str, health: &HealthCheck) -> Result<(), String> {
    // The call is inside, so that a panic before the first await is contained too.
    let checking = AssertUnwindSafe(async { health().await }).catch_unwind();
    match tokio::time::timeout(CHECK_TIMEOUT, checking).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(record_panic(name, panic.as_ref())),
        Err(_) => Err(format!("the check took longer than {CHECK_TIMEOUT:?}")),
    }
}

fn is_held(role: &Role, held: &HashSet<String>) -> bool {
    held.iter().any(|name| role.service.is_called(name))
}

/// Returns when the set of held services changes.
async fn changed(held: Option<&mut watch::Receiver<HashSet<String>>>) {
    match held {
        // An error means that the set can change no more.
        Some(held) => match held.changed().await {
            Ok(()) => {}
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
