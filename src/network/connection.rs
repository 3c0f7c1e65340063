//! What is known of the connection that a request came by, and what ends with it. Roles read this and
//! never a forwarding header.

use std::{
    any::Any,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// Inserted into the extensions of every request by the gateway and by published listeners. Cheap to
/// clone, because every part of the way does.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// The address at the other end of the socket.
    pub peer: SocketAddr,
    /// The client's address: the peer, or what a trusted proxy said of it.
    pub client_ip: IpAddr,
    /// `http` or `https`; `tcp` for connections of another protocol.
    pub scheme: &'static str,
    /// The host that the request is for, lower case, without port; empty before the head is read.
    pub host: Arc<str>,
    /// What TLS negotiated, if the connection is encrypted.
    pub tls: Option<Arc<TlsInfo>>,
    /// The entry point (`web`, `websecure`, `traefik`) or the published service's name.
    pub entrypoint: Arc<str>,
    /// Follows the request from here through jobs to e-mail.
    pub request_id: Arc<str>,
}

/// What TLS negotiated.
#[derive(Clone, Debug)]
pub struct TlsInfo {
    /// The name the client asked for.
    pub server_name: Option<String>,
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: Arc<str>,
    /// The cipher suite by its name of the IANA, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: Arc<str>,
    /// What the listener calls the configuration that the handshake was made with.
    pub configuration: Arc<str>,
    /// The certificate that the client showed, then those that lead to its root, as DER.
    pub client_certificates: Arc<[Vec<u8>]>,
}

/// The life of a connection of HTTP/1, in the extensions of its requests: one that was upgraded goes
/// on when the exchange is over, and what counts it has to count until then.
#[derive(Clone)]
pub struct Lifetime(Arc<Mutex<Option<Held>>>);

type Held = Vec<Box<dyn Any + Send>>;

/// Ends a [`Lifetime`] when it is dropped.
pub(crate) struct Living(Lifetime);

impl Lifetime {
    /// One that has begun, and what ends it.
    pub(crate) fn begin() -> (Self, Living) {
        let lifetime = Self(Arc::new(Mutex::new(Some(Vec::new()))));
        (lifetime.clone(), Living(lifetime))
    }

    /// Keeps `held` until the connection has ended.
    pub fn hold(&self, held: impl Any + Send) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(all) = all.as_mut() {
            all.push(Box::new(held));
        }
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lifetime").finish_non_exhaustive()
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let ended = self
            .0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // What is dropped here may look at the connection once more.
        drop(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::Lifetime;

    #[test]
    fn what_is_held_goes_with_the_connection() {
        let (lifetime, living) = Lifetime::begin();
        let held = std::sync::Arc::new(());
        lifetime.hold(held.clone());
        assert_eq!(std::sync::Arc::strong_count(&held), 2);
        drop(living);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
        lifetime.hold(held.clone());
        assert_eq!(std::sync::Arc::strong_count(&held), 1, "it is over");
    }
}
