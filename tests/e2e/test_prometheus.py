"""A real Prometheus scrapes the gateway and is asked what Traefik's dashboards for Grafana ask.

The queries are those of the panels of the dashboard "Traefik Official Standalone Dashboard" (17346): the
same series, labels and functions, with the variables filled in as Grafana fills them.
"""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from platform_process import Platform, eventually

SERVICES = 'service=~"(api|minio)@mito.*"'
HTTP = f'{SERVICES},protocol="http"'
SHORT = '"service", "$1", "service", "([^-]+-[^-]+).*"'


def most(by, series, more=""):
    """The busiest services, as six of the panels ask for them."""
    rate = f"rate({series}{{{HTTP}{more}}}[1m])"
    return f"topk(15, label_replace(sum by ({by}) ({rate}) > 0, {SHORT}))"


def slower_than(seconds):
    """The share of requests that took longer."""
    name = "traefik_service_request_duration_seconds"
    fast = f'sum by (service) (rate({name}_bucket{{le="{seconds}",{SERVICES}}}[1m]))'
    all_of_them = f"sum by (service) (rate({name}_count{{{SERVICES}}}[1m]))"
    # The panel leaves services without slow requests out.
    return f"label_replace(1 - ({fast} / {all_of_them}) >= 0, {SHORT})"


def apdex():
    name = "traefik_entrypoint_request_duration_seconds"
    where = 'code="200",entrypoint=~"web"'
    within = [f'sum(rate({name}_bucket{{le="{le}",{where}}}[1m])) by (method)' for le in ("0.3", "1.2")]
    return f"({' + '.join(within)}) / 2 / sum(rate({name}_count{{{where}}}[1m])) by (method)"


DURATIONS = "traefik_service_request_duration_seconds"
QUERIES = {
    "instances": "count(traefik_config_reloads_total)",
    "requests by entry point": 'sum(rate(traefik_entrypoint_requests_total{entrypoint=~"web"}[1m])) by (entrypoint)',
    "apdex": apdex(),
    "codes": f"sum(rate(traefik_service_requests_total{{{HTTP}}}[1m])) by (method, code)",
    "slow services": f"topk(15, label_replace({DURATIONS}_sum{{{HTTP}}} / {DURATIONS}_count{{{HTTP}}}, {SHORT}))",
    "most requested": most("service,code", "traefik_service_requests_total"),
    "over 1.2 s": slower_than("1.2"),
    "over 0.3 s": slower_than("0.3"),
    "2xx": most("service,method,code", "traefik_service_requests_total", ',code=~"2.."'),
    "4xx": most("service,method,code", "traefik_service_requests_total", ',code!~"2..|5.."'),
    "request bytes": most("service,method", "traefik_service_requests_bytes_total"),
    "response bytes": most("service,method", "traefik_service_responses_bytes_total"),
    "connections": 'sum(traefik_open_connections{entrypoint=~"web"}) by (entrypoint)',
    "last reload": "time() - traefik_config_last_reload_success < 3600",
}
# What fills the drop-down lists of the dashboard.
VARIABLES = {"traefik_service_requests_total": "service", "traefik_open_connections": "entrypoint"}


class Prometheus:
    def __init__(self, folder, target):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        configuration = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "traefik", "static_configs": [{"targets": [target]}]}],
        }
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(configuration))
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.address}",
                "--log.level=error",
            ]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def ask(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return json.load(response)["data"]
        except (urllib.error.URLError, ConnectionError):
            assert self.process.poll() is None, "prometheus has ended"
            return None

    def finds(self, query):
        data = self.ask("query", query=query)
        return bool(data and data["result"])


def traffic(platform):
    platform.request("GET", "/api/health")
    for method, path in (("GET", "/no/such/page"), ("POST", "/api/collections/users/auth-with-password")):
        body = {"identity": "nobody", "password": "nothing"} if method == "POST" else None
        with pytest.raises(urllib.error.HTTPError):
            platform.request(method, path, body)


def test_the_dashboards_of_traefik_have_their_series(tmp_path):
    assert shutil.which("prometheus"), "install the Debian package prometheus"
    platform = Platform(tmp_path / "data")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with platform, Prometheus(folder, platform.address("traefik")) as prometheus:
        eventually("a first scrape", lambda: prometheus.finds("traefik_config_reloads_total"))

        def filled():
            # A rate needs series that grow between two scrapes.
            traffic(platform)
            return all(prometheus.finds(query) for query in QUERIES.values())

        try:
            eventually("every panel has data", filled)
        finally:
            empty = [name for name, query in QUERIES.items() if not prometheus.finds(query)]
            assert not empty, empty
        for series, label in VARIABLES.items():
            assert prometheus.ask(f"label/{label}/values", **{"match[]": series}), series
