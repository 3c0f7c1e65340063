//! `MULTI`, `EXEC` and `WATCH`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;

use super::{Outcome, Session};
use crate::{commands::Spec, database::Key, engine::Engine, fault::Fault, resp::Reply};

/// The most commands and bytes of one transaction.
const MAX_COMMANDS: usize = 1_000_000;
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// A transaction that is being put together.
#[derive(Debug, Default)]
pub(super) struct Queued {
    commands: Vec<(&'static Spec, Vec<Bytes>)>,
    bytes: usize,
    spoiled: bool,
}

impl Queued {
    /// It cannot be executed any more.
    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }
}

impl Session {
    pub(super) fn multi(&mut self) -> Result<Reply, Fault> {
        if self.queued.is_some() {
            return Err(Fault::error("ERR MULTI calls can not be nested"));
        }
        self.queued = Some(Queued::default());
        self.client.multi.store(0, Ordering::Relaxed);
        Ok(Reply::OK)
    }

    /// Keeps a command for `EXEC`.
    pub(super) fn queue(
        &mut self,
        spec: &'static Spec,
        arguments: &[Bytes],
    ) -> Result<Outcome, Fault> {
        let Some(queued) = &mut self.queued else {
            return Err(Fault::SYNTAX);
        };
        queued.bytes += arguments.iter().map(Bytes::len).sum::<usize>();
        if queued.commands.len() >= MAX_COMMANDS || queued.bytes > MAX_BYTES {
            queued.spoil();
            queued.commands.clear();
            return Err(Fault::error("ERR the transaction is too large"));
        }
        queued.commands.push((spec, arguments.to_vec()));
        let count = i64::try_from(queued.commands.len()).unwrap_or(i64::MAX);
        self.client.multi.store(count, Ordering::Relaxed);
        Ok(Outcome::Reply(Reply::Status("QUEUED")))
    }

    pub(super) fn exec(&mut self, engine: &mut Engine) -> Result<Outcome, Fault> {
        let Some(queued) = self.queued.take() else {
            return Err(Fault::error("ERR EXEC without MULTI"));
        };
        self.client.multi.store(-1, Ordering::Relaxed);
        let changed = self.watch_is_broken(engine);
        self.unwatch(engine);
        if queued.spoiled {
            return Err(Fault::error(
                "EXECABORT Transaction discarded because of previous errors.",
            ));
        }
        if changed {
            return Ok(Outcome::Reply(Reply::NilArray));
        }
        let mut replies = Vec::with_capacity(queued.commands.len());
        let mut everywhere = false;
        for (spec, arguments) in queued.commands {
            match self.run(engine, spec, &arguments) {
                Ok(Outcome::Reply(reply) | Outcome::Quit(reply)) => replies.push(reply),
                Ok(Outcome::Replies(several)) => replies.extend(several),
                Ok(Outcome::ClearEverywhere(reply)) => {
                    everywhere = true;
                    replies.push(reply);
                }
                Ok(Outcome::Move(db)) => replies.push(crate::engine::other_home(db).into_reply()),
                Ok(Outcome::Wait(waited)) => replies.push(waited.otherwise),
                Err(fault) => replies.push(fault.into_reply()),
            }
        }
        if everywhere {
            return Ok(Outcome::ClearEverywhere(Reply::Array(replies)));
        }
        Ok(Outcome::Reply(Reply::Array(replies)))
    }

    pub(super) fn discard(&mut self, engine: &mut Engine) -> Result<Reply, Fault> {
        if self.queued.take().is_none() {
            return Err(Fault::error("ERR DISCARD without MULTI"));
        }
        self.client.multi.store(-1, Ordering::Relaxed);
        self.unwatch(engine);
        Ok(Reply::OK)
    }

    pub(super) fn watch(
        &mut self,
        engine: &mut Engine,
        arguments: &[Bytes],
    ) -> Result<Reply, Fault> {
        if self.queued.is_some() {
            return Err(Fault::error("ERR WATCH inside MULTI is not allowed"));
        }
        let watch = self
            .watch
            .get_or_insert_with(|| Arc::new(AtomicBool::new(false)));
        for key in &arguments[1..] {
            // One that has expired already is not there, and expires no more.
            engine.core.lives(self.db, key);
            let place = (self.db, Key::from(&key[..]));
            if !self.watched.contains(&place) {
                engine.core.databases[self.db].watch(key, Arc::clone(watch));
                self.watched.push(place);
            }
        }
        Ok(Reply::OK)
    }

    fn watch_is_broken(&mut self, engine: &mut Engine) -> bool {
        for (db, key) in &self.watched {
            // Expiring is a change too, and nobody may have noticed yet.
            engine.core.lives(*db, key);
        }
        self.watch
            .as_ref()
            .is_some_and(|watch| watch.load(Ordering::Relaxed))
    }

    /// Watches nothing any more.
    pub(crate) fn unwatch(&mut self, engine: &mut Engine) {
        if let Some(watch) = self.watch.take() {
            for (db, key) in self.watched.drain(..) {
                engine.core.databases[db].unwatch(&key, &watch);
            }
        }
    }

    /// Whether any key is watched.
    pub(super) fn watches(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Forgets the transaction.
    pub(super) fn forget_transaction(&mut self) {
        self.queued = None;
        self.client.multi.store(-1, Ordering::Relaxed);
    }
}
