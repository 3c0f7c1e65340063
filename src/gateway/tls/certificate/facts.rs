//! What a certificate says of itself, under the names of Traefik's API.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use ts_rs::TS;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, public_key::PublicKey, x509::X509Name,
};

/// What a certificate says of itself.
#[derive(Clone, Debug, Default, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayCertificateFacts", optional_fields)]
pub(crate) struct Facts {
    /// The SHA-256 of the certificate.
    pub(crate) name: String,
    pub(crate) sans: Vec<String>,
    #[ts(type = "string | null")]
    pub(crate) not_after: Option<Timestamp>,
    #[ts(type = "string | null")]
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) serial_number: String,
    pub(crate) common_name: String,
    #[serde(rename = "issuerOrg", skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_organization: Option<String>,
    #[serde(rename = "issuerCN", skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    pub(crate) version: String,
    pub(crate) key_type: String,
    pub(crate) key_size: usize,
    pub(crate) signature_algorithm: String,
    pub(crate) cert_fingerprint: String,
    pub(crate) public_key_fingerprint: String,
}

impl Facts {
    /// Reads a certificate.
    pub(super) fn of(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der)
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let fingerprint = hex::encode(Sha256::digest(der));
        let (key_type, key_size) = key(&certificate);
        let (subject, issuer) = (certificate.subject(), certificate.issuer());
        let validity = certificate.validity();
        Ok(Self {
            name: fingerprint.clone(),
            sans: names(&certificate),
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok(),
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok(),
            serial_number: certificate.serial.to_string(),
            common_name: common_name(subject).unwrap_or_default(),
            issuer_organization: organization(issuer),
            issuer_name: common_name(issuer),
            issuer_country: country(issuer),
            organization: organization(subject),
            country: country(subject),
            version: format!("v{}", certificate.version().0.saturating_add(1)),
            key_type: key_type.to_owned(),
            key_size,
            signature_algorithm: signature(&certificate),
            cert_fingerprint: fingerprint,
            public_key_fingerprint: hex::encode(Sha256::digest(certificate.public_key().raw)),
        })
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let mut names: Vec<String> = extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let value = name.iter_common_name().next()?;
    value.as_str().ok().map(str::to_owned)
}

fn organization(name: &X509Name<'_>) -> Option<String> {
    let value = name.iter_organization().next()?;
    value.as_str().ok().map(str::to_owned)
}

fn country(name: &X509Name<'_>) -> Option<String> {
    let value = name.iter_country().next()?;
    value.as_str().ok().map(str::to_owned)
}

fn key(certificate: &X509Certificate<'_>) -> (&'static str, usize) {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA", key.key_size()),
        Ok(PublicKey::EC(point)) => ("ECDSA", point.key_size()),
        _ => ("Unknown", 0),
    }
}

/// The algorithm as Go spells it, which is how Traefik shows it.
fn signature(certificate: &X509Certificate<'_>) -> String {
    let identifier = certificate.signature_algorithm.algorithm.to_id_string();
    let name = match identifier.as_str() {
        "1.2.840.10045.4.3.2" => "ECDSA-SHA256",
        "1.2.840.10045.4.3.3" => "ECDSA-SHA384",
        "1.2.840.10045.4.3.4" => "ECDSA-SHA512",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        "1.3.101.112" => "Ed25519",
        _ => return identifier,
    };
    name.to_owned()
}
