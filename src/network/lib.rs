//! What the Docker bridge was: services by name, with a port, a protocol, a handler, a health
//! check, dependencies and an exposure. A request for `http://api:3000` goes straight into the
//! handler; a socket exists only where one is published.
//!
//! | module | what it holds |
//! |---|---|
//! | [`service`] | what a role registers |
//! | [`registry`] | [`Network`]: lookup, in-process dispatch, states |
//! | [`start`] | the start in phases, gated by health |
//! | [`listener`] | binding, the accept loop shared by gateway and published ports, TLS plumbing |
//! | [`admission`] | which request heads are let in |
//! | [`connection`] | [`ConnectionInfo`], which roles read instead of forwarding headers |
//! | [`authenticator`] | who sent this request: the trait that `records` implements |
//! | [`paths`] | the one spelling of a path |
//! | [`problem`] | RFC 9457 problem details |
//! | [`timer`] | the time limits of connections |

pub mod admission;
pub mod authenticator;
pub mod connection;
pub mod listener;
pub mod paths;
pub mod problem;
pub mod registry;
pub mod service;
pub mod start;
pub mod timer;
mod unavailable;

pub use authenticator::{Authenticator, Identity};
pub use connection::ConnectionInfo;
pub use problem::Problem;
pub use registry::Network;
pub use service::{Exposure, Handler, HealthCheck, HttpService, Protocol, Service, Task};
