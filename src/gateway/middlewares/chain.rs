//! Layers around a service: how a request goes through the middlewares of its router, what they
//! may use on the way, and how one is made of its configuration.

use std::sync::Arc;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use mito_network::ConnectionInfo;

use super::{
    add_prefix::AddPrefix, basic_auth::BasicAuth, buffering::Buffering, compress::Compress,
    content_type::ContentType, digest_auth::DigestAuth, encoded_characters::EncodedCharacters,
    errors::Errors, forward_auth::ForwardAuth, grpc_web::GrpcWeb, headers::Headers,
    in_flight_req::InFlightReq, ip_allow_list::IpAllowList, kept::Kept,
    pass_tls_client_cert::PassTlsClientCert, rate_limit::RateLimit, redirect_regex::RedirectRegex,
    redirect_scheme::RedirectScheme, replace_path::ReplacePath,
    replace_path_regex::ReplacePathRegex, retry::Retry, strip_prefix::StripPrefix,
    strip_prefix_regex::StripPrefixRegex,
};
use crate::{
    dynamic::middlewares::{Chain as ChainOptions, Kind, Middleware},
    pages::Reader,
};

/// What a middleware may use of the exchange. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    /// Client, peer, host and scheme.
    pub(crate) connection: Arc<ConnectionInfo>,
    /// How the client likes the errors for which Traefik has no text of its own.
    pub(crate) reader: Reader,
    /// Where error pages come from.
    pub(crate) services: Arc<dyn Services>,
    /// Asks servers beside the platform.
    pub(crate) outgoing: Arc<dyn Outgoing>,
}

/// The services of the table that the exchange has pinned.
pub(crate) trait Services: Send + Sync {
    /// Sends `request` to the service of that name; a problem is an answer too.
    fn call<'a>(&'a self, name: &'a str, request: Request<Body>) -> BoxFuture<'a, Response<Body>>;
}

/// A way to servers that the operator has named. It follows no redirects.
pub(crate) trait Outgoing: Send + Sync {
    /// Sends a request with an absolute address; the error says why there is no answer.
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, String>>;
}

/// A middleware.
pub(crate) trait Layer: Send + Sync {
    /// Answers `request`, with the help of what comes after it or without.
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>>;
}

/// What stands behind the last layer.
pub(crate) trait Destination: Sync {
    /// Answers `request`. A server that could not be reached marks its answer with [`Unreached`].
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>>;
}

/// In the extensions of an answer that the gateway gave because a server did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreached {
    /// Whether the server may have begun to act on the request.
    pub(crate) sent: bool,
}

/// In the extensions of an answer to a request that somebody signed: their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User(pub(crate) Arc<str>);

/// In the extensions of an answer: how often the request was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retried(pub(crate) u32);

/// The layers that are still to come, and the service behind them. It can be run again.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    layers: &'a [Arc<dyn Layer>],
    context: &'a Context,
    destination: &'a dyn Destination,
}

impl<'a> Next<'a> {
    /// All `layers` around `destination`.
    pub(crate) fn new(
        layers: &'a [Arc<dyn Layer>],
        context: &'a Context,
        destination: &'a dyn Destination,
    ) -> Self {
        Self {
            layers,
            context,
            destination,
        }
    }

    /// Sends `request` through the rest of the layers to the service.
    pub(crate) fn run(self, request: Request<Body>) -> BoxFuture<'a, Response<Body>> {
        let Some((layer, layers)) = self.layers.split_first() else {
            return self.destination.call(request);
        };
        layer.handle(self.context, request, Self { layers, ..self })
    }
}

impl Destination for Next<'_> {
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        self.run(request)
    }
}

/// Makes the middleware `name` of its configuration. `others` are those that a chain may name; the
/// error names the option and what to do about it.
pub(crate) fn build(
    name: &str,
    config: &Middleware,
    others: &dyn Fn(&str) -> Option<Arc<dyn Layer>>,
    kept: &Kept,
) -> Result<Arc<dyn Layer>, String> {
    let kind = config
        .kind()
        .map_err(|error| format!("middlewares.{name}: {error}"))?;
    let built: Result<Arc<dyn Layer>, String> = match kind {
        Kind::AddPrefix(options) => shared(AddPrefix::build(options)),
        Kind::BasicAuth(options) => shared(BasicAuth::build(options, kept)),
        Kind::Buffering(options) => shared(Buffering::build(options, kept)),
        Kind::Chain(options) => shared(Chain::build(options, others)),
        Kind::Compress(options) => shared(Compress::build(options)),
        Kind::ContentType(options) => shared(Ok(ContentType::build(options))),
        Kind::DigestAuth(options) => shared(DigestAuth::build(name, options, kept)),
        Kind::EncodedCharacters(options) => shared(Ok(EncodedCharacters::build(options))),
        Kind::Errors(options) => shared(Errors::build(options)),
        Kind::ForwardAuth(options) => shared(ForwardAuth::build(options)),
        Kind::GrpcWeb(options) => shared(Ok(GrpcWeb::build(options))),
        Kind::Headers(options) => shared(Headers::build(options)),
        Kind::InFlightReq(options) => shared(InFlightReq::build(name, options, kept)),
        Kind::IpAllowList(options) | Kind::IpWhiteList(options) => {
            shared(IpAllowList::build(options))
        }
        Kind::PassTlsClientCert(options) => shared(Ok(PassTlsClientCert::build(options))),
        Kind::RateLimit(options) => shared(RateLimit::build(name, options, kept)),
        Kind::RedirectRegex(options) => shared(RedirectRegex::build(options)),
        Kind::RedirectScheme(options) => shared(RedirectScheme::build(options)),
        Kind::ReplacePath(options) => shared(ReplacePath::build(options)),
        Kind::ReplacePathRegex(options) => shared(ReplacePathRegex::build(options)),
        Kind::Retry(options) => shared(Retry::build(options)),
        Kind::StripPrefix(options) => shared(StripPrefix::build(options)),
        Kind::StripPrefixRegex(options) => shared(StripPrefixRegex::build(options)),
    };
    built.map_err(|error| format!("middlewares.{name}.{}.{error}", kind.name()))
}

fn shared<L: Layer + 'static>(built: Result<L, String>) -> Result<Arc<dyn Layer>, String> {
    built.map(|layer| Arc::new(layer) as Arc<dyn Layer>)
}

/// Several middlewares under one name.
struct Chain(Vec<Arc<dyn Layer>>);

impl Chain {
    fn build(
        options: &ChainOptions,
        others: &dyn Fn(&str) -> Option<Arc<dyn Layer>>,
    ) -> Result<Self, String> {
        let find = |(at, name): (usize, &String)| {
            others(name).ok_or_else(|| {
                format!("middlewares[{at}]: there is no middleware {name:?} that works")
            })
        };
        options
            .middlewares
            .iter()
            .enumerate()
            .map(find)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Layer for Chain {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move { Next::new(&self.0, context, &next).run(request).await })
    }
}

#[cfg(test)]
mod tests;
