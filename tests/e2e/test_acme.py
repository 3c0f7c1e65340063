"""Certificates from the real Pebble: issued, kept, renewed, and never shown to whom they do not
concern."""

import json
import socket
import ssl
import stat
import subprocess
import urllib.error
import urllib.request

import pytest
from pebble_process import DOMAIN, HMAC, KID, Pebble, free_ports
from platform_process import ADMIN, PASSWORD, PATIENCE_SECONDS, Platform, eventually

HOSTS = sorted(
    f"{name}.{DOMAIN}"
    for name in ("admin", "api", "minio", "minio-console", "mobile-build", "traefik")
) + [DOMAIN]


def of_traefik(platform, path):
    """An answer of the dashboard's API, which trusts this machine."""
    url = f"http://{platform.address('traefik')}{path}"
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as response:
        return response.read().decode()


def certificates(platform):
    found = json.loads(of_traefik(platform, "/api/certificates?per_page=500"))
    return {certificate["host"]: certificate for certificate in found}


def all_issued(platform, hosts=HOSTS):
    found = certificates(platform)
    if all(found.get(host, {}).get("status") == "enabled" for host in hosts):
        return found
    return None


def wait_for_all(platform, hosts=HOSTS):
    try:
        return eventually("every host has a certificate", lambda: all_issued(platform, hosts))
    except AssertionError:
        raise AssertionError(json.dumps(certificates(platform), indent=1)) from None


def shown(pebble, host, alpn=("http/1.1",)):
    """The certificate that a client which trusts Pebble's root is shown for a host."""
    context = ssl.create_default_context(cadata=pebble.issuer())
    context.set_alpn_protocols(list(alpn))
    with (
        socket.create_connection(("127.0.0.1", pebble.secure), timeout=PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        return encrypted.getpeercert(), encrypted.selected_alpn_protocol()


def modes(platform):
    files = [path for path in (platform.data / "acme").rglob("*") if path.is_file()]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}


@pytest.mark.parametrize("way", ["tls-alpn-01", "http-01"])
def test_every_host_gets_a_certificate_of_its_own_and_keeps_it(tmp_path, way):
    with Pebble(tmp_path / "pebble") as pebble:
        settings = pebble.settings(f"gateway.acme.challenges={way}")
        with Platform(tmp_path / "data", settings=settings) as platform:
            first = wait_for_all(platform)
            for host in HOSTS:
                certificate, protocol = shown(pebble, host, ("h2", "http/1.1"))
                assert certificate["subjectAltName"] == (("DNS", host),)
                assert protocol == "h2"
                assert first[host]["sans"] == [host]
                assert "Pebble" in first[host]["issuerCN"]
            found = modes(platform)
            assert "account.json" in found and f"api.{DOMAIN}.pem" in found, found
            assert set(found.values()) == {0o600}, found
            metrics = of_traefik(platform, "/metrics")
            assert f'sans="api.{DOMAIN}"' in metrics
            assert "traefik_tls_certs_not_after{" in metrics
            counts = json.loads(of_traefik(platform, "/api/overview"))["certificates"]
            assert counts == {"total": len(HOSTS), "warnings": 0, "errors": 0}
        # What was issued is kept: another start orders nothing.
        with Platform(tmp_path / "data", settings=settings) as platform:
            again = wait_for_all(platform)
            for host in HOSTS:
                assert again[host]["serialNumber"] == first[host]["serialNumber"], host


def test_nobody_learns_a_name_and_unknown_tokens_are_not_found(tmp_path):
    with Pebble(tmp_path / "pebble") as pebble:
        with Platform(tmp_path / "data", settings=pebble.settings()) as platform:
            wait_for_all(platform)
            for host in (f"unknown.{DOMAIN}", "evil.example"):
                with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                    shown(pebble, host)
            with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                nameless(pebble)
            # Who validates is shown challenges alone, also when it offers more.
            for alpn in (("acme-tls/1",), ("acme-tls/1", "h2", "http/1.1")):
                with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                    shown(pebble, f"api.{DOMAIN}", alpn)
            request = urllib.request.Request(
                f"http://{platform.address()}/.well-known/acme-challenge/unknown",
                headers={"Host": f"api.{DOMAIN}"},
            )
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
            assert refused.value.code == 404


def nameless(pebble):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", pebble.secure)) as plain:
        context.wrap_socket(plain)


def test_certificates_are_renewed_before_they_run_out(tmp_path):
    with Pebble(tmp_path / "pebble", lifetime_seconds=24) as pebble:
        with Platform(tmp_path / "data", settings=pebble.settings()) as platform:
            first = wait_for_all(platform, HOSTS[:5])

            def renewed():
                found = certificates(platform)
                return all(
                    found[host]["serialNumber"] != first[host]["serialNumber"]
                    for host in HOSTS[:5]
                )

            eventually("five certificates are renewed", renewed)
            for host in HOSTS[:5]:
                shown(pebble, host)


def test_a_router_that_is_added_gets_its_host_certified(tmp_path):
    added = f"shop.{DOMAIN}"
    with Pebble(tmp_path / "pebble") as pebble:
        with Platform(tmp_path / "data", settings=pebble.settings()) as platform:
            with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                shown(pebble, added)
            route(platform, added)
            wait_for_all(platform, [*HOSTS, added])
            certificate, _ = shown(pebble, added)
            assert certificate["subjectAltName"] == (("DNS", added),)
            (platform.data / "gateway" / "shop.yml").unlink()

            def refused():
                try:
                    shown(pebble, added)
                except ssl.SSLError as error:
                    return "UNRECOGNIZED_NAME" in str(error)
                return False

            eventually("its name is unknown again", refused)


def test_a_refused_host_is_named_and_the_rest_is_served(tmp_path):
    refused = f"api.{DOMAIN}"
    # Pebble 2.4 panics at a name with fewer labels than a blocked one, so the bare domain is left out.
    served = [host for host in HOSTS if host not in (refused, DOMAIN)]
    with Pebble(tmp_path / "pebble", blocked=[refused]) as pebble:
        with Platform(tmp_path / "data", settings=pebble.settings()) as platform:
            wait_for_all(platform, served)
            found = eventually(
                "the refusal is shown", lambda: certificates(platform)[refused].get("error")
            )
            assert "rejectedIdentifier" in found[0] or "policy" in found[0], found
            assert certificates(platform)[refused]["status"] == "disabled"
            overview = json.loads(of_traefik(platform, "/api/overview"))
            assert any(refused in warning for warning in overview["warnings"]), overview
            # Until then the host has the local authority's certificate, and plain HTTP redirects.
            with pytest.raises(ssl.SSLCertVerificationError):
                shown(pebble, refused)
            shown(pebble, f"admin.{DOMAIN}")


def test_an_authority_that_is_down_stops_nothing(tmp_path):
    with Pebble(tmp_path / "pebble") as pebble:
        settings = pebble.settings()
    with Platform(tmp_path / "data", settings=settings) as platform:

        def reason():
            return certificates(platform).get(f"api.{DOMAIN}", {}).get("error")

        found = eventually("the failure is shown", reason)
        assert "refused" in found[0].lower(), found
        assert of_traefik(platform, "/ping") == "OK"


def test_an_external_account_is_bound(tmp_path):
    with Pebble(tmp_path / "pebble", external=True) as pebble:
        settings = pebble.settings(
            f"gateway.acme.eab.kid={KID}", f"gateway.acme.eab.hmacEncoded={HMAC}"
        )
        with Platform(tmp_path / "data", settings=settings) as platform:
            wait_for_all(platform, HOSTS[:1])
            shown_settings = subprocess.run(
                platform.command("config"), capture_output=True, text=True, check=True
            )
            assert HMAC not in shown_settings.stdout


@pytest.mark.parametrize("external", [False, True])
def test_an_authority_that_forgot_the_account_is_given_another(tmp_path, external):
    added = f"shop.{DOMAIN}"
    with Pebble(tmp_path / "pebble", external=external) as pebble:
        binding = [f"gateway.acme.eab.kid={KID}", f"gateway.acme.eab.hmacEncoded={HMAC}"]
        settings = pebble.settings(*(binding if external else []))
        with Platform(tmp_path / "data", settings=settings) as platform:
            wait_for_all(platform)
            pebble.stop()
            with Pebble(tmp_path / "again", external=external, like=pebble):
                route(platform, added)
                wait_for_all(platform, [added])


def test_where_one_way_is_closed_the_other_is_tried(tmp_path):
    with Pebble(tmp_path / "pebble") as pebble:
        # The authority looks at a port for TLS where nobody listens.
        (secure,) = free_ports(1)
        settings = pebble.settings(f"gateway.entrypoints.websecure.address=127.0.0.1:{secure}")
        with Platform(tmp_path / "data", settings=settings) as platform:
            host = f"api.{DOMAIN}"
            found = eventually(
                "the failure is shown", lambda: certificates(platform)[host].get("error")
            )
            assert "Failed to connect" in found[0], found
            assert Page(platform).post(f"/gateway/certificates/{host}/order") == 202
            wait_for_all(platform, [host])


class Page:
    """A page of the panel, on the dashboard's entry point."""

    def __init__(self, platform):
        self.address = f"http://{platform.address('traefik')}/_mito/api"
        cookies = urllib.request.HTTPCookieProcessor()
        self.opener = urllib.request.build_opener(cookies)
        self.csrf = ""
        platform.create_admin()
        self.load()
        self.post("/session", {"email": ADMIN, "password": PASSWORD})
        self.load()

    def load(self):
        with self.opener.open(f"{self.address}/session", timeout=PATIENCE_SECONDS) as response:
            self.csrf = json.loads(response.read())["csrf"]

    def post(self, path, body=None):
        headers = {"Content-Type": "application/json", "X-Mito-Csrf": self.csrf}
        data = json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.address}{path}", data=data, headers=headers)
        with self.opener.open(request, timeout=PATIENCE_SECONDS) as response:
            return response.status


def route(platform, host):
    """Adds a router for a host while the platform runs."""
    folder = platform.data / "gateway"
    folder.mkdir(exist_ok=True)
    (folder / "shop.yml").write_text(
        f"http:\n  routers:\n    shop:\n      rule: Host(`{host}`)\n      service: api@mito\n"
    )


def test_own_files_are_shown_first_and_read_again(tmp_path):
    chain, key = tmp_path / "own.crt", tmp_path / "own.key"

    def make(name):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:api.{DOMAIN}"]
        command += ["-keyout", str(key), "-out", str(chain)]
        subprocess.run(command, check=True, capture_output=True)

    make("first")
    config = tmp_path / "mito.toml"
    config.write_text(
        f"[gateway.tls]\ncertificates = [{{ certFile = '{chain}', keyFile = '{key}' }}]\n"
    )
    settings = [f"domain={DOMAIN}"]
    with Platform(tmp_path / "data", "--config", str(config), settings=settings) as platform:
        port = int(platform.address("websecure").rsplit(":", 1)[1])

        def common_name():
            pem = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"]
                + ["-servername", f"api.{DOMAIN}", "-showcerts"],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            ).stdout
            return next(line for line in pem.splitlines() if "subject" in line)

        assert "first" in common_name()
        make("second")
        eventually("the new files are shown", lambda: "second" in common_name())
        # A key of another certificate changes nothing and is named.
        subprocess.run(
            ["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True
        )
        found = eventually(
            "the mismatch is shown", lambda: certificates(platform)[str(chain)].get("error")
        )
        assert "does not belong" in found[0], found
        assert "second" in common_name()
