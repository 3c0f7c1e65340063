//! The gateway as a whole: in process, by sockets, by TLS, and in front of other servers.

mod acme;
mod answers;
mod api;
mod files;
mod harness;
mod in_flight;
mod metrics;
mod protocols;
mod reconfigure;
mod reload;
mod sharing;
mod sockets;
mod tls;
mod tls_options;
mod upstreams;
