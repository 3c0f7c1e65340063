//! `tls`: certificates, how TLS is spoken, and what is shown when no certificate fits.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Certificates, options and stores.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificates: Vec<Certificate>,
    /// How TLS is spoken. `default` goes for every host of which no router says otherwise.
    pub(crate) options: BTreeMap<String, TlsOptions>,
    /// As in Traefik, `default` is the only one that has an effect.
    pub(crate) stores: BTreeMap<String, Store>,
}

/// A certificate in files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Certificate {
    pub(crate) cert_file: String,
    pub(crate) key_file: String,
    stores: Vec<String>,
}

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TlsOptions {
    /// `VersionTLS12` or `VersionTLS13`.
    pub(crate) min_version: String,
    pub(crate) max_version: String,
    /// Those of TLS 1.2, by their names; TLS 1.3 has its own, which are not chosen.
    pub(crate) cipher_suites: Vec<String>,
    pub(crate) curve_preferences: Vec<String>,
    pub(crate) client_auth: ClientAuth,
    /// A client whose server name no certificate fits is refused, even where there is a default one.
    pub(crate) sni_strict: bool,
    /// What is spoken inside, the preferred first; HTTP/2 and HTTP/1.1 if empty.
    pub(crate) alpn_protocols: Vec<String>,
    pub(crate) disable_session_tickets: bool,
    /// Has no effect, here as in Traefik.
    prefer_server_cipher_suites: bool,
}

/// Certificates of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ClientAuth {
    /// Files with those who may issue them, or the certificates themselves in PEM.
    pub(crate) ca_files: Vec<String>,
    /// `NoClientCert`, `RequestClientCert`, `RequireAnyClientCert`, `VerifyClientCertIfGiven` or
    /// `RequireAndVerifyClientCert`, which is meant if only `caFiles` is given.
    pub(crate) client_auth_type: String,
}

/// What is shown when no certificate fits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Store {
    pub(crate) default_certificate: Option<Certificate>,
    default_generated_cert: Option<Value>,
}

impl Tls {
    /// What the file wants that there is not here.
    pub(super) fn unsupported(&self) -> Option<String> {
        self.stores.iter().find_map(|(name, store)| {
            if name != "default" {
                return Some(format!("tls.stores.{name}: there is one store, default"));
            }
            store.default_generated_cert.as_ref()?;
            Some(format!(
                "tls.stores.{name}.defaultGeneratedCert is not supported here: hosts that routers name \
                 get certificates by themselves"
            ))
        })
    }
}
