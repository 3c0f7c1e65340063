"""Runs the real Pebble, Let's Encrypt's test server, with its rejection of nonces left on."""

import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import urllib.request

import pytest
from platform_process import eventually

DOMAIN = "mito.example"
KID = "kid-1"
HMAC = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Pebble:
    """An authority that looks at our ports for every name."""

    def __init__(self, folder, lifetime_seconds=None, external=False, blocked=(), like=None):
        """`like` is one that has stopped: this one stands in its place and remembers nothing."""
        for program in ("pebble", "pebble-challtestsrv", "openssl"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.ports = like.ports if like else free_ports(6)
        self.web, self.secure, self.port, self.management, self.dns, dns_management = self.ports
        self.root = self.folder / "root.pem"
        if like:
            for name in ("root.pem", "root.key"):
                shutil.copy(like.folder / name, self.folder / name)
        else:
            self.make_certificate()
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.root),
            "privateKey": str(self.folder / "root.key"),
            "httpPort": self.web,
            "tlsPort": self.secure,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": external,
            "externalAccountMACKeys": {KID: HMAC} if external else {},
            "domainBlocklist": list(blocked),
        }
        if lifetime_seconds:
            config["certificateValidityPeriod"] = lifetime_seconds
        path = self.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": config}))
        self.log = (self.folder / "log").open("w")
        self.processes = [
            self.run(
                "pebble-challtestsrv",
                *("-dns01", f"127.0.0.1:{self.dns}"),
                *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
                *("-http01", "", "-https01", "", "-tlsalpn01", ""),
                *("-management", f"127.0.0.1:{dns_management}"),
            ),
            self.run("pebble", "-config", str(path), "-strict", "-dnsserver", f"127.0.0.1:{self.dns}"),
        ]
        eventually("Pebble answers", self.answers)

    def make_certificate(self):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-nodes", "-days", "2", "-subj", "/CN=pebble", "-addext"]
        command += ["subjectAltName=DNS:localhost,IP:127.0.0.1"]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", str(self.folder / "root.key"), "-out", str(self.root)]
        subprocess.run(command, check=True, capture_output=True)

    def run(self, *command):
        environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"}
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)

    def answers(self):
        try:
            return self.fetch(f"https://127.0.0.1:{self.port}/dir")
        except OSError:
            return None

    def fetch(self, url):
        context = ssl.create_default_context(cafile=self.root)
        with urllib.request.urlopen(url, context=context, timeout=5) as response:
            return response.read()

    def issuer(self):
        """The root of the certificates that it issues, as PEM."""
        return self.fetch(f"https://127.0.0.1:{self.management}/roots/0").decode()

    def settings(self, *more):
        """What points a platform at it."""
        return [
            f"domain={DOMAIN}",
            f"gateway.entrypoints.web.address=127.0.0.1:{self.web}",
            f"gateway.entrypoints.websecure.address=127.0.0.1:{self.secure}",
            "gateway.acme.email=operator@mito.example",
            f"gateway.acme.caServer=https://127.0.0.1:{self.port}/dir",
            f"gateway.acme.caCertificates={self.root}",
            *more,
        ]

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
