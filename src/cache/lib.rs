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
//! | [`spill`] | [`SpillStore`](spill::SpillStore) and its sled engine, on a thread of their own |
//! | `sweep` | the thread that removes what has expired |

mod aof;
pub mod cache;
mod clients;
mod commands;
mod context;
mod copying;
mod core;
mod data;
mod database;
mod engine;
pub mod eviction;
mod fault;
mod glob;
mod handle;
mod journal;
mod keyspace;
mod number;
mod pubsub;
mod rdb;
pub mod redis;
mod resp;
mod script;
mod server;
mod session;
mod shared;
pub mod spill;
mod sweep;
#[cfg(test)]
mod testing;
mod waiting;

pub use cache::{Cache, Config, Error, Stats};
pub use handle::{HandleError, Keys, Lock, Subscription};
pub use redis::Redis;
