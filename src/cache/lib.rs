//! The Redis role, and the roles' own cache.
//!
//! [`Redis`] keeps sixteen databases for programs that speak the Redis protocol and, by [`Keys`], for
//! the roles of this process. Memory is the truth: an executor thread runs the commands of the durable
//! databases one after the other, another one those of the cache databases, so commands, transactions
//! and scripts are atomic. What the durable ones acknowledge is in the append-only file; the cache
//! databases let keys go when memory is short and begin empty.
//!
//! [`Cache`] is what roles may rebuild, which no client sees, with sled behind it for a warm restart;
//! what is on disk there follows within a second and is thrown away rather than repaired when it
//! cannot be read. Nothing whose loss would break a promise lives only in it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`redis`] | [`Redis`]: opens the databases, serves connections |
//! | `handle` | [`Keys`], [`Lock`], [`Subscription`]: the databases in process |
//! | `server` | the executors' threads, connections, rewriting of the append-only file |
//! | `session`, `clients`, `pubsub`, `shared` | a connection's state; what connections share |
//! | `engine`, `core`, `context` | one executor: units of commands, and what a command sees |
//! | `commands` | a table and the functions of each family of commands |
//! | `data`, `database`, `eviction`, `waiting` | values by type, keys, what goes, who blocks |
//! | `script` | Lua |
//! | `journal`, `copying`, `aof`, `rdb` | what is written down, and read again |
//! | `resp`, `fault`, `number`, `glob` | the protocol, errors, numbers, patterns; no I/O |
//! | [`cache`] | [`Cache`]: the roles' own |
//! | `keyspace` | its keys, values, expiry, order of use and accounting; no clock, lock or disk |
//! | [`spill`] | [`SpillStore`](spill::SpillStore) and its sled engine, on a thread of their own |
//! | `sweep` | the thread that removes what has expired from it |

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
