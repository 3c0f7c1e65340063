//! What may be rebuilt: a keyspace with expiry and bounds, in memory, with sled behind it for a warm
//! restart. Nothing whose loss would break a promise lives only here.
//!
//! Memory is the truth. What is on disk follows within a second, is read once at the start, and is
//! thrown away rather than repaired when it cannot be read.
//!
//! | module | what it holds |
//! |---|---|
//! | `aof` | the append-only file that makes a database durable, in Redis's format |
//! | [`cache`] | [`Cache`]: the handle |
//! | `keyspace` | keys, values, expiry, order of use and accounting; no clock, no lock, no disk |
//! | `rdb` | the reader of Redis's database files |
//! | [`spill`] | [`SpillStore`](spill::SpillStore) and its sled engine, on a thread of their own |
//! | `sweep` | the thread that removes what has expired |

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the engine of the Redis protocol opens it")
)]
mod aof;
pub mod cache;
mod keyspace;
mod rdb;
pub mod spill;
mod sweep;

pub use cache::{Cache, Config, Error, Stats};
