//! Whether servers work: asked now and then (active), or seen in how they answer (passive).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mito_core::Shutdown;
use tokio::{task::JoinSet, time::Instant};

use super::{balancer::Balancer, checks::Question};
use crate::{dynamic::document::PassiveHealthCheck, state::State};

/// How often it is looked for checks that are due.
const TICK: Duration = Duration::from_millis(250);
/// Checks at once.
const MAX_AT_ONCE: usize = 64;

/// Whether requests to a server have failed too often.
#[derive(Debug)]
pub(crate) struct Passive {
    window: Duration,
    most: usize,
    /// When the latest requests failed.
    failures: Mutex<Vec<Instant>>,
}

impl Passive {
    pub(crate) fn new(options: &PassiveHealthCheck) -> Self {
        Self {
            window: options.failure_window.0,
            most: usize::try_from(options.max_failed_attempts.max(1)).unwrap_or(1),
            failures: Mutex::default(),
        }
    }

    /// Notes how a request has ended.
    pub(crate) fn note(&self, good: bool, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if good {
            failures.clear();
            return;
        }
        failures.retain(|at| now.duration_since(*at) < self.window);
        if failures.len() == self.most {
            failures.remove(0);
        }
        failures.push(now);
    }

    /// Whether the server is left alone.
    pub(crate) fn is_down(&self, now: Instant) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &&Instant| now.duration_since(**at) < self.window;
        failures.iter().filter(recent).count() >= self.most
    }
}

/// Checks the servers of all services that want it, until shutdown.
pub(crate) async fn run(state: Arc<State>, shutdown: &Shutdown) {
    let mut due: HashMap<(String, usize), Instant> = HashMap::new();
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        while running.try_join_next().is_some() {}
        let table = state.table.load_full();
        let balancers: Vec<Arc<Balancer>> = table.balancers().cloned().collect();
        due.retain(|(name, _), _| balancers.iter().any(|balancer| balancer.name() == name));
        let now = Instant::now();
        for balancer in balancers {
            let Some(checks) = &balancer.checks else {
                continue;
            };
            for (position, server) in balancer.servers.iter().enumerate() {
                let key = (balancer.name().to_owned(), position);
                let is_due = due.get(&key).is_none_or(|at| *at <= now);
                if is_due && running.len() < MAX_AT_ONCE {
                    // A check that takes its whole time is over before the next one.
                    let pause = checks.interval(server.works()).max(checks.timeout);
                    due.insert(key, now + pause);
                    running.spawn(check(Arc::clone(&balancer), position));
                }
            }
        }
    }
}

async fn check(balancer: Arc<Balancer>, position: usize) {
    let server = &balancer.servers[position];
    let Some(checks) = &balancer.checks else {
        return;
    };
    let Some(Question {
        request,
        server: to,
    }) = checks.question(&server.upstream)
    else {
        return;
    };
    let asked = async {
        let response = balancer.client().check(request, to.as_ref()).await?;
        let status = response.status();
        Some((status, checks.is_good(response).await))
    };
    let answer = tokio::time::timeout(checks.timeout, asked).await;
    let answer = answer.ok().flatten();
    let works = answer.is_some_and(|(_, is_good)| is_good);
    let (service, url) = (balancer.name().to_owned(), server.url.clone());
    metrics::gauge!("traefik_service_server_up", "service" => service.clone(), "url" => url.clone())
        .set(if works { 1.0 } else { 0.0 });
    if !server.set_works(works) {
        return;
    }
    if works {
        tracing::info!(service, url, "a server works again");
    } else {
        let status = answer.map(|(status, _)| status.as_u16());
        tracing::warn!(service, url, status, "a server does not work");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamic::duration::GoDuration;

    #[test]
    fn a_server_that_fails_is_left_alone_for_a_while() {
        let passive = Passive::new(&PassiveHealthCheck {
            failure_window: GoDuration(Duration::from_secs(10)),
            max_failed_attempts: 2,
        });
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        passive.note(false, at(0));
        assert!(!passive.is_down(at(0)));
        passive.note(true, at(1));
        passive.note(false, at(2));
        assert!(!passive.is_down(at(2)), "a good answer in between forgives");
        passive.note(false, at(5));
        assert!(passive.is_down(at(5)) && passive.is_down(at(11)));
        assert!(!passive.is_down(at(12)));
    }
}
