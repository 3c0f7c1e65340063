//! What is known of the connection that a request came by. Roles read this and never a forwarding
//! header.

use std::net::{IpAddr, SocketAddr};

/// Inserted into the extensions of every request by the gateway and by published listeners.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// The address at the other end of the socket.
    pub peer: SocketAddr,
    /// The client's address: the peer, or what a trusted proxy said of it.
    pub client_ip: IpAddr,
    /// `http` or `https`; `tcp` for connections of another protocol.
    pub scheme: &'static str,
    /// The host that the request is for, lower case, without port; empty before the head is read.
    pub host: String,
    /// What TLS negotiated, if the connection is encrypted.
    pub tls: Option<TlsInfo>,
    /// The entry point (`web`, `websecure`, `traefik`) or the published service's name.
    pub entrypoint: String,
    /// Follows the request from here through jobs to e-mail.
    pub request_id: String,
}

/// What TLS negotiated.
#[derive(Clone, Debug)]
pub struct TlsInfo {
    /// The name the client asked for.
    pub server_name: Option<String>,
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: String,
}
