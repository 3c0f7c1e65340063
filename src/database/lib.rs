//! The embedded database: one writer thread with group commit, a pool of readers, an outbox in
//! every file, migrations and online backup. No other crate touches rusqlite.
//!
//! | module | what it holds |
//! |---|---|
//! | [`database`] | [`Database`]: the handle with `read`, `write`, `exclusive`, `backup` |
//! | [`tx`] | [`Tx`]: `query`, `query_one`, `execute`, events; the same on both engines |
//! | [`console`] | statements typed by an administrator |
//! | [`foreign`] | SQLite files of other programs, read for an import |
//! | [`value`] | [`Value`] and [`Row`] |
//! | [`migrations`] | numbered SQL per role |
//! | [`outbox`] | [`Event`]s that commit with the data |
//! | `sqlite` | the engine on SQLite |
//! | `postgres` | the engine on PostgreSQL |

#[cfg(test)]
mod behaviour;
pub mod console;
pub mod database;
pub mod error;
pub mod foreign;
pub mod geo;
pub mod migrations;
pub mod outbox;
mod postgres;
mod queue;
mod sqlite;
pub mod tx;
pub mod value;
mod work;

pub use database::{Database, Lane, Options};
pub use error::Error;
pub use foreign::ForeignFile;
pub use migrations::{Migration, Migrations};
pub use outbox::{Action, Event, NewEvent};
pub use tx::{Dialect, Tx};
pub use value::{FromValue, Row, ToValue, Value, ValueRef};
