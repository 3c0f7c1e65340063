//! Clients that wait for keys, in the order in which they came.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use foldhash::fast::RandomState;
use tokio::sync::oneshot;

use crate::{commands::Spec, database::Key, fault::Wait, resp::Reply};

/// A command that has nothing to answer yet.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) spec: &'static Spec,
    pub(crate) protocol: u8,
    pub(crate) arguments: Vec<Bytes>,
    pub(crate) answer: oneshot::Sender<Reply>,
    otherwise: Reply,
    db: usize,
    keys: Vec<Bytes>,
}

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    waiters: HashMap<u64, Waiter, RandomState>,
    by_key: HashMap<(usize, Key), VecDeque<u64>, RandomState>,
    signals: VecDeque<(usize, Key)>,
    last_id: u64,
}

impl Waiting {
    /// How many clients wait.
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// A client begins to wait; what names it, and where its answer comes.
    pub(crate) fn begin(
        &mut self,
        spec: &'static Spec,
        db: usize,
        protocol: u8,
        arguments: Vec<Bytes>,
        wait: Wait,
    ) -> (u64, oneshot::Receiver<Reply>) {
        self.last_id += 1;
        let id = self.last_id;
        for key in &wait.keys {
            let place = (db, Key::from(&key[..]));
            self.by_key.entry(place).or_default().push_back(id);
        }
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            spec,
            protocol,
            arguments: wait.again.unwrap_or(arguments),
            answer,
            otherwise: wait.otherwise,
            db,
            keys: wait.keys,
        };
        self.waiters.insert(id, waiter);
        (id, answered)
    }

    /// A client waits no more.
    pub(crate) fn end(&mut self, id: u64) {
        if let Some(waiter) = self.waiters.remove(&id) {
            self.forget(id, waiter.db, &waiter.keys);
        }
    }

    fn forget(&mut self, id: u64, db: usize, keys: &[Bytes]) {
        for key in keys {
            let place = (db, Key::from(&key[..]));
            if let Some(queue) = self.by_key.get_mut(&place) {
                queue.retain(|other| *other != id);
                if queue.is_empty() {
                    self.by_key.remove(&place);
                }
            }
        }
    }

    /// A key has changed: remembered if anybody waits for it.
    pub(crate) fn changed(&mut self, db: usize, key: &[u8]) {
        if self.by_key.is_empty() {
            return;
        }
        let place = (db, Key::from(key));
        if self.by_key.contains_key(&place) && self.signals.back() != Some(&place) {
            self.signals.push_back(place);
        }
    }

    /// Every key of the database may have changed.
    pub(crate) fn all_changed(&mut self, db: usize) {
        let places = self.by_key.keys().filter(|(of, _)| *of == db);
        self.signals.extend(places.cloned());
    }

    /// Ends a wait from outside, as its timeout would, or with an error; whether there was one.
    pub(crate) fn unblock(&mut self, id: u64, error: bool) -> bool {
        let Some(waiter) = self.waiters.remove(&id) else {
            return false;
        };
        self.forget(id, waiter.db, &waiter.keys);
        let reply = if error {
            Reply::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".to_owned())
        } else {
            waiter.otherwise
        };
        // One that has gone meanwhile needs no answer.
        let _ = waiter.answer.send(reply);
        true
    }

    pub(crate) fn next_signal(&mut self) -> Option<(usize, Key)> {
        self.signals.pop_front()
    }

    /// Those who wait for a key.
    pub(crate) fn of_key(&self, db: usize, key: &Key) -> Vec<u64> {
        let queue = self.by_key.get(&(db, Key::clone(key)));
        queue.into_iter().flatten().copied().collect()
    }

    /// Takes a waiter to try its command again.
    pub(crate) fn take(&mut self, id: u64) -> Option<Waiter> {
        self.waiters.remove(&id)
    }

    /// There is still nothing for it; its place in the queues was kept.
    pub(crate) fn put_back(&mut self, id: u64, waiter: Waiter) {
        self.waiters.insert(id, waiter);
    }

    /// It got its answer.
    pub(crate) fn served(&mut self, id: u64, waiter: &Waiter) {
        self.forget(id, waiter.db, &waiter.keys);
    }
}
