//! `tls.options`: how TLS is spoken with clients. What rustls does not speak is refused with the
//! option's name: TLS below 1.2, and cipher suites without forward secrecy or authentication of what
//! is encrypted. The cipher suites of TLS 1.3 are not chosen, here as in Traefik.

#[cfg(test)]
mod tests;

use std::{
    fs,
    sync::{Arc, OnceLock},
};

use rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{
        CryptoProvider,
        ring::{self, cipher_suite, kx_group},
    },
    pki_types::{CertificateDer, pem::PemObject as _},
    server::{
        NoServerSessionStorage, ResolvesServerCert, WantsServerCert, WebPkiClientVerifier,
        danger::ClientCertVerifier,
    },
    version::{TLS12, TLS13},
};

use super::{acme::challenges::ACME_TLS, any_client::AnyClient};
use crate::dynamic::tls::{ClientAuth, TlsOptions};

/// What can be spoken inside.
const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];
/// Names that stand in lists of cipher suites and choose nothing: those of TLS 1.3, and a signal of
/// clients.
const NO_CHOICE: [&str; 4] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_FALLBACK_SCSV",
];

/// How TLS is spoken with some clients.
pub(crate) struct Options {
    /// What it was made of: while that stays, so does what sessions remember.
    config: TlsOptions,
    authorities: Vec<Vec<u8>>,
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    alpn: Vec<Vec<u8>>,
    /// Made for the first connection.
    made: OnceLock<Arc<ServerConfig>>,
}

impl Options {
    /// Reads the options and the files that they name; the error says which is wrong. What was made
    /// of the same goes on.
    pub(crate) fn build(
        config: &TlsOptions,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, String> {
        let authorities = read_authorities(&config.client_auth)?;
        if let Some(before) = before
            && before.config == *config
            && before.authorities == authorities
        {
            return Ok(Arc::clone(before));
        }
        let mut provider = ring::default_provider();
        provider.kx_groups = curves(&config.curve_preferences)?;
        let mut versions = versions(config)?;
        if !config.cipher_suites.is_empty() {
            let chosen = suites(&config.cipher_suites)?;
            provider
                .cipher_suites
                .retain(|suite| suite.version() == &TLS13 || chosen.contains(suite));
            // What remains of TLS 1.2 could agree on nothing.
            if chosen.is_empty() {
                versions.retain(|version| *version == &TLS13);
            }
        }
        if versions.is_empty() {
            return Err(
                "cipherSuites: none of them is of TLS 1.2, the only version allowed".to_owned(),
            );
        }
        let provider = Arc::new(provider);
        let verifier = verifier(&config.client_auth, &authorities, &provider)?;
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| error.to_string())?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::new(Self {
            config: config.clone(),
            authorities,
            builder,
            alpn: protocols(&config.alpn_protocols)?,
            made: OnceLock::new(),
        }))
    }

    /// Whether who may issue certificates of clients has changed since. Reads files.
    pub(crate) fn is_stale(&self) -> bool {
        let read = read_authorities(&self.config.client_auth);
        // One that cannot be read now leaves what was.
        read.is_ok_and(|read| read != self.authorities)
    }

    /// The configuration, with certificates from the resolver, which is told whether names that none
    /// fits are refused.
    pub(super) fn server_config(
        &self,
        resolver: impl FnOnce(bool) -> Arc<dyn ResolvesServerCert>,
    ) -> Arc<ServerConfig> {
        let make = || {
            let resolver = resolver(self.config.sni_strict);
            let mut made = self.builder.clone().with_cert_resolver(resolver);
            made.alpn_protocols.clone_from(&self.alpn);
            if self.config.disable_session_tickets {
                made.session_storage = Arc::new(NoServerSessionStorage {});
                made.send_tls13_tickets = 0;
            }
            Arc::new(made)
        };
        Arc::clone(self.made.get_or_init(make))
    }
}

/// A configuration for those who validate a host, whatever is asked of its clients. It agrees on
/// nothing but validation.
pub(super) fn validation(resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, String> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![ACME_TLS.to_vec()];
    Ok(config)
}

fn versions(config: &TlsOptions) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let read = |option: &str, text: &str, without: u8| match text {
        "" => Ok(without),
        "VersionTLS12" => Ok(2),
        "VersionTLS13" => Ok(3),
        "VersionTLS10" | "VersionTLS11" => Err(format!(
            "{option}: {text} is not spoken here; write VersionTLS12 or VersionTLS13"
        )),
        _ => Err(format!(
            "{option}: {text:?} is none of VersionTLS12 and VersionTLS13"
        )),
    };
    let least = read("minVersion", &config.min_version, 2)?;
    let most = read("maxVersion", &config.max_version, 3)?;
    if least > most {
        return Err("minVersion: it is above maxVersion".to_owned());
    }
    let all = [(3, &TLS13), (2, &TLS12)].into_iter();
    let allowed = all.filter(|(version, _)| (least..=most).contains(version));
    Ok(allowed.map(|(_, version)| version).collect())
}

fn suites(names: &[String]) -> Result<Vec<rustls::SupportedCipherSuite>, String> {
    let mut chosen = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let suite = match name.as_str() {
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => {
                cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
            }
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
                cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            }
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => {
                cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
            }
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => {
                cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
            }
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"
            | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
                cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
            }
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"
            | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
                cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            }
            name if NO_CHOICE.contains(&name) => continue,
            name => {
                return Err(format!(
                    "cipherSuites[{at}]: {name:?} is not spoken here; take it out, or write one that \
                     begins with TLS_ECDHE_ and has GCM or CHACHA20 in it"
                ));
            }
        };
        chosen.push(suite);
    }
    Ok(chosen)
}

fn curves(names: &[String]) -> Result<Vec<&'static dyn rustls::crypto::SupportedKxGroup>, String> {
    if names.is_empty() {
        return Ok(ring::ALL_KX_GROUPS.to_vec());
    }
    let read = |(at, name): (usize, &String)| match name.as_str() {
        "X25519" => Ok(kx_group::X25519),
        "CurveP256" | "secp256r1" => Ok(kx_group::SECP256R1),
        "CurveP384" | "secp384r1" => Ok(kx_group::SECP384R1),
        name => Err(format!(
            "curvePreferences[{at}]: {name:?} is not spoken here; there are X25519, CurveP256 and \
             CurveP384"
        )),
    };
    names.iter().enumerate().map(read).collect()
}

fn protocols(names: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let names: Vec<&str> = if names.is_empty() {
        PROTOCOLS.to_vec()
    } else {
        names.iter().map(String::as_str).collect()
    };
    let read = |(at, name): (usize, &&str)| match *name {
        // Whoever validates a host is told apart before.
        "acme-tls/1" => Ok(None),
        name if PROTOCOLS.contains(&name) => Ok(Some(name.as_bytes().to_vec())),
        name => Err(format!(
            "alpnProtocols[{at}]: {name:?} is not spoken here; there are h2, http/1.1 and acme-tls/1"
        )),
    };
    let read = names.iter().enumerate().map(read);
    read.filter_map(Result::transpose).collect()
}

fn read_authorities(options: &ClientAuth) -> Result<Vec<Vec<u8>>, String> {
    let read = |(at, given): (usize, &String)| {
        if given.contains("-----BEGIN") {
            return Ok(given.clone().into_bytes());
        }
        fs::read(given).map_err(|error| format!("clientAuth.caFiles[{at}]: {given}: {error}"))
    };
    options.ca_files.iter().enumerate().map(read).collect()
}

/// Who looks at the certificates of clients; nobody, where none are asked for.
fn verifier(
    options: &ClientAuth,
    authorities: &[Vec<u8>],
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let wanted = match options.client_auth_type.as_str() {
        "" if authorities.is_empty() => "NoClientCert",
        "" => "RequireAndVerifyClientCert",
        given => given,
    };
    let required = match wanted {
        "NoClientCert" => return Ok(None),
        "RequestClientCert" => return Ok(Some(Arc::new(AnyClient::new(provider, false)))),
        "RequireAnyClientCert" => return Ok(Some(Arc::new(AnyClient::new(provider, true)))),
        "VerifyClientCertIfGiven" => false,
        "RequireAndVerifyClientCert" => true,
        other => {
            return Err(format!(
                "clientAuth.clientAuthType: {other:?} is none of NoClientCert, RequestClientCert, \
                 RequireAnyClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert"
            ));
        }
    };
    if authorities.is_empty() {
        return Err(format!("clientAuth.caFiles: {wanted} needs them"));
    }
    let roots = Arc::new(roots(authorities)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
    let builder = if required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    let built = builder.build();
    built
        .map(Some)
        .map_err(|error| format!("clientAuth.caFiles: {error}"))
}

fn roots(authorities: &[Vec<u8>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (at, pem) in authorities.iter().enumerate() {
        let wrong = |reason: String| format!("clientAuth.caFiles[{at}]: {reason}");
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| wrong(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
    }
    Ok(roots)
}
