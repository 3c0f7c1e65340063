//! Services that share the requests of one: by weight, in turn (`weighted`) or by the address of the
//! client (`highestRandomWeight`), with cookies that keep clients with a part, and without the parts
//! of which no server works.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use http::HeaderMap;

use super::{
    Target,
    balancer::Wheel,
    sticky::{StickyCookie, mark},
    strategy::{by_client, fnv1a},
};
use crate::dynamic::document;

/// A service of services.
pub(crate) struct Weighted {
    parts: Vec<Part>,
    cookie: Option<StickyCookie>,
    sharing: Sharing,
}

/// How requests are shared.
enum Sharing {
    Turns(Mutex<Wheel>),
    ByClient,
}

/// A service that is part of another.
pub(crate) struct Part {
    pub(crate) target: Target,
    weight: u32,
    mark: String,
    /// What stands for it where clients are shared out. Names alone are too much alike for that: by
    /// Traefik's hash, which is weak in the last letters, the heavier one of two would get all.
    name: String,
}

impl Weighted {
    /// Makes a service of those that `find` knows; the error says which option is wrong.
    pub(crate) fn new(
        name: &str,
        config: &document::Weighted,
        find: impl FnMut(&str) -> Result<(String, Target), String>,
    ) -> Result<Self, String> {
        let parts = parts(&config.services, find)?;
        let cookie = match &config.sticky {
            Some(sticky) => StickyCookie::new(name, sticky)?,
            None => None,
        };
        Ok(Self {
            sharing: Sharing::Turns(Mutex::new(Wheel::new(parts.len()))),
            parts,
            cookie,
        })
    }

    /// Makes a service whose clients stay with the part that their address falls to.
    pub(crate) fn by_client(
        config: &document::HighestRandomWeight,
        find: impl FnMut(&str) -> Result<(String, Target), String>,
    ) -> Result<Self, String> {
        Ok(Self {
            sharing: Sharing::ByClient,
            parts: parts(&config.services, find)?,
            cookie: None,
        })
    }

    /// Whether some part works.
    pub(crate) fn is_available(&self) -> bool {
        self.parts.iter().any(|part| part.target.is_available())
    }

    /// The part that a request goes to, and whether the client has to be told.
    pub(crate) fn choose(&self, headers: &HeaderMap, client: IpAddr) -> Option<(&Part, bool)> {
        if let Some(wanted) = self.cookie.as_ref().and_then(|cookie| cookie.read(headers)) {
            let named = |part: &&Part| part.mark == wanted && part.target.is_available();
            if let Some(part) = self.parts.iter().find(named) {
                return Some((part, false));
            }
        }
        let weight = |position: usize| {
            let part = &self.parts[position];
            if part.target.is_available() {
                part.weight
            } else {
                0
            }
        };
        let position = match &self.sharing {
            Sharing::Turns(wheel) => {
                let mut wheel = wheel.lock().unwrap_or_else(PoisonError::into_inner);
                wheel.turn(weight)?
            }
            Sharing::ByClient => {
                let each = self.parts.iter().enumerate();
                let each = each.map(|(at, part)| (at, weight(at), part.name.as_str()));
                by_client(each, client)?
            }
        };
        Some((&self.parts[position], self.cookie.is_some()))
    }

    /// Lets the client come back to the part.
    pub(crate) fn keep(&self, headers: &mut HeaderMap, part: &Part) {
        if let Some(cookie) = &self.cookie {
            cookie.set(headers, &part.mark);
        }
    }
}

fn parts(
    services: &[document::WeightedService],
    mut find: impl FnMut(&str) -> Result<(String, Target), String>,
) -> Result<Vec<Part>, String> {
    if services.is_empty() {
        return Err("services: there is none".to_owned());
    }
    let make = |(position, part): (usize, &document::WeightedService)| {
        let wrong = |reason: String| format!("services[{position}].name: {reason}");
        let (full_name, target) = find(&part.name).map_err(wrong)?;
        Ok(Part {
            mark: mark(&full_name),
            target,
            weight: part.weight.unwrap_or(1),
            name: format!("{:016x}", fnv1a(&[&part.name])),
        })
    };
    services.iter().enumerate().map(make).collect()
}
