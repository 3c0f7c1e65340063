//! The gateway as a whole: in process, by sockets, by TLS, and in front of other servers.

mod answers;
mod harness;
mod metrics;
mod sockets;
mod tls;
mod upstreams;
