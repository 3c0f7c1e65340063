//! Connections that wait for a request. The one that was used last is taken first, so that those
//! which are too many grow old and are closed.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::{Server, connection::Connection};

/// The idle connections of all servers.
pub(super) struct Idle {
    keep: Duration,
    most: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    by_server: HashMap<Server, VecDeque<(Instant, Connection)>>,
    /// Whether somebody throws out what is too old.
    swept: bool,
}

impl Idle {
    /// Keeps connections for `keep`, up to `most` of each server.
    pub(super) fn new(keep: Duration, most: usize) -> Self {
        let places = Mutex::default();
        Self { keep, most, places }
    }

    /// A connection that works as far as is known.
    pub(super) fn take(&self, server: &Server) -> Option<Connection> {
        loop {
            let taken = self.places().by_server.get_mut(server)?.pop_back();
            let (since, mut connection) = taken?;
            if since.elapsed() < self.keep && connection.still_works() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection; true asks for [`Idle::sweep`] to be run.
    pub(super) fn put(&self, server: Server, connection: Connection) -> bool {
        let mut places = self.places();
        let place = places.by_server.entry(server).or_default();
        place.push_back((Instant::now(), connection));
        let extra = (place.len() > self.most)
            .then(|| place.pop_front())
            .flatten();
        let asks = !std::mem::replace(&mut places.swept, true);
        // Closing it is a call into the system.
        drop(places);
        drop(extra);
        asks
    }

    /// Throws out what is too old, until nothing is left.
    pub(super) async fn sweep(idle: Weak<Self>) {
        loop {
            let Some(pause) = idle.upgrade().and_then(|idle| idle.throw_out()) else {
                return;
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait before the next one is too old; none when nothing is left.
    fn throw_out(&self) -> Option<Duration> {
        let mut old = Vec::new();
        let mut places = self.places();
        let mut pause = None;
        places.by_server.retain(|_, place| {
            while let Some((since, _)) = place.front() {
                let left = self.keep.saturating_sub(since.elapsed());
                if !left.is_zero() {
                    pause = Some(pause.map_or(left, |pause: Duration| pause.min(left)));
                    break;
                }
                old.extend(place.pop_front());
            }
            !place.is_empty()
        });
        places.swept = pause.is_some();
        drop(places);
        drop(old);
        pause
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
