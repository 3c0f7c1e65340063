//! The Redis protocol; here the answers alone, without anything that reads or writes a socket.
pub(crate) mod reply;
pub(crate) use reply::Reply;
