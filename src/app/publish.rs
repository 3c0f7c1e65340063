//! Opens loopback listeners for services whose port is published, for programs on this machine that
//! spoke to the old stack's ports.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use mito_core::Supervisor;
use mito_network::{
    Handler, Network,
    listener::{self, Bound, SharedLimits},
    service::ConnectionHandler,
};

use super::{Addresses, Error};
use crate::config::Config;

/// What is published in development although nobody asked.
const DEVELOPMENT: [&str; 3] = ["api", "redis", "minio"];
/// How long requests in flight may take to end at shutdown.
const DRAIN: Duration = Duration::from_secs(2);

/// A service whose port is bound.
pub(super) struct Published {
    /// The service name.
    pub(super) service: &'static str,
    /// The socket.
    pub(super) bound: Bound,
}

/// Binds what the configuration publishes. A default publication whose port is taken is noted, an
/// explicit one fails.
pub(super) fn bind(
    config: &Config,
    network: &Network,
    addresses: &mut Addresses,
) -> Result<Vec<Published>, Error> {
    let mut published = Vec::new();
    for (name, address) in &config.network.publish {
        if address != "off" {
            published.push(bind_one(config, network, name, address)?);
        }
    }
    if !config.is_development() {
        return Ok(published);
    }
    for name in DEVELOPMENT {
        let named = |other: &String| {
            network
                .service(other)
                .is_some_and(|service| service.name == name)
        };
        if config.network.publish.keys().any(named) {
            continue;
        }
        match bind_one(config, network, name, "") {
            Ok(bound) => published.push(bound),
            Err(error) => addresses.notes.push(error.to_string()),
        }
    }
    Ok(published)
}

fn bind_one(
    config: &Config,
    network: &Network,
    name: &str,
    address: &str,
) -> Result<Published, Error> {
    let refused = |reason: String| Error::Publish {
        service: name.to_owned(),
        reason,
    };
    let service = network.service(name).ok_or_else(|| {
        let known: Vec<String> = network
            .statuses()
            .into_iter()
            .map(|status| status.name)
            .collect();
        refused(format!(
            "there is no such service; there are {}",
            known.join(", ")
        ))
    })?;
    let (Some(port), Handler::Http(_) | Handler::Connection(_)) = (service.port, &service.handler)
    else {
        return Err(refused(
            "it speaks no network protocol in this version".to_owned(),
        ));
    };
    let address = match address {
        "" => SocketAddr::from(([127, 0, 0, 1], port)),
        address => address.parse().map_err(|_| {
            refused(format!(
                "{address:?} is no address and port, such as 127.0.0.1:{port}"
            ))
        })?,
    };
    if !address.ip().is_loopback() && !config.network.allow_public {
        return Err(refused(format!(
            "{address} is no loopback address; network.allow_public = true allows it"
        )));
    }
    let bound =
        listener::bind(service.name, address).map_err(|error| refused(error.to_string()))?;
    Ok(Published {
        service: service.name,
        bound,
    })
}

/// Starts accepting. Requests go the way of in-process ones, so a role that is not healthy answers
/// 503 here too.
pub(super) fn serve(
    published: Published,
    network: &Network,
    limits: SharedLimits,
    supervisor: &Supervisor,
) {
    let (service, name) = (published.service, format!("publish/{}", published.service));
    let found = network.service(service);
    if let Some(Handler::Connection(handler)) = found.map(|service| service.handler.clone()) {
        return serve_connections(published.bound, name, handler, limits, supervisor);
    }
    let network = network.clone();
    let router = Router::new().fallback(move |request| {
        let network = network.clone();
        async move { network.dispatch(service, request).await }
    });
    let bound = Arc::new(published.bound);
    supervisor.start(name, move |shutdown| {
        let (bound, router, limits) = (bound.clone(), router.clone(), limits.clone());
        async move {
            let bound = cloned(&bound)?;
            let service = mito_network::service::http_service(router);
            listener::serve_http(bound, service, None, limits, shutdown, DRAIN).await?;
            Ok(())
        }
    });
}

fn serve_connections(
    bound: Bound,
    name: String,
    handler: Arc<dyn ConnectionHandler>,
    limits: SharedLimits,
    supervisor: &Supervisor,
) {
    let bound = Arc::new(bound);
    supervisor.start(name, move |shutdown| {
        let (bound, handler, limits) = (bound.clone(), handler.clone(), limits.clone());
        async move {
            let bound = cloned(&bound)?;
            listener::serve_connections(bound, handler, limits, shutdown, DRAIN).await?;
            Ok(())
        }
    });
}

/// The same socket once more: the supervisor starts a task again that has failed.
fn cloned(bound: &Bound) -> std::io::Result<Bound> {
    Ok(Bound {
        name: bound.name.clone(),
        address: bound.address,
        listener: bound.listener.try_clone()?,
    })
}
