//! Lua scripts (`EVAL`, `EVALSHA`, `SCRIPT`) as Redis 7 runs them. It knows no keys: each command of
//! a script goes through the function that the caller hands in.
//!
//! A script is bounded three ways. Memory: the allocator of the Lua state. Time: a hook looks at the
//! clock every few thousand instructions, and everything that could catch an error (`pcall`,
//! `xpcall`, coroutines) raises a kill again. What runs in C, where no hook looks, is bounded by its
//! arguments: `string.rep` by memory, patterns by a bound on subject and repetitions, see
//! [`patterns`]. A state that was killed or ran out of memory is thrown away; scripts are compiled
//! again from their sources when they are next run.
//!
//! Differences from Redis: iterating over a library or over `_G` with `pairs` yields nothing, flags
//! in a `#!lua` line are checked but not enforced, and `os` has `clock` as in 7.2.

mod bit;
mod convert;
mod json;
mod number;
mod pack;
mod patterns;
mod raise;
mod redis;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};

use self::{state::State, store::Store};
use crate::resp::Reply;

/// The name of a script in error messages.
const CHUNK: &str = "user_script";

/// What one script may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of everything in the Lua state, compiled scripts included.
    pub(crate) memory_bytes: usize,
    /// How long a script may run before it is killed.
    pub(crate) time: Duration,
}

/// The Lua state cannot be made: the memory limit is too small.
#[derive(Debug, thiserror::Error)]
#[error("could not prepare a state for scripts: {0}")]
pub(crate) struct Error(#[from] mlua::Error);

/// The scripts of one executor thread.
pub(crate) struct Scripts {
    limits: Limits,
    store: Store,
    /// Absent when the last one was thrown away and its successor could not be made.
    state: Option<State>,
}

/// A call of a script: what it gets, and what executes its commands.
struct Call<'a> {
    keys: &'a [Bytes],
    arguments: &'a [Bytes],
    command: &'a mut dyn FnMut(&[Bytes]) -> Reply,
}

impl Scripts {
    pub(crate) fn new(limits: Limits) -> Result<Self, Error> {
        Ok(Self {
            limits,
            store: Store::default(),
            state: Some(State::new(limits)?),
        })
    }

    /// Compiles and keeps a script until [`flush`](Self::flush); its SHA-1 in lower-case hex.
    pub(crate) fn load(&mut self, source: &Bytes) -> Result<String, Reply> {
        let sha = sha(source);
        if !self.store.contains(&sha) {
            self.prepare(source, &sha)?;
        }
        self.store.keep(&sha, source)?;
        Ok(sha)
    }

    pub(crate) fn exists(&self, sha: &[u8]) -> bool {
        self.store.contains(&lower_case(sha))
    }

    /// Forgets all scripts.
    pub(crate) fn flush(&mut self) {
        self.store.clear();
        if let Some(state) = &mut self.state {
            state.forget_all();
        }
    }

    /// `EVAL`.
    pub(crate) fn eval(
        &mut self,
        source: &Bytes,
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        let sha = sha(source);
        if !self.store.contains(&sha) {
            if let Err(reply) = self.prepare(source, &sha) {
                return reply;
            }
            for evicted in self.store.remember(&sha, source) {
                if let Some(state) = &mut self.state {
                    state.forget(&evicted);
                }
            }
        }
        self.run(
            source,
            &sha,
            Call {
                keys,
                arguments,
                command: call,
            },
        )
    }

    /// `EVALSHA`.
    pub(crate) fn eval_sha(
        &mut self,
        sha: &[u8],
        keys: &[Bytes],
        arguments: &[Bytes],
        call: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        let sha = lower_case(sha);
        let Some(source) = self.store.source(&sha) else {
            return Reply::Error("NOSCRIPT No matching script. Please use EVAL.".to_owned());
        };
        self.run(
            &source,
            &sha,
            Call {
                keys,
                arguments,
                command: call,
            },
        )
    }

    fn run(&mut self, source: &Bytes, sha: &str, call: Call<'_>) -> Reply {
        if let Err(reply) = self.prepare(source, sha) {
            return reply;
        }
        let Some(state) = &mut self.state else {
            return no_state();
        };
        let reply = state.run(sha, call);
        if state.is_spent() {
            self.state = State::new(self.limits).ok();
        }
        reply
    }

    /// Compiles a script unless this state has it already.
    fn prepare(&mut self, source: &Bytes, sha: &str) -> Result<(), Reply> {
        if self.state.is_none() {
            self.state = State::new(self.limits).ok();
        }
        let Some(state) = &mut self.state else {
            return Err(no_state());
        };
        state.compile(source, sha)
    }
}

fn no_state() -> Reply {
    Reply::error("Error running script: not enough memory for a Lua state")
}

fn sha(source: &[u8]) -> String {
    hex::encode(Sha1::digest(source))
}

fn lower_case(sha: &[u8]) -> String {
    String::from_utf8_lossy(sha).to_ascii_lowercase()
}
