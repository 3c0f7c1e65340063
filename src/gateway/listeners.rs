//! The accept loops of the entry points. Addresses may change while they run: what is new is taken
//! before anything is given up, and connections of an address that is given up end by themselves.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mito_core::Shutdown;
use mito_network::listener::{self, Bound, SharedLimits, TlsChoice};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    EntryPoint, Error, Gateway,
    entrypoints::{Addresses, Taken, Wanted},
    state::State,
    tls,
};

/// How long a port that was just given up may still be taken.
const RELEASE: Duration = Duration::from_secs(1);
/// How often it is tried again.
const RELEASE_TRY: Duration = Duration::from_millis(5);

/// The entry points that listen.
pub(crate) struct Listeners {
    open: Mutex<Vec<Open>>,
    tls: Mutex<Option<Arc<tls::Choice>>>,
    /// To the task that accepts.
    queue: mpsc::UnboundedSender<Listening>,
    queued: Mutex<Option<mpsc::UnboundedReceiver<Listening>>>,
}

/// An entry point.
#[derive(Clone)]
struct Open {
    wanted: Wanted,
    taken: EntryPoint,
    /// Given when its address is given up.
    stop: Shutdown,
}

/// A listener with what it speaks.
struct Listening {
    bound: Bound,
    tls: Option<Arc<tls::Choice>>,
    stop: Shutdown,
}

/// Addresses that were taken for a change which is not in place yet.
#[derive(Default)]
pub(crate) struct Prepared {
    kept: Vec<Open>,
    new: Vec<Open>,
    given_up: Vec<Open>,
    listening: Vec<Listening>,
}

impl Prepared {
    /// What will listen.
    pub(crate) fn entrypoints(&self) -> Vec<EntryPoint> {
        let open = self.kept.iter().chain(&self.new);
        let mut entrypoints: Vec<EntryPoint> = open.map(|open| open.taken.clone()).collect();
        entrypoints.sort_by_key(|entry| Addresses::rank(&entry.name));
        entrypoints
    }
}

impl Default for Listeners {
    fn default() -> Self {
        let (queue, queued) = mpsc::unbounded_channel();
        Self {
            open: Mutex::default(),
            tls: Mutex::default(),
            queue,
            queued: Mutex::new(Some(queued)),
        }
    }
}

impl Listeners {
    /// Takes the first addresses.
    pub(crate) fn bind(
        &self,
        state: &Arc<State>,
        addresses: &Addresses,
    ) -> Result<Prepared, Error> {
        let mut prepared = Prepared::default();
        for wanted in addresses.wanted() {
            self.take(state, &mut prepared, wanted.clone())?;
        }
        Ok(prepared)
    }

    /// Takes the addresses that are wanted and not had yet. On an error everything is as it was.
    pub(crate) async fn prepare(
        &self,
        state: &Arc<State>,
        addresses: &Addresses,
    ) -> Result<Prepared, Error> {
        let (kept, given_up): (Vec<Open>, Vec<Open>) = self
            .open()
            .iter()
            .cloned()
            .partition(|open| addresses.wanted().contains(&open.wanted));
        let new: Vec<Wanted> = addresses
            .wanted()
            .iter()
            .filter(|wanted| !kept.iter().any(|open| open.wanted == **wanted))
            .cloned()
            .collect();
        let mut prepared = Prepared {
            kept,
            ..Prepared::default()
        };
        // A port that moves to another address, or to another entry point, is free only when its
        // listener is closed.
        let in_the_way = |open: &Open| {
            let port = open.taken.address.port();
            new.iter().any(|wanted| wanted.port() == port)
        };
        let (closed, others): (Vec<Open>, Vec<Open>) = given_up.into_iter().partition(in_the_way);
        for open in &closed {
            open.stop.begin();
        }
        for wanted in new {
            let taken = if closed.is_empty() {
                self.take(state, &mut prepared, wanted)
            } else {
                self.take_patiently(state, &mut prepared, wanted).await
            };
            if let Err(error) = taken {
                drop(prepared);
                self.reopen(state, closed).await;
                return Err(error);
            }
        }
        prepared.given_up = others;
        Ok(prepared)
    }

    /// Binds an entry point. What was given up a moment ago may need to be waited for.
    async fn take_patiently(
        &self,
        state: &Arc<State>,
        prepared: &mut Prepared,
        wanted: Wanted,
    ) -> Result<(), Error> {
        let until = Instant::now() + RELEASE;
        while Instant::now() < until {
            if let Ok(taken) = wanted.bind_first_choice() {
                return self.note(state, prepared, wanted, taken);
            }
            tokio::time::sleep(RELEASE_TRY).await;
        }
        self.take(state, prepared, wanted)
    }

    fn take(
        &self,
        state: &Arc<State>,
        prepared: &mut Prepared,
        wanted: Wanted,
    ) -> Result<(), Error> {
        let taken = wanted.bind()?;
        self.note(state, prepared, wanted, taken)
    }

    fn note(
        &self,
        state: &Arc<State>,
        prepared: &mut Prepared,
        wanted: Wanted,
        taken: Taken,
    ) -> Result<(), Error> {
        let tls = if taken.entrypoint.name == "websecure" {
            Some(self.tls(state)?)
        } else {
            None
        };
        let stop = Shutdown::new();
        for bound in taken.bound {
            let (tls, stop) = (tls.clone(), stop.clone());
            prepared.listening.push(Listening { bound, tls, stop });
        }
        prepared.new.push(Open {
            wanted,
            taken: taken.entrypoint,
            stop,
        });
        Ok(())
    }

    /// Listens again on addresses that were closed for a change that cannot be made.
    async fn reopen(&self, state: &Arc<State>, closed: Vec<Open>) {
        let mut again = Prepared::default();
        for open in &closed {
            let same = open.wanted.exactly(open.taken.address);
            if let Err(error) = self.take_patiently(state, &mut again, same).await {
                tracing::error!(%error, "an entry point that was closed cannot be opened again");
            }
        }
        for reopened in &mut again.new {
            // By its name it is what was wanted, and where it was.
            if let Some(before) = closed
                .iter()
                .find(|it| it.taken.name == reopened.taken.name)
            {
                reopened.wanted = before.wanted.clone();
                reopened.taken = before.taken.clone();
            }
        }
        let open = self.open();
        let stays = open.iter().filter(|open| !open.stop.has_begun());
        again.kept = stays.cloned().collect();
        drop(open);
        self.commit(again);
    }

    /// Accepts on what is new, and no longer on what is given up.
    pub(crate) fn commit(&self, prepared: Prepared) {
        let Prepared {
            kept,
            new,
            given_up,
            listening,
        } = prepared;
        for listening in listening {
            // The other end lives as long as this.
            let _ = self.queue.send(listening);
        }
        for open in given_up {
            open.stop.begin();
        }
        *self.open() = kept.into_iter().chain(new).collect();
    }

    /// Accepts until shutdown begins, then drains.
    pub(crate) async fn run(&self, gateway: &Gateway, shutdown: &Shutdown) {
        let queued = self
            .queued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queued) = queued else {
            return;
        };
        let mut loops = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.begun() => break,
                Some(listening) = queued.recv() => {
                    loops.spawn(accept(gateway.clone(), listening, shutdown.clone()));
                }
                Some(_) = loops.join_next(), if !loops.is_empty() => {}
            }
        }
        for open in self.open().iter() {
            open.stop.begin();
        }
        while loops.join_next().await.is_some() {}
    }

    fn tls(&self, state: &Arc<State>) -> Result<Arc<tls::Choice>, Error> {
        let mut tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tls) = &*tls {
            return Ok(tls.clone());
        }
        Ok(tls.insert(tls::choice(state)?).clone())
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One accept loop. Requests on an address that was given up have as long as they need, until all of
/// mito stops.
async fn accept(gateway: Gateway, listening: Listening, shutdown: Shutdown) {
    let Listening { bound, tls, stop } = listening;
    let state = gateway.state();
    if tls.is_some() {
        tls::Certificates::start(state);
    }
    let (name, service) = (bound.name.clone(), gateway.service(&bound.name));
    let labels = [("entrypoint", name.clone()), ("protocol", "TCP".to_owned())];
    let connections = metrics::gauge!("traefik_open_connections", &labels);
    let limits: SharedLimits = state.limits.clone();
    let tls = tls.map(|choice| choice as Arc<dyn TlsChoice>);
    let deadline = async {
        shutdown.begun().await;
        let drain_ms = state.settings.load().config.drain_ms;
        tokio::time::sleep(Duration::from_millis(drain_ms)).await;
    };
    let ended =
        listener::serve_http_counted(bound, service, tls, limits, stop, deadline, connections);
    if let Err(error) = ended.await {
        tracing::error!(%error, entrypoint = name, "an entry point stopped accepting");
    }
}
