//! The Redis protocol without I/O: requests in, answers out, in versions 2 and 3.
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>

pub(crate) mod encode;
pub(crate) mod reply;
pub(crate) mod request;

pub(crate) use encode::{command, encode, size_bytes};
pub(crate) use reply::Reply;
pub(crate) use request::Decoder;

#[cfg(test)]
mod tests;
