//! What routers do beside forwarding: Traefik's middlewares under its names and options, and the
//! platform's own. A middleware is a [`chain::Layer`] around what comes after it; the order is
//! that of the router's list.

mod add_prefix;
mod answers;
mod basic_auth;
mod bodies;
mod buffering;
pub(crate) mod chain;
pub(crate) mod compress;
mod content_type;
mod digest_auth;
mod encoded_characters;
mod errors;
mod forward_auth;
mod grpc_web;
mod headers;
mod in_flight_req;
mod ip_allow_list;
pub(crate) mod kept;
pub(crate) mod outgoing;
mod pass_tls_client_cert;
mod ranges;
pub(crate) mod rate_limit;
pub(crate) mod redirect;
mod redirect_regex;
mod redirect_scheme;
mod replace_path;
mod replace_path_regex;
mod retry;
mod rewriting;
pub(crate) mod security;
mod source;
mod statuses;
mod strip_prefix;
mod strip_prefix_regex;
pub(crate) mod table;
#[cfg(test)]
mod testing;
