//! What may be rebuilt: a keyspace with expiry and bounds, in memory, with sled behind it for a warm
//! restart. Nothing whose loss would break a promise lives only here.
//!
//! Memory is the truth. What is on disk follows within a second, is read once at the start, and is
//! thrown away rather than repaired when it cannot be read.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cache`] | [`Cache`]: the handle |
//! | `keyspace` | keys, values, expiry, order of use and accounting; no clock, no lock, no disk |
//! | `script` | Lua scripts as Redis runs them; no keys of its own |
//! | [`spill`] | [`SpillStore`](spill::SpillStore) and its sled engine, on a thread of their own |
//! | `sweep` | the thread that removes what has expired |

pub mod cache;
mod keyspace;
mod resp;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the commands that run scripts call it")
)]
mod script;
pub mod spill;
mod sweep;

pub use cache::{Cache, Config, Error, Stats};
