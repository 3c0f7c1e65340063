"""TLS by the same dynamic file, through the real Traefik and through mito."""

import json
import socket
import ssl
import subprocess

import pytest
from platform_process import eventually
from test_gateway_traefik import Echo, beside, echo, free_port

DYNAMIC = """
http:
  routers:
    plain: {{rule: "Host(`plain.test`)", service: one, tls: {{}}, entryPoints: [websecure]}}
    clients: {{rule: "Host(`clients.test`)", service: one, tls: {{options: clients}}, middlewares: [tell], entryPoints: [websecure]}}
    maybe: {{rule: "Host(`maybe.test`)", service: one, tls: {{options: maybe}}, middlewares: [tell], entryPoints: [websecure]}}
    asked: {{rule: "Host(`asked.test`)", service: one, tls: {{options: asked}}, middlewares: [pem], entryPoints: [websecure]}}
    old: {{rule: "Host(`old.test`)", service: one, tls: {{options: old}}, entryPoints: [websecure]}}
    new: {{rule: "Host(`new.test`)", service: one, tls: {{options: new}}, entryPoints: [websecure]}}
    wild: {{rule: "Host(`*.wild.test`)", service: one, tls: {{options: old}}, entryPoints: [websecure]}}
    suite: {{rule: "Host(`suite.test`)", service: one, tls: {{options: suite}}, entryPoints: [websecure]}}
    alpn: {{rule: "Host(`alpn.test`)", service: one, tls: {{options: alpn}}, entryPoints: [websecure]}}
    bothone: {{rule: "Host(`both.test`) && PathPrefix(`/a`)", service: one, tls: {{options: clients}}, entryPoints: [websecure]}}
    bothtwo: {{rule: "Host(`both.test`) && PathPrefix(`/b`)", service: one, tls: {{}}, entryPoints: [websecure]}}
    nohost: {{rule: "PathPrefix(`/nohost`)", service: one, tls: {{}}, entryPoints: [websecure]}}
    nohostold: {{rule: "PathPrefix(`/oldnohost`)", service: one, tls: {{options: old}}, entryPoints: [websecure]}}
    broken: {{rule: "Host(`broken.test`)", service: one, tls: {{options: broken}}, entryPoints: [websecure]}}
    lost: {{rule: "Host(`lost.test`)", service: one, tls: {{options: nowhere}}, entryPoints: [websecure]}}
  middlewares:
    pem: {{passTLSClientCert: {{pem: true}}}}
    tell: {{passTLSClientCert: {{info: {{notAfter: true, notBefore: true, sans: true, serialNumber: true,
      subject: {{country: true, province: true, locality: true, organization: true, organizationalUnit: true,
        commonName: true, serialNumber: true, domainComponent: true}},
      issuer: {{country: true, organization: true, commonName: true}}}}}}}}
  services:
    one: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{one}"}}]}}}}
tls:
  certificates: [{{certFile: "{folder}/own.crt", keyFile: "{folder}/own.key"}}]
  stores: {{default: {{defaultCertificate: {{certFile: "{folder}/default.crt", keyFile: "{folder}/default.key"}}}}}}
  options:
    clients: {{clientAuth: {{caFiles: ["{folder}/ca.crt"]}}}}
    maybe: {{clientAuth: {{caFiles: ["{folder}/ca.crt"], clientAuthType: VerifyClientCertIfGiven}}}}
    asked: {{clientAuth: {{clientAuthType: RequestClientCert}}}}
    old: {{maxVersion: VersionTLS12}}
    new: {{minVersion: VersionTLS13}}
    suite: {{maxVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256],
      curvePreferences: [CurveP384]}}
    alpn: {{alpnProtocols: [http/1.1]}}
    broken: {{cipherSuites: [NONSENSE]}}
"""
NAMES = ["plain", "clients", "maybe", "asked", "old", "new", "suite", "alpn", "both", "broken", "lost"]

REQUESTS = [
    # name in the handshake, host, path, certificate of the client, options of the client
    ("plain.test", "plain.test", "/", None, {}),
    ("PLAIN.test", "plain.test", "/", None, {}),
    ("clients.test", "clients.test", "/", None, {}),
    ("clients.test", "clients.test", "/", "client", {}),
    ("clients.test", "clients.test", "/", "client", {"maximum_version": ssl.TLSVersion.TLSv1_2}),
    ("clients.test", "clients.test", "/", "stranger", {}),
    ("maybe.test", "maybe.test", "/", None, {}),
    ("maybe.test", "maybe.test", "/", "client", {}),
    ("maybe.test", "maybe.test", "/", "stranger", {}),
    ("asked.test", "asked.test", "/", None, {}),
    ("asked.test", "asked.test", "/", "stranger", {}),
    ("plain.test", "clients.test", "/", "client", {}),
    ("clients.test", "plain.test", "/", "client", {}),
    ("old.test", "old.test", "/", None, {}),
    ("old.test", "old.test", "/", None, {"minimum_version": ssl.TLSVersion.TLSv1_3}),
    ("old.test", "plain.test", "/", None, {}),
    ("plain.test", "old.test", "/", None, {}),
    ("new.test", "new.test", "/", None, {}),
    ("new.test", "new.test", "/", None, {"maximum_version": ssl.TLSVersion.TLSv1_2}),
    ("a.wild.test", "a.wild.test", "/", None, {}),
    ("a.b.wild.test", "a.wild.test", "/", None, {}),
    ("suite.test", "suite.test", "/", None, {}),
    ("suite.test", "suite.test", "/", None, {"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),
    ("alpn.test", "alpn.test", "/", None, {"alpn": ["http/1.1"]}),
    ("alpn.test", "alpn.test", "/", None, {"alpn": ["h2"]}),
    ("plain.test", "plain.test", "/", None, {"alpn": ["http/1.1"]}),
    ("both.test", "both.test", "/a", None, {}),
    ("both.test", "both.test", "/b", None, {}),
    ("plain.test", "both.test", "/a", None, {}),
    ("old.test", "both.test", "/b", None, {}),
    ("old.test", "old.test", "/nohost", None, {}),
    ("plain.test", "nobody.test", "/nohost", None, {}),
    ("old.test", "nobody.test", "/nohost", None, {}),
    ("old.test", "nobody.test", "/oldnohost", None, {}),
    ("plain.test", "nobody.test", "/oldnohost", None, {}),
    ("broken.test", "broken.test", "/", None, {}),
    ("plain.test", "broken.test", "/", None, {}),
    ("lost.test", "lost.test", "/", None, {}),
    ("nobody.test", "nobody.test", "/", None, {}),
    ("nobody.test", "plain.test", "/", None, {}),
    (None, "plain.test", "/", None, {}),
    (None, "clients.test", "/", None, {}),
    ("plain.test", "nobody.test", "/", None, {}),
]


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    def own(name, subject, *more):
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.crt", *more,
        )

    names = ",".join(f"DNS:{name}.test" for name in NAMES)
    own("own", "/CN=own", "-addext", f"subjectAltName={names},DNS:*.wild.test")
    own("default", "/CN=default", "-addext", "subjectAltName=DNS:default.test")
    own("ca", "/C=DE/O=Authority/CN=ca")
    own("stranger", "/CN=stranger", "-addext", "basicConstraints=critical,CA:FALSE")
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "client.key",
        "-out", "client.csr", "-subj", "/C=DE/ST=Hesse/L=A *~ Town/O=Org/OU=Unit/CN=A client/DC=example",
    )
    (folder / "extensions").write_text(
        "subjectAltName=URI:spiffe://x/y,DNS:client.test,IP:10.0.0.1,email:a@b.c\n"
        "extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n"
    )
    openssl(
        "x509", "-req", "-in", "client.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "30", "-out", "client.crt",
        "-extfile", "extensions", "-set_serial", "123456789012345678901234567890",
    )


class Told(Echo):
    """Answers with what it was told of the client's certificate."""

    def do_GET(self):
        names = ["X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info"]
        content = json.dumps([self.headers.get(name) for name in names]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The ports of Traefik and of mito, and where the certificates are."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    server = echo("one", Told)
    text = DYNAMIC.format(one=server.server_port, folder=folder)
    port = free_port()
    try:
        with beside(folder, text, {"websecure": port}) as (_, platform):
            def is_up():
                return ask(folder, port, "plain.test", "plain.test", "/", None, {}).get("status") == "200"

            eventually("Traefik routes", is_up)
            yield port, int(platform.address("websecure").rsplit(":", 1)[1]), folder
    finally:
        server.shutdown()


def ask(folder, port, name, host, path, certificate, options):
    """What a client sees: the answer, the certificate, and what was agreed on; or that it was refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(folder / f"{certificate}.crt", folder / f"{certificate}.key")
    if "ciphers" in options:
        context.set_ciphers(options["ciphers"])
    if "alpn" in options:
        context.set_alpn_protocols(options["alpn"])
    for option in ("minimum_version", "maximum_version"):
        if option in options:
            setattr(context, option, options[option])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=name) as stream:
                stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while part := stream.recv(65536):
                    answer += part
                return {
                    "status": answer.split(b" ", 2)[1].decode(),
                    "told": answer.rsplit(b"\r\n", 1)[1].decode() if b" 200 " in answer[:20] else None,
                    "certificate": stream.getpeercert(True),
                    "version": stream.version(),
                    "alpn": stream.selected_alpn_protocol(),
                }
    except (ssl.SSLError, OSError, IndexError):
        return {"refused": True}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request[0]} {request[1]}{request[2]} {request[3]}")
def test_both_answer_the_same(both, request_):
    theirs, ours = (ask(both[2], port, *request_) for port in both[:2])
    name, host = request_[:2]
    if name and name.lower() != host and "status" in theirs:
        # Traefik minds other options alone; here a connection is for the host that its handshake named.
        theirs = {**theirs, "status": "421", "told": None}
    assert ours == theirs


def test_a_changed_file_concerns_the_next_handshake(both):
    _, port, folder = both
    file = folder / "data" / "gateway" / "dynamic.yml"
    before = file.read_text()
    file.write_text(before.replace("minVersion: VersionTLS13", "maxVersion: VersionTLS12"))
    try:
        eventually(
            "the options have changed",
            lambda: ask(folder, port, "new.test", "new.test", "/", None, {}).get("version") == "TLSv1.2",
        )
    finally:
        file.write_text(before)
