//! What routers do beside forwarding. The order in which they run is visible in
//! [`crate::exchange`].

pub(crate) mod compress;
pub(crate) mod rate_limit;
pub(crate) mod redirect;
pub(crate) mod security;
