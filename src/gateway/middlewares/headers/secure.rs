//! What keeps browsers safe, and which hosts are served.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mito_network::ConnectionInfo;

use super::{name, value};
use crate::dynamic::middlewares::Headers as Options;

/// What every answer says to browsers.
pub(super) struct Secure {
    /// Lower case, with or without port; all if empty.
    hosts: Vec<String>,
    /// Headers of a proxy in front that hold the host.
    host_headers: Vec<HeaderName>,
    /// Headers of a proxy in front that say that the client came by HTTPS.
    encrypted_headers: Vec<(HeaderName, HeaderValue)>,
    always: Vec<(HeaderName, HeaderValue)>,
    /// What is said over HTTPS alone.
    encrypted: Vec<(HeaderName, HeaderValue)>,
}

impl Secure {
    pub(super) fn build(options: &Options) -> Result<Self, String> {
        let names = |(at, text): (usize, &String)| name(&format!("hostsProxyHeaders[{at}]"), text);
        let pairs = |(key, text): (&String, &String)| {
            let name = name("sslProxyHeaders", key)?;
            Ok::<_, String>((name, value(&format!("sslProxyHeaders.{key}"), text)?))
        };
        let hosts = options
            .allowed_hosts
            .iter()
            .filter(|_| !options.is_development);
        let (mut always, mut encrypted) = (always(options)?, Vec::new());
        if let Some(strict) = strict_transport(options) {
            let strict = (header::STRICT_TRANSPORT_SECURITY, strict?);
            let list = if options.force_sts_header {
                &mut always
            } else {
                &mut encrypted
            };
            list.push(strict);
        }
        if !options.public_key.is_empty() && !options.is_development {
            let pins = value("publicKey", &options.public_key)?;
            encrypted.push((HeaderName::from_static("public-key-pins"), pins));
        }
        Ok(Self {
            hosts: hosts.map(|host| host.trim().to_ascii_lowercase()).collect(),
            host_headers: options
                .hosts_proxy_headers
                .iter()
                .enumerate()
                .map(names)
                .collect::<Result<_, _>>()?,
            encrypted_headers: options
                .ssl_proxy_headers
                .iter()
                .map(pairs)
                .collect::<Result<_, _>>()?,
            always,
            encrypted,
        })
    }

    /// Whether the host that the request is for is one of the allowed.
    pub(super) fn is_served(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> bool {
        if self.hosts.is_empty() {
            return true;
        }
        let told = self.host_headers.iter().find_map(|name| {
            let host = headers.get(name)?.to_str().ok()?;
            (!host.is_empty()).then(|| host.to_ascii_lowercase())
        });
        if let Some(told) = told {
            return self.hosts.contains(&told);
        }
        // Traefik compares what the client wrote, with its port.
        let written = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let written = written.unwrap_or_default().to_ascii_lowercase();
        self.hosts.iter().any(|host| **host == *connection.host) || self.hosts.contains(&written)
    }

    /// Whether the client came by HTTPS.
    pub(super) fn is_encrypted(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> bool {
        let told = |(name, value): &(HeaderName, HeaderValue)| headers.get(name) == Some(value);
        connection.scheme == "https" || self.encrypted_headers.iter().any(told)
    }

    /// Says it, over what the service says.
    pub(super) fn protect(&self, encrypted: bool, headers: &mut HeaderMap) {
        let by_https = self.encrypted.iter().filter(|_| encrypted);
        for (name, value) in self.always.iter().chain(by_https) {
            headers.insert(name, value.clone());
        }
    }
}

fn always(options: &Options) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let frame = match (
        options.custom_frame_options_value.as_str(),
        options.frame_deny,
    ) {
        ("", true) => "DENY",
        (custom, _) => custom,
    };
    let xss = match (
        options.custom_browser_xss_value.as_str(),
        options.browser_xss_filter,
    ) {
        ("", true) => "1; mode=block",
        (custom, _) => custom,
    };
    let sniff = if options.content_type_nosniff {
        "nosniff"
    } else {
        ""
    };
    let report_only = &options.content_security_policy_report_only;
    let permissions = HeaderName::from_static("permissions-policy");
    [
        ("customFrameOptionsValue", header::X_FRAME_OPTIONS, frame),
        ("customBrowserXSSValue", header::X_XSS_PROTECTION, xss),
        ("contentTypeNosniff", header::X_CONTENT_TYPE_OPTIONS, sniff),
        (
            "contentSecurityPolicy",
            header::CONTENT_SECURITY_POLICY,
            &options.content_security_policy,
        ),
        (
            "contentSecurityPolicyReportOnly",
            header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
            report_only,
        ),
        (
            "referrerPolicy",
            header::REFERRER_POLICY,
            &options.referrer_policy,
        ),
        (
            "permissionsPolicy",
            permissions,
            &options.permissions_policy,
        ),
    ]
    .into_iter()
    .filter(|(_, _, text)| !text.is_empty())
    .map(|(option, name, text)| Ok((name, value(option, text)?)))
    .collect()
}

/// HSTS, which a developer's machine must not say: it would bar plain HTTP from every other
/// program there.
fn strict_transport(options: &Options) -> Option<Result<HeaderValue, String>> {
    if options.sts_seconds == 0 || options.is_development {
        return None;
    }
    if options.sts_seconds < 0 {
        return Some(Err("stsSeconds: it is negative".to_owned()));
    }
    let mut text = format!("max-age={}", options.sts_seconds);
    if options.sts_include_subdomains {
        text.push_str("; includeSubDomains");
    }
    if options.sts_preload {
        text.push_str("; preload");
    }
    Some(value("stsSeconds", &text))
}
