"""How servers are spoken to and chosen, by the same dynamic file through the real Traefik and through mito."""

import collections
import hashlib
import http.client
import http.server
import itertools
import json
import re
import socket

import pytest
from platform_process import eventually
from test_gateway_traefik import Echo, ask, beside, echo, free_port

# Traefik is also a server of HTTP/2 without TLS: its entry point `back` stands behind both gateways.
DYNAMIC = """
http:
  routers:
    plain: {{rule: "Host(`plain.test`)", service: one, entryPoints: [web]}}
    h2c: {{rule: "HostRegexp(`^.+\\\\.h2c\\\\.test$`)", service: h2c, entryPoints: [web]}}
    h2cown: {{rule: "Host(`own.h2cown.test`)", service: h2cown, entryPoints: [web]}}
    back: {{rule: "PathPrefix(`/`)", service: one, entryPoints: [back]}}
    hrw: {{rule: "Host(`hrw.test`)", service: hrw, entryPoints: [web]}}
    again: {{rule: "Host(`again.test`)", service: flaky, middlewares: [again], entryPoints: [web]}}
    never: {{rule: "Host(`never.test`)", service: flaky, middlewares: [never], entryPoints: [web]}}
    stored: {{rule: "Host(`stored.test`)", service: one, middlewares: [stored], entryPoints: [web]}}
    few: {{rule: "Host(`few.test`)", service: sockets, middlewares: [few], entryPoints: [web]}}
    characters: {{rule: "Host(`characters.test`)", service: two, middlewares: [characters], entryPoints: [web]}}
    untyped: {{rule: "Host(`untyped.test`)", service: untyped, entryPoints: [web]}}
    typed: {{rule: "Host(`typed.test`)", service: untyped, middlewares: [typed], entryPoints: [web]}}
    digest: {{rule: "Host(`digest.test`)", service: two, middlewares: [digest], entryPoints: [web]}}
    grpcweb: {{rule: "Host(`grpcweb.test`)", service: rpc, middlewares: [grpcweb], entryPoints: [web]}}
  middlewares:
    grpcweb: {{grpcWeb: {{allowOrigins: ["https://a.test"]}}}}
    characters: {{encodedCharacters: {{allowEncodedSlash: true}}}}
    typed: {{contentType: {{}}}}
    digest: {{digestAuth: {{users: ["someone:traefik:{digest}"], removeHeader: true, headerField: X-User}}}}
    again: {{buffering: {{retryExpression: "ResponseCode() == 503 && Attempts() <= 2"}}}}
    never: {{buffering: {{retryExpression: "RequestMethod() == \\"GET\\""}}}}
    stored: {{buffering: {{memRequestBodyBytes: 1000, maxRequestBodyBytes: 300000, memResponseBodyBytes: 1000}}}}
    few: {{inFlightReq: {{amount: 1}}}}
  services:
    one: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{one}"}}]}}}}
    two: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{two}"}}]}}}}
    flaky: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{flaky}"}}]}}}}
    sockets: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{sockets}"}}]}}}}
    rpc: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{rpc}"}}]}}}}
    untyped: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{untyped}"}}]}}}}
    h2c: {{loadBalancer: {{servers: [{{url: "h2c://127.0.0.1:{back}"}}]}}}}
    h2cown: {{loadBalancer: {{passHostHeader: false, servers: [{{url: "h2c://127.0.0.1:{back}"}}]}}}}
    hrw: {{loadBalancer: {{strategy: hrw, servers: [{{url: "http://127.0.0.1:{one}"}},
      {{url: "http://127.0.0.1:{two}"}}, {{url: "http://127.0.0.1:{three}", weight: 3}}]}}}}
"""


class Flaky(http.server.BaseHTTPRequestHandler):
    """Answers 503 twice, then 200 with what it has seen; again and again."""

    protocol_version = "HTTP/1.1"
    count = itertools.count()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        works = next(Flaky.count) % 3 == 2
        content = body.encode() if works else b""
        self.send_response(200 if works else 503)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Lengths(Echo):
    """Answers with the length of a body and how it was told, and with as much."""

    def do_POST(self):
        told = self.headers.get("Content-Length")
        if told is None:
            return super().answer()
        body = self.rfile.read(int(told))
        content = json.dumps({"length": told, "hash": hashlib.sha256(body).hexdigest()}).encode() + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


BODIES = {
    "/html": b"<!DOCTYPE html><p>", "/xml": b"<?xml version='1.0'?>", "/text": b"text", "/json": b'{"a": 1}',
    "/png": b"\x89PNG\r\n\x1a\n\0", "/pdf": b"%PDF-1.7", "/zip": b"PK\x03\x04", "/binary": b"\0\1\2", "/empty": b"",
    "/webp": b"RIFF1234WEBPVP8 ", "/gzip": b"\x1f\x8b\x08\0", "/mp4": b"\0\0\0\x14ftypisom\0\0\2\0mp41",
}


class Untyped(Echo):
    """Does not say what it answers."""

    def do_GET(self):
        content = BODIES[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Rpc(http.server.BaseHTTPRequestHandler):
    """Answers like gRPC, with trailers, and with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not body:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            # What comes after the last chunk is read up to the empty line.
            while self.rfile.readline().strip():
                pass
        content = json.dumps([self.headers["Content-Type"], body.decode()]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/grpc+proto")
        self.send_header("Trailer", "grpc-status")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n" % (len(content), content))

    def log_message(self, *_):
        pass


class Sockets(Echo):
    """Upgrades, and waits for the end."""

    def do_GET(self):
        if self.headers.get("Upgrade") is None:
            return super().answer()
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "echo")
        self.end_headers()
        while part := self.connection.recv(1000):
            self.connection.sendall(part)
        self.close_connection = True


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The ports of Traefik and of mito."""
    folder = tmp_path_factory.mktemp("services")
    kinds = [("one", Lengths), ("two", Echo), ("three", Echo), ("flaky", Flaky), ("sockets", Sockets), ("untyped", Untyped), ("rpc", Rpc)]
    servers = [echo(name, kind) for name, kind in kinds]
    back, port = free_port(), free_port()
    digest = hashlib.md5(b"someone:traefik:secret").hexdigest()
    text = DYNAMIC.format(back=back, digest=digest, **{server.name: server.server_port for server in servers})
    trusting = "--entrypoints.back.forwardedheaders.insecure=true"
    try:
        with beside(folder, text, {"web": port, "back": back}, trusting) as (_, platform):
            def is_up():
                try:
                    return ask(port, "GET", "plain.test", "/", {})["status"] == 200
                except OSError:
                    return False

            eventually("Traefik routes", is_up)
            yield port, int(platform.address().rsplit(":", 1)[1])
    finally:
        for server in servers:
            server.shutdown()


@pytest.mark.parametrize("host", ["a.h2c.test", "b.h2c.test", "c.h2c.test:81", "own.h2cown.test"])
def test_servers_of_http2_see_the_host_of_the_client(both, host):
    theirs, ours = (ask(port, "GET", host, "/x?y=1", {}) for port in both)
    assert ours["status"] == 200
    assert ours["seen"] == theirs["seen"]


def get_from(address, port, host):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(address, 0))
    try:
        connection.request("GET", "/", headers={"Host": host})
        return json.loads(connection.getresponse().read())["server"]
    finally:
        connection.close()


def test_addresses_stay_with_their_servers(both):
    def chosen(port):
        return [get_from(f"127.0.0.{last}", port, "hrw.test") for last in range(1, 41)]

    for port in both:
        assert chosen(port) == chosen(port)
    # Traefik gives all of them to the heaviest of servers whose addresses differ in the last digits alone.
    shares = collections.Counter(chosen(both[1]))
    assert shares["three"] > shares["one"] > 0 and shares["three"] > shares["two"] > 0


def test_requests_are_sent_again_while_the_expression_holds(both):
    for port in both:
        Flaky.count = itertools.count()
        assert ask(port, "POST", "again.test", "/", {})["status"] == 200
        Flaky.count = itertools.count()
        assert ask(port, "POST", "never.test", "/", {})["status"] == 503


@pytest.mark.parametrize("length", [0, 10, 999, 1000, 1001, 250_000, 300_000, 300_001])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_are_stored_and_have_a_length(both, length, chunked):
    def send(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        body = bytes(index % 251 for index in range(length))
        try:
            parts = iter([body[:700], body[700:]]) if chunked else body
            connection.request("POST", "/", body=parts, headers={"Host": "stored.test"}, encode_chunked=chunked)
            response = connection.getresponse()
            content = response.read()
            return response.status, content if response.status == 200 else None
        except OSError:
            # One that refuses early may close before all was sent.
            return 413, None
        finally:
            connection.close()

    theirs, ours = map(send, both)
    assert ours == theirs


def test_an_upgraded_connection_counts_until_it_ends(both):
    for port in both:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as upgraded:
            upgraded.sendall(b"GET / HTTP/1.1\r\nHost: few.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            assert upgraded.recv(12) == b"HTTP/1.1 101"
            assert ask(port, "GET", "few.test", "/", {})["status"] == 429
        eventually("the connection has ended", lambda: ask(port, "GET", "few.test", "/", {})["status"] == 200)


@pytest.mark.parametrize("path", ["/a", "/a%2Fb", "/a%2fb", "/a%5Cb", "/a;b", "/a%3Bb", "/a%25b", "/a%3Fb", "/a%23b", "/%41"])
def test_encoded_characters_are_refused(both, path):
    theirs, ours = (ask(port, "GET", "characters.test", path, {}) for port in both)
    assert ours["status"] == theirs["status"]
    assert ours["seen"] == theirs["seen"]


@pytest.mark.parametrize("path", sorted(BODIES))
@pytest.mark.parametrize("host", ["untyped.test", "typed.test"])
def test_answers_get_types_where_they_are_to(both, host, path):
    def kind(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.getheader("Content-Type"), response.read()
        finally:
            connection.close()

    theirs, ours = map(kind, both)
    assert ours == theirs


@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_a_client_signs_in_by_digest(both, password):
    def sign_in(port):
        first = ask(port, "GET", "digest.test", "/a?b=c", {})
        told = dict(re.findall(r'(\w+)="?([^",]*)"?', first["told"]["WWW-Authenticate"]))
        md5 = lambda *texts: hashlib.md5(":".join(texts).encode()).hexdigest()
        response = md5(
            md5("someone", told["realm"], password), told["nonce"], "00000001", "xyz", "auth", md5("GET", "/a?b=c")
        )
        opaque = f', opaque="{told["opaque"]}"' if "opaque" in told else ""
        authorization = (
            f'Digest username="someone", realm="{told["realm"]}", nonce="{told["nonce"]}", uri="/a?b=c", qop=auth, '
            f'nc=00000001, cnonce="xyz", response="{response}", algorithm=MD5{opaque}'
        )
        second = ask(port, "GET", "digest.test", "/a?b=c", {"Authorization": authorization, "X-User": "forged"})
        return first["status"], second["status"], second["seen"]

    theirs, ours = map(sign_in, both)
    assert ours == theirs
    assert ours[1] == (200 if password == "secret" else 401)


WEB = "application/grpc-web"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-grpc-web"}


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", {"Content-Type": WEB, "Origin": "https://a.test"}, b"abc"),
        ("POST", {"Content-Type": WEB + "+proto", "Origin": "https://b.test"}, b"abc"),
        ("POST", {"Content-Type": WEB + "-text"}, b"YWJjZA=="),
        ("OPTIONS", {"Origin": "https://a.test", **PREFLIGHT}, None),
        ("OPTIONS", {"Origin": "https://b.test", **PREFLIGHT}, None),
        ("OPTIONS", {"Origin": "https://a.test", **PREFLIGHT, "Access-Control-Request-Method": "PUT"}, None),
    ],
)
def test_browsers_speak_grpc(both, method, headers, body):
    def speak(port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, "/service/Method", body=body, headers={"Host": "grpcweb.test", **headers})
            response = connection.getresponse()
            content = response.read()
            names = ["Content-Type", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
                     "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Vary"]
            # Names of headers are in any case.
            told = {name: sorted((response.getheader(name) or "").lower().split(", ")) for name in names}
            exposed = (response.getheader("Access-Control-Expose-Headers") or "").lower().split(", ")
            return response.status, content, told, {"content-type", "grpc-status"} <= set(exposed)
        finally:
            connection.close()

    theirs, ours = map(speak, both)
    # Browsers compare the names without white space.
    for answer in (theirs, ours):
        answer[2]["Access-Control-Allow-Headers"] = sorted(
            name.strip() for part in answer[2]["Access-Control-Allow-Headers"] for name in part.split(",")
        )
    assert ours == theirs
