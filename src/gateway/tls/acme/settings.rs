//! `[gateway.acme]`, validated.

#[cfg(test)]
mod tests;

use std::{fs, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_acme::acme::{LETS_ENCRYPT_PRODUCTION_DIRECTORY, LETS_ENCRYPT_STAGING_DIRECTORY};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::config::{self, Challenge};

/// What orders need to know.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) directory: String,
    /// `mailto:` addresses.
    pub(super) contact: Vec<String>,
    pub(super) external: Option<External>,
    pub(super) challenges: Vec<Challenge>,
    /// Whether a host has to reach itself before its first order.
    pub(super) probe: bool,
    pub(super) tls: Arc<ClientConfig>,
}

/// An account that was made elsewhere.
#[derive(Clone, Debug)]
pub(super) struct External {
    pub(super) kid: String,
    pub(super) key: SecretSlice<u8>,
}

impl Settings {
    /// Checks the configuration; the message names what is wrong with it.
    pub(super) fn read(config: &config::Acme) -> Result<Self, String> {
        let directory = match config.ca_server.trim() {
            "" if config.staging => LETS_ENCRYPT_STAGING_DIRECTORY.to_owned(),
            "" => LETS_ENCRYPT_PRODUCTION_DIRECTORY.to_owned(),
            given => given.to_owned(),
        };
        let encrypted = directory
            .parse::<Uri>()
            .is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
        if !encrypted {
            return Err(format!(
                "caServer: {directory:?} is not an https:// address"
            ));
        }
        if config.challenges.is_empty() {
            return Err("challenges: name tls-alpn-01, http-01 or both".to_owned());
        }
        let email = config.email.trim();
        if !email.is_empty() && (!email.contains('@') || email.contains([',', '?', ' '])) {
            return Err(format!("email: {email:?} is not an address"));
        }
        // What a test environment or a private authority refuses costs nothing.
        let public =
            config.ca_certificates.is_empty() && directory != LETS_ENCRYPT_STAGING_DIRECTORY;
        Ok(Self {
            contact: (!email.is_empty())
                .then(|| format!("mailto:{email}"))
                .into_iter()
                .collect(),
            external: external(&config.eab)?,
            challenges: config.challenges.clone(),
            probe: config.self_probe && public,
            tls: Arc::new(tls(&config.ca_certificates)?),
            directory,
        })
    }
}

fn external(config: &config::ExternalAccount) -> Result<Option<External>, String> {
    let encoded = config.hmac_encoded.expose_secret().trim();
    let encoded = encoded.trim_end_matches('=');
    match (config.kid.trim(), encoded) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => Err("eab: kid and hmacEncoded belong together".to_owned()),
        (kid, encoded) => {
            let key = URL_SAFE_NO_PAD
                .decode(encoded)
                .map_err(|_| "eab.hmacEncoded: this is not URL-safe base64".to_owned())?;
            Ok(Some(External {
                kid: kid.to_owned(),
                key: key.into(),
            }))
        }
    }
}

/// How the authority's own server is checked.
fn tls(certificates: &[PathBuf]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if certificates.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for path in certificates {
        let failed = |reason: String| format!("caCertificates: {}: {reason}", path.display());
        let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
                .map_err(failed)?;
        }
        if roots.len() == before {
            return Err(failed("there is no certificate in it".to_owned()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
