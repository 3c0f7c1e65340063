//! Servers that share the requests of a service: by a strategy, with cookies that keep clients where
//! they are, and without those that do not work.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::body::Body;
use http::{Request, Response, StatusCode};
use mito_core::Random;
use mito_network::ConnectionInfo;
use tokio::time::Instant;

use super::{
    checks::Checks,
    health::Passive,
    room::holding,
    sticky::{StickyCookie, mark},
    strategy::{Candidate, Load, Strategy, fnv1a},
    upstream::{Client, Failure, Passing, Upstream},
};
use crate::dynamic::document::{LoadBalancer, ServersTransport};

/// The most servers of a service.
const MAX_SERVERS: usize = 1_000;
/// The largest weight.
const MAX_WEIGHT: u32 = 1_000_000;

/// A service with servers.
pub(crate) struct Balancer {
    name: String,
    /// What it was made of: while that stays, so do positions and states.
    config: LoadBalancer,
    transport: ServersTransport,
    pub(crate) servers: Vec<Server>,
    pub(crate) checks: Option<Checks>,
    cookie: Option<StickyCookie>,
    client: Client,
    strategy: Strategy,
}

/// A server.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) upstream: Upstream,
    weight: u32,
    /// Takes clients that are with it already, and no new ones.
    fenced: bool,
    mark: String,
    /// What stands for it where clients are shared out. Traefik's own names differ in the last digit
    /// alone where addresses do, and the heaviest server then gets all clients.
    name: String,
    load: Load,
    /// What the last check said.
    works: AtomicBool,
    passive: Option<Passive>,
}

/// Which server answered; an extension of its response.
#[derive(Clone, Debug)]
pub(crate) struct ServedBy(pub(crate) String);

/// Why a service did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// None of its servers works.
    NoServer,
    /// This one failed.
    Failed { url: String, failure: Failure },
}

impl Balancer {
    /// Makes a service; the error says which option is wrong.
    pub(crate) fn new(
        name: &str,
        config: &LoadBalancer,
        transport: &ServersTransport,
        client: Client,
        random: &Random,
    ) -> Result<Self, String> {
        let strategy = Strategy::parse(&config.strategy, config.servers.len(), random)?;
        if config.servers.len() > MAX_SERVERS {
            return Err(format!("servers: there are more than {MAX_SERVERS}"));
        }
        let servers: Vec<Server> = config
            .servers
            .iter()
            .enumerate()
            .map(|(position, server)| {
                let wrong = |reason: String| format!("servers[{position}].{reason}");
                let upstream = Upstream::with_base(&server.url, server.preserve_path)
                    .map_err(|reason| wrong(format!("url: {reason}")))?;
                let weight = server.weight.unwrap_or(1);
                if weight > MAX_WEIGHT {
                    return Err(wrong(format!("weight: {weight} is more than {MAX_WEIGHT}")));
                }
                Ok(Server {
                    url: server.url.clone(),
                    mark: mark(&server.url),
                    name: format!("{:016x}", fnv1a(&[&server.url])),
                    load: Load::default(),
                    upstream,
                    weight,
                    fenced: server.fenced,
                    works: AtomicBool::new(true),
                    passive: config.passive_health_check.as_ref().map(Passive::new),
                })
            })
            .collect::<Result<_, String>>()?;
        let cookie = match &config.sticky {
            Some(sticky) => StickyCookie::new(name, sticky)?,
            None => None,
        };
        let checks = config.health_check.as_ref().map(Checks::new).transpose()?;
        Ok(Self {
            name: name.to_owned(),
            strategy,
            servers,
            checks,
            cookie,
            client,
            config: config.clone(),
            transport: transport.clone(),
        })
    }

    /// Whether it was made of the same options.
    pub(crate) fn is_of(&self, config: &LoadBalancer, transport: &ServersTransport) -> bool {
        self.config == *config && self.transport == *transport
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether some server works.
    pub(crate) fn is_available(&self) -> bool {
        self.servers.iter().any(Server::is_up)
    }

    /// The state of each server by its address.
    pub(crate) fn states(&self) -> BTreeMap<String, String> {
        let state = |server: &Server| if server.is_up() { "UP" } else { "DOWN" };
        let each = self.servers.iter();
        each.map(|server| (server.url.clone(), state(server).to_owned()))
            .collect()
    }

    /// Sends a request to one of the servers.
    pub(crate) async fn send(
        &self,
        info: &ConnectionInfo,
        request: Request<Body>,
    ) -> Result<Response<Body>, Unserved> {
        let cookie = self.cookie.as_ref();
        let wanted = cookie.and_then(|cookie| cookie.read(request.headers()));
        let kept = wanted.and_then(|wanted| {
            let named = |server: &&Server| server.mark == wanted && server.is_up();
            self.servers.iter().find(named)
        });
        let is_new = kept.is_none();
        let server = kept.or_else(|| self.next(info)).ok_or(Unserved::NoServer)?;
        let passing = Passing {
            host: self.config.pass_host_header,
        };
        let (open, begun) = (server.load.enter(), Instant::now());
        let sent = self
            .client
            .send(&server.upstream, info, passing, request)
            .await;
        server.note(match &sent {
            Ok(response) => response.status() < StatusCode::INTERNAL_SERVER_ERROR,
            Err(failure) => !failure.is_of_server(),
        });
        let response = sent.map_err(|failure| Unserved::Failed {
            url: server.url.clone(),
            failure,
        })?;
        server.load.note(begun.elapsed());
        let mut response = response.map(|body| holding(body, open));
        if let Some(cookie) = cookie.filter(|_| is_new) {
            cookie.set(response.headers_mut(), &server.mark);
        }
        let served_by = ServedBy(server.url.clone());
        response.extensions_mut().insert(served_by);
        Ok(response)
    }

    /// The server that a new client gets.
    fn next(&self, info: &ConnectionInfo) -> Option<&Server> {
        let each = self.servers.iter().enumerate();
        let each = each.filter(|(_, server)| !server.fenced && server.is_up());
        let candidates: Vec<Candidate<'_>> = each
            .map(|(position, server)| Candidate {
                position,
                weight: server.weight,
                name: &server.name,
                load: &server.load,
            })
            .collect();
        let chosen = self.strategy.choose(&candidates, info.peer.ip());
        chosen.map(|position| &self.servers[position])
    }
}

impl Server {
    /// Whether it gets requests.
    pub(crate) fn is_up(&self) -> bool {
        let is_spared = || {
            self.passive
                .as_ref()
                .is_some_and(|it| it.is_down(Instant::now()))
        };
        self.works.load(Ordering::Relaxed) && !is_spared()
    }

    /// Takes what a check said; whether that is news.
    pub(crate) fn set_works(&self, works: bool) -> bool {
        self.works.swap(works, Ordering::Relaxed) != works
    }

    /// Whether the last check was good.
    pub(crate) fn works(&self) -> bool {
        self.works.load(Ordering::Relaxed)
    }

    fn note(&self, good: bool) {
        if let Some(passive) = &self.passive {
            passive.note(good, Instant::now());
        }
    }
}

/// Turns in proportion to weights, spread as evenly as they can be: each turn adds every weight to
/// its credit, and who has most pays the sum of all.
#[derive(Debug)]
pub(crate) struct Wheel(Vec<i64>);

impl Wheel {
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![0; count])
    }

    /// Whose turn it is; nobody's when all weights are 0.
    pub(crate) fn turn(&mut self, weight: impl Fn(usize) -> u32) -> Option<usize> {
        let mut sum = 0;
        let mut best: Option<usize> = None;
        for position in 0..self.0.len() {
            let weight = i64::from(weight(position));
            if weight == 0 {
                continue;
            }
            sum += weight;
            self.0[position] += weight;
            if best.is_none_or(|best| self.0[position] > self.0[best]) {
                best = Some(position);
            }
        }
        let best = best?;
        self.0[best] -= sum;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::Wheel;

    #[test]
    fn turns_are_in_proportion_and_spread() {
        let weights = [5, 1, 1, 0];
        let mut wheel = Wheel::new(weights.len());
        let turns: Vec<usize> = (0..14)
            .filter_map(|_| wheel.turn(|position| weights[position]))
            .collect();
        assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(wheel.turn(|_| 0), None);
        assert_eq!(Wheel::new(0).turn(|_| 1), None);
    }
}
