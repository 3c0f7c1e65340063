//! Entry points: which addresses are taken, with what fallback, and what is said about it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use mito_network::listener::{self, Bound};

use crate::{EntryPoint, Error, config, state::is_local};

/// The entry points by name, with the ports taken when nothing is configured: the wanted one, then
/// the one that needs no privilege.
const DEFAULTS: [(&str, u16, u16); 3] = [
    ("web", 80, 8_000),
    ("websecure", 443, 8_443),
    ("traefik", 8_080, 0),
];

/// Where the entry points are to listen.
#[derive(Clone, Debug)]
pub(crate) struct Addresses(Vec<Wanted>);

/// An entry point as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    name: &'static str,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The operator's choice: this or nothing.
    Exactly(SocketAddr),
    /// The default port, else the fallback.
    Default {
        address: IpAddr,
        port: u16,
        fallback: u16,
    },
}

/// The listeners of an entry point, with what is said of them.
pub(crate) struct Taken {
    pub(crate) bound: Vec<Bound>,
    pub(crate) entrypoint: EntryPoint,
}

impl Addresses {
    /// Reads the configured addresses.
    pub(crate) fn read(config: &config::EntryPoints, domain: &str) -> Result<Self, Error> {
        let configured = [&config.web, &config.websecure, &config.traefik];
        let mut wanted = Vec::new();
        for ((name, port, fallback), entry) in DEFAULTS.into_iter().zip(configured) {
            let place = match entry.address.trim() {
                "off" => continue,
                "" => {
                    let address = if is_local(domain) || name == "traefik" {
                        IpAddr::V4(Ipv4Addr::LOCALHOST)
                    } else {
                        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
                    };
                    Place::Default {
                        address,
                        port,
                        fallback,
                    }
                }
                address => Place::Exactly(parse(name, address)?),
            };
            wanted.push(Wanted { name, place });
        }
        Ok(Self(wanted))
    }

    /// The port that `websecure` is meant to have, 0 when it is off (or not known before binding,
    /// which a redirect then learns from what was bound).
    pub(crate) fn https_port(&self) -> u16 {
        let secure = self.0.iter().find(|wanted| wanted.name == "websecure");
        secure.map_or(0, |wanted| match wanted.place {
            Place::Exactly(address) => address.port().max(1),
            Place::Default { port, .. } => port,
        })
    }

    /// The entry points, in the order in which they are taken and shown.
    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.0
    }

    /// The place of an entry point in that order.
    pub(crate) fn rank(name: &str) -> usize {
        let known = DEFAULTS.iter().position(|(known, ..)| *known == name);
        known.unwrap_or(DEFAULTS.len())
    }
}

impl Wanted {
    /// The same entry point at this very address.
    pub(crate) fn exactly(&self, address: SocketAddr) -> Self {
        Self {
            name: self.name,
            place: Place::Exactly(address),
        }
    }

    /// The port that it takes if it may.
    pub(crate) fn port(&self) -> u16 {
        match self.place {
            Place::Exactly(address) => address.port(),
            Place::Default { port, .. } => port,
        }
    }

    /// Takes the address; a default one that may not be taken has another in its place.
    pub(crate) fn bind(&self) -> Result<Taken, Error> {
        let first = self.first_choice();
        let refused = match self.bind_family(first) {
            Ok(bound) => return Ok(self.taken(bound, None)),
            Err(error) => error,
        };
        let Place::Default {
            address,
            port,
            fallback,
        } = self.place
        else {
            return Err(self.failure(first, &refused));
        };
        let second = SocketAddr::from((address, fallback));
        let bound = self
            .bind_family(second)
            .map_err(|error| self.failure(second, &error))?;
        let note = format!(
            "{} listens on port {} because port {port} {}",
            self.name,
            bound.address.port(),
            reason(&refused)
        );
        Ok(self.taken(bound, Some(note)))
    }

    /// Takes the address, or none.
    pub(crate) fn bind_first_choice(&self) -> io::Result<Taken> {
        Ok(self.taken(self.bind_family(self.first_choice())?, None))
    }

    fn first_choice(&self) -> SocketAddr {
        match self.place {
            Place::Exactly(address) => address,
            Place::Default { address, port, .. } => SocketAddr::from((address, port)),
        }
    }

    fn taken(&self, bound: Bound, note: Option<String>) -> Taken {
        let address = bound.address;
        let mut taken = Taken {
            bound: vec![bound],
            entrypoint: EntryPoint {
                name: self.name.to_owned(),
                address,
                note,
            },
        };
        // `localhost` is ::1 first for many programs; whoever else has it keeps it.
        let also_v6 = matches!(self.place, Place::Default { .. })
            && address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
        if also_v6 {
            let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
            match listener::bind(self.name, v6) {
                Ok(bound) => taken.bound.push(bound),
                Err(error) => tracing::debug!(%error, address = %v6, "not listening on IPv6"),
            }
        }
        taken
    }

    /// Binds all addresses of both families, or by default those of IPv4 where there is no IPv6.
    fn bind_family(&self, address: SocketAddr) -> io::Result<Bound> {
        let both = matches!(self.place, Place::Default { .. })
            && address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        match listener::bind(self.name, address) {
            Err(error) if both => {
                if matches!(
                    error.kind(),
                    io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                ) {
                    return Err(error);
                }
                let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
                listener::bind(self.name, v4)
            }
            outcome => outcome,
        }
    }

    fn failure(&self, address: SocketAddr, error: &io::Error) -> Error {
        Error::Bind {
            entrypoint: self.name.to_owned(),
            address: address.to_string(),
            reason: format!(
                "the port {}; choose another with --set gateway.entrypoints.{}.address=127.0.0.1:0 \
                 (0 takes any free port) or switch it off with \"off\"",
                reason(error),
                self.name
            ),
        }
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
        io::ErrorKind::PermissionDenied => "needs a privilege this user does not have".to_owned(),
        _ => format!("cannot be taken ({error})"),
    }
}

/// Reads `address:port`, `:port` (all addresses, as Traefik writes it) or `localhost:port`.
fn parse(name: &str, text: &str) -> Result<SocketAddr, Error> {
    let spelled = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.starts_with(':') => format!("[::]{text}"),
        None => text.to_owned(),
    };
    spelled.parse().map_err(|_| Error::Bind {
        entrypoint: name.to_owned(),
        address: text.to_owned(),
        reason: "that is not an address such as 127.0.0.1:8000, :80 or \"off\"".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(web: &str) -> config::EntryPoints {
        let off = config::EntryPoint {
            address: "off".to_owned(),
        };
        config::EntryPoints {
            web: config::EntryPoint {
                address: web.to_owned(),
            },
            websecure: off.clone(),
            traefik: off,
        }
    }

    fn place(web: &str, domain: &str) -> Place {
        let read = Addresses::read(&config(web), domain).unwrap_or_else(|error| panic!("{error}"));
        read.0[0].place.clone()
    }

    #[test]
    fn localhost_stays_on_loopback_and_a_domain_does_not() {
        let check = |web: &str, domain: &str, expected: &str| match place(web, domain) {
            Place::Exactly(address) => assert_eq!(address.to_string(), expected),
            Place::Default { address, port, .. } => {
                assert_eq!(SocketAddr::from((address, port)).to_string(), expected);
            }
        };
        check("", "localhost", "127.0.0.1:80");
        check("", "example.com", "[::]:80");
        check(":8000", "localhost", "[::]:8000");
        check("localhost:81", "example.com", "127.0.0.1:81");
        check("10.0.0.1:0", "localhost", "10.0.0.1:0");
        assert!(Addresses::read(&config("nonsense"), "localhost").is_err());
        assert!(Addresses::read(&config("8000"), "localhost").is_err());
    }

    #[test]
    fn an_explicit_address_must_be_free() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = held.local_addr().expect("an address").to_string();
        let addresses = Addresses::read(&config(&address), "localhost").expect("it parses");
        let Err(Error::Bind {
            entrypoint,
            address: named,
            reason,
        }) = addresses.0[0].bind()
        else {
            panic!("two programs on one port");
        };
        assert_eq!((entrypoint.as_str(), named), ("web", address));
        assert!(reason.contains("taken by another program"), "{reason}");
        assert!(
            reason.contains("gateway.entrypoints.web.address"),
            "{reason}"
        );
    }

    #[test]
    fn a_default_port_falls_back_with_a_notice() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = held.local_addr().expect("an address").port();
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let wanted = Wanted {
            name: "web",
            place: Place::Default {
                address,
                port,
                fallback: 0,
            },
        };
        let taken = wanted.bind().unwrap_or_else(|error| panic!("{error}"));
        let note = taken.entrypoint.note.expect("a notice");
        assert!(note.contains(&format!("port {port} is taken")), "{note}");
        assert_ne!(taken.entrypoint.address.port(), port);
    }
}
