"""Real clients through the gateway's HTTPS, with certificates of the local authority."""

import base64
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from concurrent import futures

import grpc
import pytest
from platform_process import Platform
from test_gateway_traefik import echo

DYNAMIC = """
http:
  routers:
    shop: {{rule: "Host(`shop.localhost`)", service: shop, tls: {{}}}}
    rpc: {{rule: "Host(`rpc.localhost`)", service: rpc}}
    chat: {{rule: "Host(`chat.localhost`)", service: chat}}
  services:
    shop: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{shop}"}}]}}}}
    rpc: {{loadBalancer: {{servers: [{{url: "h2c://127.0.0.1:{rpc}"}}]}}}}
    chat: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{chat}"}}]}}}}
"""


class Calls(grpc.GenericRpcHandler):
    """Answers with what it got; `/fail` fails as calls do, `/count` streams."""

    def service(self, details):
        if details.method == "/test/fail":
            def fail(_request, context):
                context.abort(grpc.StatusCode.NOT_FOUND, "there is none")
            return grpc.unary_unary_rpc_method_handler(fail)
        if details.method == "/test/count":
            return grpc.unary_stream_rpc_method_handler(lambda request, _: iter([request] * 100))
        return grpc.unary_unary_rpc_method_handler(lambda request, _: request)


class WebSockets(threading.Thread):
    """Takes connections that ask for a WebSocket and sends back what they send."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4_096)
        assert b"upgrade: websocket" in head.lower(), head
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while data := connection.recv(4_096):
            connection.sendall(data)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A platform with servers behind it: its HTTPS port, the authority's root, the data folder."""
    folder = tmp_path_factory.mktemp("clients")
    shop, chat = echo("shop"), WebSockets()
    rpc = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Calls()])
    port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    (folder / "data" / "gateway").mkdir(parents=True)
    text = DYNAMIC.format(shop=shop.server_port, rpc=port, chat=chat.port)
    (folder / "data" / "gateway" / "shop.yml").write_text(text)
    with Platform(folder / "data") as platform:
        [root] = platform.data.glob("ca/**/root.crt")
        yield int(platform.address("websecure").rsplit(":", 1)[1]), root, platform.data
    rpc.stop(None)
    shop.shutdown()


def connect(gateway, host, **options):
    port, root, _ = gateway
    context = ssl.create_default_context(cafile=root)
    for name, value in options.items():
        setattr(context, name, value)
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return context.wrap_socket(plain, server_hostname=host)


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
)
def test_both_versions_of_tls(gateway, version, name):
    with connect(gateway, "shop.localhost", minimum_version=version, maximum_version=version) as stream:
        assert stream.version() == name
        connection = http.client.HTTPConnection("shop.localhost")
        connection.sock = stream
        connection.request("GET", "/x")
        assert b'"server": "shop"' in connection.getresponse().read()


def test_a_name_that_nobody_routes_gets_no_certificate(gateway):
    with pytest.raises(ssl.SSLError):
        connect(gateway, "unknown.localhost")


def test_curl_speaks_http_2(gateway):
    curl = shutil.which("curl")
    assert curl, "install curl"
    port, root, _ = gateway
    done = subprocess.run(
        [curl, "-sS", "--http2", "--cacert", root, "--resolve", f"shop.localhost:{port}:127.0.0.1",
         "-w", "\n%{http_version} %{http_code}", "-d", "body", f"https://shop.localhost:{port}/x?y=1"],
        capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout.endswith("\n2 200") and '"body": "body"' in done.stdout, done


def test_grpc_calls_fail_and_stream_as_they_do_without_a_proxy(gateway):
    port, root, _ = gateway
    credentials = grpc.ssl_channel_credentials(root.read_bytes())
    options = [("grpc.default_authority", "rpc.localhost"), ("grpc.ssl_target_name_override", "rpc.localhost")]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        large = bytes(200_000)
        assert channel.unary_unary("/test/echo")(large, timeout=20) == large
        assert list(channel.unary_stream("/test/count")(b"x", timeout=20)) == [b"x"] * 100
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/test/fail")(b"", timeout=20)
        assert failed.value.code() == grpc.StatusCode.NOT_FOUND
        assert failed.value.details() == "there is none"


def test_a_websocket_stays_open_over_changes(gateway):
    key = base64.b64encode(os.urandom(16)).decode()
    with connect(gateway, "chat.localhost") as stream:
        stream.sendall((
            "GET /chat HTTP/1.1\r\nHost: chat.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        ).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += stream.recv(4_096)
        assert head.startswith(b"HTTP/1.1 101"), head
        routes = gateway[2] / "gateway" / "shop.yml"
        text = routes.read_text()
        for change in ("# changed\n" + text, text):
            routes.write_text(change)
            # Longer than it takes to be seen.
            time.sleep(1.5)
            stream.sendall(b"ping")
            assert stream.recv(4_096) == b"ping"
