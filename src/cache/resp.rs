//! The Redis protocol; here the answers alone, without anything that reads or writes a socket.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the commands and the writer use the rest"
)]
pub(crate) mod reply;
pub(crate) use reply::Reply;
