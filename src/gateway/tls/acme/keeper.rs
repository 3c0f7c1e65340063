//! Keeps every wanted host in certificates: orders what is missing, renews what runs out, and leaves
//! the authority alone for as long as it should be after a failure, also across restarts.

mod host;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use mito_core::{Clock, Random, Shutdown};
use tokio::task::{Id, JoinSet};

use super::{
    Acme,
    account::Accounts,
    http::Http,
    issuer::{Both, Failure, Issuer},
    ordinary::Ordinary,
    thorough::Thorough,
};

/// Orders at once.
const MAX_ORDERS: usize = 4;
/// The longest sleep, after which is looked again for what is due.
const LONGEST_SLEEP: Duration = Duration::from_hours(1);

/// Orders and renews. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Inner>);

struct Inner {
    acme: Arc<Acme>,
    issuer: Arc<dyn Issuer>,
    wanted: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    clock: Clock,
    random: Random,
    /// Before then nothing is ordered for any host.
    not_before_ms: AtomicI64,
}

/// The orders that run, by task.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    hosts: HashMap<Id, String>,
}

impl Keeper {
    /// A keeper that orders from the authority of `acme` what `wanted` lists.
    pub(crate) fn new(
        acme: Arc<Acme>,
        wanted: impl Fn() -> Vec<String> + Send + Sync + 'static,
        clock: Clock,
        random: Random,
    ) -> Self {
        let settings = acme.settings.clone();
        let http = Http::new(&settings.tls, clock.clone());
        let store = acme.store.clone();
        let accounts = Arc::new(Accounts::new(settings.clone(), store, http));
        let external = settings.external.is_some();
        let issuer = Both {
            ordinary: Ordinary {
                settings,
                accounts: accounts.clone(),
                challenges: acme.challenges.clone(),
            },
            thorough: Thorough {
                accounts,
                challenges: acme.challenges.clone(),
            },
            external,
        };
        Self::with_issuer(acme, Arc::new(issuer), wanted, clock, random)
    }

    pub(super) fn with_issuer(
        acme: Arc<Acme>,
        issuer: Arc<dyn Issuer>,
        wanted: impl Fn() -> Vec<String> + Send + Sync + 'static,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self(Arc::new(Inner {
            acme,
            issuer,
            wanted: Box::new(wanted),
            clock,
            random,
            not_before_ms: AtomicI64::new(0),
        }))
    }

    /// Works until shutdown begins. Orders that run then are dropped: the authority forgets them.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let mut running = Running::default();
        loop {
            self.take_up().await;
            let sleep = self.begin_due(&mut running);
            tokio::select! {
                () = shutdown.begun() => return,
                Some(ended) = running.tasks.join_next_with_id() => {
                    let id = match &ended {
                        Ok((id, ())) => *id,
                        Err(error) => error.id(),
                    };
                    if let (Some(host), Err(error)) = (running.hosts.remove(&id), ended) {
                        let failure = Failure::Broken(error.to_string());
                        self.0.failed(&host, failure).await;
                    }
                }
                () = self.0.acme.changed.notified() => {}
                () = self.0.clock.sleep(sleep) => {}
            }
        }
    }

    async fn take_up(&self) {
        let inner = self.0.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let wanted = (inner.wanted)();
            inner.acme.take_up(&wanted, || inner.draw().0);
        });
        if let Err(error) = taken.await {
            tracing::error!(%error, "the wanted certificates cannot be read");
        }
    }

    /// Begins what is due and says how long nothing else will be.
    fn begin_due(&self, running: &mut Running) -> Duration {
        let now_ms = self.0.clock.now_ms();
        let limited_ms = self.0.not_before_ms.load(Ordering::Relaxed);
        let mut next_ms = i64::MAX;
        for (name, host) in self.0.acme.hosts() {
            if running.hosts.values().any(|busy| *busy == name) {
                continue;
            }
            let order_ms = host.next_order_ms().max(limited_ms);
            let ask_ms = host
                .certificate
                .as_ref()
                .map_or(i64::MAX, |_| host.ask_at_ms);
            let due_ms = order_ms.min(ask_ms);
            if due_ms > now_ms {
                next_ms = next_ms.min(due_ms);
                continue;
            }
            if running.tasks.len() >= MAX_ORDERS {
                // The next one begins when one of these ends.
                break;
            }
            let inner = self.0.clone();
            let task = name.clone();
            let handle = running.tasks.spawn(async move {
                if order_ms <= now_ms {
                    inner.order(&task, &host).await;
                } else {
                    inner.ask(&task, &host).await;
                }
            });
            running.hosts.insert(handle.id(), name);
        }
        let pause_ms = u64::try_from(next_ms.saturating_sub(now_ms)).unwrap_or(0);
        Duration::from_millis(pause_ms).min(LONGEST_SLEEP)
    }
}
