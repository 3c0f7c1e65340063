//! **mito**: every network role of a platform in one process.
//!
//! # Code map
//!
//! | path | what lives there |
//! |---|---|
//! | `main.rs`, [`cli`] | arguments, commands, what the terminal shows |
//! | [`app`] | the composition root: the only file that names every role |
//! | [`config`] | the whole configuration, put together from the roles' sections |
//! | [`control`] | the socket by which commands talk to a running mito |
//! | [`data_folder`] | the user's data folder: made, locked, recognised |
//! | [`starter`] | imports a starter of `data/starters` |
//! | `src/<role>/` | one member crate per network role |
//!
//! Dependencies point down only: application roles (`gateway`, `api`, `admin`, `mobile`) and worker
//! roles (`notifications`, `ai`) stand on `records`, which stands on `objects`, `queue`, `database`
//! and `cache`, which stand on `network` and `core`. Roles on one level never import each other;
//! `tests/it/tidy.rs` holds the table.
//!
//! # Invariants
//!
//! * An acknowledged write is on disk: SQLite commits with `synchronous=FULL`, files are synced
//!   before the row that points at them commits.
//! * An event commits with the data it speaks of, and a relay stores its cursor with the effect, so
//!   every event takes effect exactly once.
//! * A job's effects commit with its completion, fenced by the lease's token.
//! * Only the supervisor starts long-lived tasks, only `core::config` reads the environment, only
//!   `core::egress` connects outwards on a user's say-so.
//!
//! # Three walkthroughs
//!
//! **A request.** `network::listener` accepts, admits and adds `ConnectionInfo`; `gateway` finds
//! the router for host and path and runs its middlewares; `network::Network::dispatch` calls the
//! role's handler in process; for the API that is `api`, which asks `records`, which reads or
//! writes through `database`.
//!
//! **A job.** `objects` commits an object's row and its event in `objects.db`; `ai`'s relay turns
//! the event into a job of `mito.db`; a worker claims it with a lease, the handler computes, and
//! `Running::complete` commits the new record together with the job's completion; the record's own
//! event becomes deliveries in `notifications` by the same path.
//!
//! **A start.** [`app::App::open`] opens the storage in parallel and builds every role;
//! [`app::App::bind`] takes the ports; [`app::App::start`] starts the network, which gates each role
//! by the health of those it depends on; [`app::App::serve`] opens the gateway last. While it runs,
//! `app::reload` puts a changed configuration in place.

pub mod app;
pub mod cli;
pub mod config;
pub mod control;
pub mod data_folder;
pub mod starter;
