//! The four proxies, each with what it needs to do the same: pass everything on, by plain HTTP and
//! by HTTPS with the same certificate, without an access log.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, client::Resumption, crypto::ring, pki_types::CertificateDer,
};
use tempfile::TempDir;

use super::Proxy;
use crate::{process::Process, records::servers};

type Start = fn(SocketAddr, &Identity) -> anyhow::Result<Option<Proxy>>;

/// All of them; a peer whose program is not named is passed over.
pub(super) const ALL: [Start; 4] = [mito, traefik, caddy, nginx];

/// A certificate for `localhost` with its key, ECDSA with P-256.
pub(super) struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    der: CertificateDer<'static>,
    _folder: TempDir,
}

impl Identity {
    pub(super) fn new() -> anyhow::Result<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()])?;
        let folder = tempfile::tempdir()?;
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        fs::write(&certificate, cert.pem())?;
        fs::write(&key, signing_key.serialize_pem())?;
        let der = cert.der().clone();
        Ok(Self {
            certificate,
            key,
            der,
            _folder: folder,
        })
    }

    /// A client that trusts it, speaks TLS 1.3 and begins every session anew.
    pub(super) fn client(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

fn proxy(
    name: &'static str,
    folder: TempDir,
    [web, websecure]: [SocketAddr; 2],
    command: &mut Command,
) -> anyhow::Result<Option<Proxy>> {
    Ok(Some(Proxy {
        name,
        web,
        websecure,
        process: Process::start(command)?,
        _folder: folder,
    }))
}

fn free_addresses() -> anyhow::Result<[SocketAddr; 2]> {
    // Both are held until both are known.
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok([first.local_addr()?, second.local_addr()?])
}

/// Traefik's format, which mito reads too.
fn dynamic(folder: &Path, behind: SocketAddr, identity: &Identity) -> anyhow::Result<()> {
    let (certificate, key) = (identity.certificate.display(), identity.key.display());
    let text = format!(
        "http:\n  routers:\n    \
           all: {{rule: \"PathPrefix(`/`)\", priority: 1000, service: one, entryPoints: [web]}}\n    \
           safe: {{rule: \"PathPrefix(`/`)\", priority: 1000, service: one, entryPoints: [websecure], tls: {{}}}}\n  \
         services:\n    \
           one: {{loadBalancer: {{servers: [{{url: \"http://{behind}\"}}]}}}}\n\
         tls:\n  \
           certificates: [{{certFile: \"{certificate}\", keyFile: \"{key}\"}}]\n"
    );
    fs::create_dir_all(folder)?;
    Ok(fs::write(folder.join("all.yml"), text)?)
}

fn mito(behind: SocketAddr, identity: &Identity) -> anyhow::Result<Option<Proxy>> {
    let program = servers::program("MITO_BIN")?;
    let (folder, addresses) = (tempfile::tempdir()?, free_addresses()?);
    let data = folder.path().join("data");
    dynamic(&data.join("gateway"), behind, identity)?;
    let mut command = servers::on_its_core(&program);
    command.args(["up", "--data"]).arg(&data);
    for setting in [
        format!("gateway.entrypoints.web.address={}", addresses[0]),
        format!("gateway.entrypoints.websecure.address={}", addresses[1]),
        "gateway.entrypoints.traefik.address=off".to_owned(),
        "gateway.access_log=off".to_owned(),
        "gateway.limits.max_connections=20000".to_owned(),
        "network.publish.minio=127.0.0.1:0".to_owned(),
        "network.publish.api=127.0.0.1:0".to_owned(),
    ] {
        command.args(["--set", &setting]);
    }
    proxy("mito (all of it)", folder, addresses, &mut command)
}

fn traefik(behind: SocketAddr, identity: &Identity) -> anyhow::Result<Option<Proxy>> {
    let Ok(program) = servers::program("TRAEFIK_BIN") else {
        return Ok(None);
    };
    let (folder, addresses) = (tempfile::tempdir()?, free_addresses()?);
    dynamic(folder.path(), behind, identity)?;
    let mut command = servers::on_its_core(&program);
    command.args([
        &format!("--entrypoints.web.address={}", addresses[0]),
        &format!("--entrypoints.websecure.address={}", addresses[1]),
        &format!("--providers.file.directory={}", folder.path().display()),
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]);
    proxy("Traefik", folder, addresses, &mut command)
}

fn caddy(behind: SocketAddr, identity: &Identity) -> anyhow::Result<Option<Proxy>> {
    let Ok(program) = servers::program("CADDY_BIN") else {
        return Ok(None);
    };
    let (folder, addresses) = (tempfile::tempdir()?, free_addresses()?);
    let file = folder.path().join("Caddyfile");
    let [web, websecure] = addresses.map(|address| address.port());
    let (certificate, key) = (identity.certificate.display(), identity.key.display());
    let text = format!(
        "{{\n admin off\n auto_https off\n}}\n\
         http://:{web} {{\n bind 127.0.0.1\n reverse_proxy {behind}\n}}\n\
         https://localhost:{websecure} {{\n bind 127.0.0.1\n tls {certificate} {key}\n reverse_proxy {behind}\n}}\n"
    );
    fs::write(&file, text)?;
    let mut command = servers::on_its_core(&program);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file);
    proxy("Caddy", folder, addresses, &mut command)
}

fn nginx(behind: SocketAddr, identity: &Identity) -> anyhow::Result<Option<Proxy>> {
    let Ok(program) = servers::program("NGINX_BIN") else {
        return Ok(None);
    };
    let (folder, addresses) = (tempfile::tempdir()?, free_addresses()?);
    let file = folder.path().join("nginx.conf");
    let (place, [web, websecure]) = (folder.path().display(), addresses);
    let (certificate, key) = (identity.certificate.display(), identity.key.display());
    // Uploads are passed on as they come, as the others do it, and not by way of a file.
    let text = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {place}/pid; error_log /dev/null;\n\
         events {{ worker_connections 16384; }}\n\
         http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600; client_max_body_size 0;\n\
         client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
         fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
         upstream one {{ server {behind}; keepalive 64; keepalive_requests 100000000; }}\n\
         server {{ listen {web}; listen {websecure} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n\
         ssl_protocols TLSv1.3; location / {{ proxy_pass http://one; proxy_http_version 1.1;\n\
         proxy_request_buffering off; proxy_set_header Connection \"\"; proxy_set_header Host $host; }} }} }}\n"
    );
    fs::write(&file, text)?;
    let mut command = servers::on_its_core(&program);
    command.arg("-c").arg(&file);
    proxy("nginx", folder, addresses, &mut command)
}
