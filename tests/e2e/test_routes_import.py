"""The labels of a Compose file become routes of a running mito."""

import http.client
import subprocess

from platform_process import ENVIRONMENT, Platform, eventually
from test_gateway_traefik import ask, echo

STACK = """
services:
  traefik:
    image: traefik:v3
    command: ["--providers.docker=true"]
    ports: ["80:80"]
  api:
    image: example/api
    labels:
      - traefik.http.routers.old-api.rule=Host(`old-api.${DOMAIN:-localhost}`)
      - traefik.http.services.api.loadbalancer.server.port=3000
  shop:
    image: example/shop
    ports: ["127.0.0.1:${SHOP_PORT:?which port}:8000"]
    labels:
      traefik.enable: "true"
      traefik.http.routers.shop.rule: Host(`shop.${DOMAIN:-localhost}`) && PathPrefix(`/`)
      traefik.http.routers.shop.entrypoints: web
      traefik.http.services.shop.loadbalancer.server.port: 8000
      traefik.http.services.shop.loadbalancer.sticky.cookie.name: shop
"""


def run(platform, *arguments, expect=0):
    done = subprocess.run(
        platform.command("routes", "import", *arguments),
        capture_output=True, text=True, timeout=60, env=ENVIRONMENT,
    )
    assert done.returncode == expect, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_labels_become_routes(tmp_path):
    server = echo("shop")
    compose = tmp_path / "docker-compose.yml"
    compose.write_text(STACK)
    with Platform(tmp_path / "data") as platform:
        port = int(platform.address().rsplit(":", 1)[1])
        assert "SHOP_PORT must be set: which port" in run(platform, str(compose), expect=1)
        (tmp_path / ".env").write_text(f"SHOP_PORT={server.server_port}\n")
        printed = run(platform, str(compose), "--print")
        assert f"http://127.0.0.1:{server.server_port}" in printed
        assert ask(port, "GET", "shop.localhost", "/", {})["status"] == 404, "nothing is written yet"
        said = run(platform, str(compose))
        assert "2 routers" in said and "the role of that name" in said, said

        def is_routed():
            return ask(port, "GET", "shop.localhost", "/x?y=1", {})["status"] == 200

        eventually("the routes are in place", is_routed)
        seen = ask(port, "GET", "shop.localhost", "/x?y=1", {})["seen"]
        assert (seen["server"], seen["path"], seen["host"]) == ("shop", "/x?y=1", "shop.localhost")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api/health", headers={"Host": "old-api.localhost"})
        assert connection.getresponse().status == 200
        # The same again changes nothing; what was edited since is kept.
        run(platform, str(compose))
        (tmp_path / "data" / "gateway" / "docker-compose.yml").write_text("# by hand\n")
        assert "--force" in run(platform, str(compose), expect=1)
        run(platform, str(compose), "--force")
        eventually("the routes are back", is_routed)
    server.shutdown()
