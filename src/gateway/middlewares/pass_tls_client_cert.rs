//! `passTLSClientCert`: services learn which certificate the client showed, in headers that no client
//! can set itself.

#[cfg(test)]
mod tests;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response};
use url::form_urlencoded::byte_serialize;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    oid_registry::{
        OID_DOMAIN_COMPONENT, OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME, OID_X509_LOCALITY_NAME,
        OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT, OID_X509_SERIALNUMBER,
        OID_X509_STATE_OR_PROVINCE_NAME, Oid,
    },
    x509::X509Name,
};

use super::chain::{Context, Layer, Next};
use crate::dynamic::middlewares::{ClientCertInfo as Info, PassTlsClientCert as Options};

const CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-tls-client-cert");
const INFO: HeaderName = HeaderName::from_static("x-forwarded-tls-client-cert-info");

/// What services are told.
pub(super) struct PassTlsClientCert {
    pem: bool,
    info: Option<Wanted>,
}

/// The parts of a certificate that they are told.
struct Wanted {
    info: Info,
    subject: Vec<Part>,
    issuer: Vec<Part>,
}

/// A part of a name: its short name, its kind, and whether only the last of several counts.
type Part = (&'static str, Oid<'static>, bool);

impl PassTlsClientCert {
    pub(super) fn build(options: &Options) -> Self {
        let wanted = |info: &Info| {
            let subject = info.subject.clone().unwrap_or_default();
            let issuer = info.issuer.clone().unwrap_or_default();
            Wanted {
                subject: parts([
                    subject.domain_component,
                    subject.country,
                    subject.province,
                    subject.locality,
                    subject.organization,
                    subject.organizational_unit,
                    subject.serial_number,
                    subject.common_name,
                ]),
                issuer: parts([
                    issuer.domain_component,
                    issuer.country,
                    issuer.province,
                    issuer.locality,
                    issuer.organization,
                    false,
                    issuer.serial_number,
                    issuer.common_name,
                ]),
                info: info.clone(),
            }
        };
        Self {
            pem: options.pem,
            info: options.info.as_ref().map(wanted),
        }
    }
}

/// The parts that are wanted, in Traefik's order.
fn parts(wanted: [bool; 8]) -> Vec<Part> {
    let all = [
        ("DC", OID_DOMAIN_COMPONENT, false),
        ("C", OID_X509_COUNTRY_NAME, false),
        ("ST", OID_X509_STATE_OR_PROVINCE_NAME, false),
        ("L", OID_X509_LOCALITY_NAME, false),
        ("O", OID_X509_ORGANIZATION_NAME, false),
        ("OU", OID_X509_ORGANIZATIONAL_UNIT, false),
        ("SN", OID_X509_SERIALNUMBER, true),
        ("CN", OID_X509_COMMON_NAME, true),
    ];
    let each = all.into_iter().zip(wanted);
    each.filter(|(_, wanted)| *wanted)
        .map(|(part, _)| part)
        .collect()
}

impl Layer for PassTlsClientCert {
    fn handle<'a>(
        &'a self,
        context: &'a Context,
        mut request: Request<Body>,
        next: Next<'a>,
    ) -> BoxFuture<'a, Response<Body>> {
        let tls = context.connection.tls.as_ref();
        let shown = tls.map_or(&[][..], |tls| &tls.client_certificates);
        let mut set = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                request.headers_mut().insert(name, value);
            }
        };
        if self.pem && !shown.is_empty() {
            let encoded: Vec<String> = shown.iter().map(|der| STANDARD.encode(der)).collect();
            set(CERTIFICATE, encoded.join(","));
        }
        if let Some(wanted) = self.info.as_ref().filter(|_| !shown.is_empty()) {
            let told: Vec<String> = shown.iter().map(|der| wanted.of(der)).collect();
            set(INFO, escaped(&told.join(",")));
        }
        next.run(request)
    }
}

impl Wanted {
    /// What is told of a certificate: fields with their values in quotes.
    fn of(&self, der: &[u8]) -> String {
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(der) else {
            return String::new();
        };
        let mut fields = Vec::new();
        let mut field = |name: &str, value: String| {
            if !value.is_empty() {
                fields.push(format!("{name}=\"{value}\""));
            }
        };
        field("Subject", name(&self.subject, certificate.subject()));
        field("Issuer", name(&self.issuer, certificate.issuer()));
        if self.info.serial_number {
            field("SerialNumber", certificate.serial.to_string());
        }
        let validity = certificate.validity();
        if self.info.not_before {
            field("NB", validity.not_before.timestamp().to_string());
        }
        if self.info.not_after {
            field("NA", validity.not_after.timestamp().to_string());
        }
        if self.info.sans {
            field("SAN", sans(&certificate).join(","));
        }
        fields.join(";")
    }
}

fn name(parts: &[Part], name: &X509Name<'_>) -> String {
    let mut told = Vec::new();
    for (short, oid, last_alone) in parts {
        let values = name
            .iter_by_oid(oid)
            .filter_map(|attribute| attribute.as_str().ok())
            .filter(|value| !value.is_empty())
            .map(|value| format!("{short}={value}"));
        if *last_alone {
            told.extend(values.last());
        } else {
            told.extend(values);
        }
    }
    told.join(",")
}

/// The other names: hosts, then addresses of e-mail, of machines and of resources.
fn sans(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = &extension.value.general_names;
    let of = |kind: fn(&GeneralName<'_>) -> Option<String>| names.iter().filter_map(kind);
    let hosts = of(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    let mails = of(|name| match name {
        GeneralName::RFC822Name(name) => Some((*name).to_owned()),
        _ => None,
    });
    let machines = of(|name| match name {
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    let resources = of(|name| match name {
        GeneralName::URI(name) => Some((*name).to_owned()),
        _ => None,
    });
    hosts
        .chain(mails)
        .chain(machines)
        .chain(resources)
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(v6).to_string())
}

/// As Go escapes for queries, which differs from forms in two letters.
fn escaped(text: &str) -> String {
    let form: String = byte_serialize(text.as_bytes()).collect();
    form.replace('*', "%2A").replace("%7E", "~")
}
