//! `http.middlewares`: what each kind of middleware can be told. A list, text or number that is
//! absent is empty; what it means then stands with the middleware.

mod auth;
mod client_certificate;
mod digest;
mod headers;
mod limits;
mod paths;
mod responses;
mod targets;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

pub(crate) use auth::{BasicAuth, ClientTls, ForwardAuth, IpAllowList};
pub(crate) use client_certificate::{Info as ClientCertInfo, PassTlsClientCert};
pub(crate) use digest::DigestAuth;
pub(crate) use headers::{Headers, hide_secret_values};
pub(crate) use limits::{Buffering, InFlightReq, IpStrategy, RateLimit, Retry, SourceCriterion};
pub(crate) use paths::{ContentType, EncodedCharacters};
pub(crate) use responses::{Chain, Compress, Errors, GrpcWeb};
pub(crate) use targets::{
    AddPrefix, RedirectRegex, RedirectScheme, ReplacePath, ReplacePathRegex, StripPrefix,
    StripPrefixRegex,
};

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "xxxx";

/// One middleware. One member alone may be set: [`Middleware::kind`] says which.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Middleware {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) add_prefix: Option<AddPrefix>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) basic_auth: Option<BasicAuth>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) buffering: Option<Buffering>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) chain: Option<Chain>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) compress: Option<Compress>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) content_type: Option<ContentType>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) digest_auth: Option<DigestAuth>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) encoded_characters: Option<EncodedCharacters>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) errors: Option<Errors>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) forward_auth: Option<ForwardAuth>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) grpc_web: Option<GrpcWeb>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) headers: Option<Headers>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) in_flight_req: Option<InFlightReq>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ip_allow_list: Option<IpAllowList>,
    /// The older name of `ipAllowList`, which stacks still have.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ip_white_list: Option<IpAllowList>,
    #[serde(rename = "passTLSClientCert", skip_serializing_if = "is_default")]
    pub(crate) pass_tls_client_cert: Option<PassTlsClientCert>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) rate_limit: Option<RateLimit>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) redirect_regex: Option<RedirectRegex>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) redirect_scheme: Option<RedirectScheme>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) replace_path: Option<ReplacePath>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) replace_path_regex: Option<ReplacePathRegex>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) retry: Option<Retry>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) strip_prefix: Option<StripPrefix>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) strip_prefix_regex: Option<StripPrefixRegex>,

    // Traefik's kinds that do not exist here, so that one of them is not a misspelt word, and
    // spoils its own middleware alone instead of the whole file.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) circuit_breaker: Option<NotYet>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) plugin: Option<NotYet>,
}

/// The one member of a [`Middleware`] that is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    AddPrefix(&'a AddPrefix),
    BasicAuth(&'a BasicAuth),
    Buffering(&'a Buffering),
    Chain(&'a Chain),
    Compress(&'a Compress),
    ContentType(&'a ContentType),
    DigestAuth(&'a DigestAuth),
    EncodedCharacters(&'a EncodedCharacters),
    Errors(&'a Errors),
    ForwardAuth(&'a ForwardAuth),
    GrpcWeb(&'a GrpcWeb),
    Headers(&'a Headers),
    InFlightReq(&'a InFlightReq),
    IpAllowList(&'a IpAllowList),
    IpWhiteList(&'a IpAllowList),
    PassTlsClientCert(&'a PassTlsClientCert),
    RateLimit(&'a RateLimit),
    RedirectRegex(&'a RedirectRegex),
    RedirectScheme(&'a RedirectScheme),
    ReplacePath(&'a ReplacePath),
    ReplacePathRegex(&'a ReplacePathRegex),
    Retry(&'a Retry),
    StripPrefix(&'a StripPrefix),
    StripPrefixRegex(&'a StripPrefixRegex),
}

/// The options of a kind of middleware that does not exist here. What they say is not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NotYet;

impl Middleware {
    /// What kind it is, or why it is none.
    pub(crate) fn kind(&self) -> Result<Kind<'_>, String> {
        if let Some(name) = self.not_yet() {
            let instead = match name {
                "circuitBreaker" => "a health check of the service is the nearest to it",
                _ => "take it out of the router's middlewares",
            };
            return Err(format!("{name} is not supported yet: {instead}"));
        }
        let mut kinds = self.kinds();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(kind),
            (Some(one), Some(other)) => Err(format!(
                "a middleware is of one kind, and this is both {} and {}: make two of it",
                one.name(),
                other.name()
            )),
            (None, _) => Err(
                "it does not say of which kind it is: write one such as `headers:` under its name"
                    .to_owned(),
            ),
        }
    }

    fn kinds(&self) -> impl Iterator<Item = Kind<'_>> {
        [
            self.add_prefix.as_ref().map(Kind::AddPrefix),
            self.basic_auth.as_ref().map(Kind::BasicAuth),
            self.buffering.as_ref().map(Kind::Buffering),
            self.chain.as_ref().map(Kind::Chain),
            self.compress.as_ref().map(Kind::Compress),
            self.content_type.as_ref().map(Kind::ContentType),
            self.digest_auth.as_ref().map(Kind::DigestAuth),
            self.encoded_characters
                .as_ref()
                .map(Kind::EncodedCharacters),
            self.errors.as_ref().map(Kind::Errors),
            self.forward_auth.as_ref().map(Kind::ForwardAuth),
            self.grpc_web.as_ref().map(Kind::GrpcWeb),
            self.headers.as_ref().map(Kind::Headers),
            self.in_flight_req.as_ref().map(Kind::InFlightReq),
            self.ip_allow_list.as_ref().map(Kind::IpAllowList),
            self.ip_white_list.as_ref().map(Kind::IpWhiteList),
            self.pass_tls_client_cert
                .as_ref()
                .map(Kind::PassTlsClientCert),
            self.rate_limit.as_ref().map(Kind::RateLimit),
            self.redirect_regex.as_ref().map(Kind::RedirectRegex),
            self.redirect_scheme.as_ref().map(Kind::RedirectScheme),
            self.replace_path.as_ref().map(Kind::ReplacePath),
            self.replace_path_regex.as_ref().map(Kind::ReplacePathRegex),
            self.retry.as_ref().map(Kind::Retry),
            self.strip_prefix.as_ref().map(Kind::StripPrefix),
            self.strip_prefix_regex.as_ref().map(Kind::StripPrefixRegex),
        ]
        .into_iter()
        .flatten()
    }

    fn not_yet(&self) -> Option<&'static str> {
        [
            ("circuitBreaker", self.circuit_breaker),
            ("plugin", self.plugin),
        ]
        .into_iter()
        .find_map(|(name, set)| set.map(|NotYet| name))
    }

    /// The same without what the API may not show: hashes of passwords, credentials in addresses
    /// and in headers, keys.
    pub(crate) fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        if let Some(auth) = &mut shown.basic_auth {
            auth.hide_secrets();
        }
        if let Some(auth) = &mut shown.digest_auth {
            auth.hide_secrets();
        }
        if let Some(auth) = &mut shown.forward_auth {
            auth.hide_secrets();
        }
        if let Some(headers) = &mut shown.headers {
            headers.hide_secrets();
        }
        shown
    }
}

impl Kind<'_> {
    /// Traefik's name of the kind; its API shows it in lower case as `type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::BasicAuth(_) => "basicAuth",
            Self::Buffering(_) => "buffering",
            Self::Chain(_) => "chain",
            Self::Compress(_) => "compress",
            Self::ContentType(_) => "contentType",
            Self::DigestAuth(_) => "digestAuth",
            Self::EncodedCharacters(_) => "encodedCharacters",
            Self::Errors(_) => "errors",
            Self::ForwardAuth(_) => "forwardAuth",
            Self::GrpcWeb(_) => "grpcWeb",
            Self::Headers(_) => "headers",
            Self::InFlightReq(_) => "inFlightReq",
            Self::IpAllowList(_) => "ipAllowList",
            Self::IpWhiteList(_) => "ipWhiteList",
            Self::PassTlsClientCert(_) => "passTLSClientCert",
            Self::RateLimit(_) => "rateLimit",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::ReplacePath(_) => "replacePath",
            Self::ReplacePathRegex(_) => "replacePathRegex",
            Self::Retry(_) => "retry",
            Self::StripPrefix(_) => "stripPrefix",
            Self::StripPrefixRegex(_) => "stripPrefixRegex",
        }
    }
}

impl Serialize for NotYet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(std::iter::empty::<((), ())>())
    }
}

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self)
    }
}

/// Whether an option is as if it had not been written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
