//! The local certificate authority: a root of ten years that may vouch for this machine's names
//! alone, and leaves of twelve hours that live in memory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mito_core::{Clock, Random, files};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber,
};
use rustls::{
    crypto::ring::sign::any_ecdsa_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use crate::{Error, state::is_local};

/// How long the root is good for.
const ROOT_LIFETIME: Duration = Duration::from_hours(10 * 365 * 24);
/// How long a leaf is good for.
const LEAF_LIFETIME: Duration = Duration::from_hours(12);
/// How far back certificates begin, for clients whose clock is behind.
const CLOCK_SKEW: Duration = Duration::from_hours(1);

/// Issues certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    clock: Clock,
    random: Random,
}

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) key: Arc<CertifiedKey>,
    /// From when on another should be issued, in milliseconds since the Unix epoch.
    pub(crate) renew_at_ms: i64,
}

/// Where the authority of `domain` is kept. A real domain has its own, because a root's names are
/// fixed for life and trust in one should not be lost when the other is tried.
pub(crate) fn folder(data: &Path, domain: &str) -> PathBuf {
    let folder = data.join("ca");
    if is_local(domain) {
        folder
    } else {
        folder.join(domain)
    }
}

impl Authority {
    /// Reads the authority, or makes it.
    pub(crate) fn open(
        data: &Path,
        domain: &str,
        clock: Clock,
        random: &Random,
    ) -> Result<Self, Error> {
        let folder = folder(data, domain);
        let (certificate, key) = (folder.join("root.crt"), folder.join("root.key"));
        let failed = |path: &Path, error: &dyn std::fmt::Display| {
            Error::LocalCa(format!("{}: {error}", path.display()))
        };
        let random = random.clone();
        let key_pem = match fs::read_to_string(&key) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = make_root(domain, &clock, &random)
                    .map_err(|error| failed(&certificate, &error))?;
                files::create_folder(&folder).map_err(|error| failed(&folder, &error))?;
                // The key comes last: a root without its key is replaced at the next start.
                files::replace(&certificate, pem.0.as_bytes())
                    .map_err(|error| failed(&certificate, &error))?;
                files::replace(&key, pem.1.as_bytes()).map_err(|error| failed(&key, &error))?;
                pem.1
            }
            Err(error) => return Err(failed(&key, &error)),
        };
        let root =
            fs::read_to_string(&certificate).map_err(|error| failed(&certificate, &error))?;
        let pair = KeyPair::from_pem(&key_pem).map_err(|error| failed(&key, &error))?;
        let issuer =
            Issuer::from_ca_cert_pem(&root, pair).map_err(|error| failed(&certificate, &error))?;
        Ok(Self {
            issuer,
            clock,
            random,
        })
    }

    /// Issues a certificate for `names`, each a DNS name or an IP address.
    pub(crate) fn issue(&self, names: &[&str]) -> Result<Leaf, rcgen::Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = parameters(names, &self.clock, &self.random, LEAF_LIFETIME)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = name("mito local certificate");
        let pair = KeyPair::generate()?;
        let certificate = params.signed_by(&pair, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let key = any_ecdsa_type(&key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        let key = CertifiedKey::new(vec![certificate.der().clone()], key);
        let renew_in = LEAF_LIFETIME.as_millis() * 2 / 3;
        Ok(Leaf {
            key: Arc::new(key),
            renew_at_ms: self.clock.now_ms() + i64::try_from(renew_in).unwrap_or(0),
        })
    }
}

/// A root certificate and its key, both as PEM.
fn make_root(
    domain: &str,
    clock: &Clock,
    random: &Random,
) -> Result<(String, String), rcgen::Error> {
    let mut params = parameters(Vec::new(), clock, random, ROOT_LIFETIME)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = name(&format!("mito local authority for {domain}"));
    // Whoever steals the key can impersonate nothing else.
    let mut permitted = vec![
        GeneralSubtree::DnsName("localhost".to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
        GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
            std::net::Ipv6Addr::LOCALHOST.octets(),
            128,
        )),
    ];
    if !is_local(domain) {
        permitted.push(GeneralSubtree::DnsName(domain.to_owned()));
    }
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: Vec::new(),
    });
    let pair = KeyPair::generate()?;
    let certificate = params.self_signed(&pair)?;
    Ok((certificate.pem(), pair.serialize_pem()))
}

fn parameters(
    names: Vec<String>,
    clock: &Clock,
    random: &Random,
    lifetime: Duration,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let since_epoch = Duration::from_millis(u64::try_from(clock.now_ms()).unwrap_or(0));
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + lifetime;
    let mut serial = random.bytes::<16>();
    // A serial number is positive and does not begin with a zero byte (RFC 5280 §4.1.2.2).
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_root_is_kept_and_nobody_else_reads_its_key() {
        let data = tempfile::tempdir().expect("a folder");
        let open = || {
            Authority::open(data.path(), "localhost", Clock::system(), &Random::system())
                .unwrap_or_else(|error| panic!("{error}"))
        };
        open();
        let root = fs::read(data.path().join("ca/root.crt")).expect("a root");
        open();
        assert_eq!(
            fs::read(data.path().join("ca/root.crt")).expect("a root"),
            root
        );
        let mode = fs::metadata(data.path().join("ca/root.key"))
            .expect("a key")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_root_is_an_error_that_names_the_file() {
        let data = tempfile::tempdir().expect("a folder");
        fs::create_dir(data.path().join("ca")).expect("a folder");
        fs::write(data.path().join("ca/root.key"), "nonsense").expect("a file");
        let Err(error) =
            Authority::open(data.path(), "localhost", Clock::system(), &Random::system())
        else {
            panic!("nonsense is not a key");
        };
        assert!(error.to_string().contains("ca/root."), "{error}");
    }
}
