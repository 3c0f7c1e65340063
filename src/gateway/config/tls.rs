//! `[gateway.acme]` and `[gateway.tls]`, with the names of Traefik's certificate resolvers and of its
//! dynamic configuration.

use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// `[gateway.acme]`: certificates of a public authority.
///
/// As with Caddy, nothing has to be listed: on a real domain every exact host that a router of
/// `websecure` names gets a certificate of its own. Beyond Caddy, the operator says `email` or
/// `termsAgreed` once, because an order accepts the terms of the authority in the operator's name.
/// Local names never leave the machine, and a name that no router asks for is never ordered.
/// Wildcards need a challenge by DNS, which does not exist yet: they stay with the local authority.
/// Of Traefik's options, `preferredChain` and `keyType` have no place here: neither client tells of
/// other chains, and keys are ECDSA P-256.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Acme {
    /// Where the authority writes to when something is wrong with a certificate. Giving it agrees to
    /// the terms of the authority and switches certificates on.
    pub email: String,
    /// Agrees to the terms of the authority and switches certificates on without an address.
    pub terms_agreed: bool,
    /// The directory of the authority. Empty means Let's Encrypt.
    pub ca_server: String,
    /// Orders test certificates from Let's Encrypt's staging environment, which browsers do not trust
    /// and whose limits are wide. Has no effect on another `caServer`.
    pub staging: bool,
    /// PEM files with the roots of a private authority's server, instead of those of the web.
    pub ca_certificates: Vec<PathBuf>,
    /// The account that the authority knows already (external account binding).
    pub eab: ExternalAccount,
    /// How to prove that a host is ours: the first way first, the next one after a failure.
    pub challenges: Vec<Challenge>,
    /// Before the first order of a host at a public authority, fetch a token from it by plain HTTP on
    /// port 80, so that a mistake in DNS or a firewall costs none of the few failures that the
    /// authority allows. Switch it off where this machine cannot reach its own public address.
    pub self_probe: bool,
}

/// An account at the authority that was made elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ExternalAccount {
    /// The key identifier that the authority gave.
    pub kid: String,
    /// The key that the authority gave, in URL-safe base64.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "String", extend("secret" = true))]
    pub hmac_encoded: SecretString,
}

/// A way to prove that a host is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Challenge {
    /// By a certificate on port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// By a file on port 80 (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http01,
}

/// `[gateway.tls]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Certificates of the operator's own: `certificates = [{ certFile = "…", keyFile = "…" }]`. They
    /// are shown for the routed names they cover, before any other, and read again when they change.
    pub certificates: Vec<CertificateFiles>,
}

/// A certificate of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateFiles {
    /// The certificate and those that lead to its root, as PEM.
    pub cert_file: PathBuf,
    /// Its key, as PEM.
    pub key_file: PathBuf,
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            email: String::new(),
            terms_agreed: false,
            ca_server: String::new(),
            staging: false,
            ca_certificates: Vec::new(),
            eab: ExternalAccount::default(),
            challenges: vec![Challenge::TlsAlpn01, Challenge::Http01],
            self_probe: true,
        }
    }
}

/// The configuration is merged as JSON before it is read; what is shown of it hides secrets by path.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
