"""The same dynamic file and the same requests, through the real Traefik and through mito."""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from platform_process import Platform, eventually

# One object of each kind, and what trips those who implement it.
DYNAMIC = """
http:
  routers:
    exact: {{rule: "Host(`exact.test`)", service: one, entryPoints: [web]}}
    case: {{rule: "Host(`UPPER.Test`)", service: one, entryPoints: [web]}}
    wild: {{rule: "Host(`*.wild.test`)", service: two, entryPoints: [web]}}
    hostre: {{rule: "HostRegexp(`^[a-c]+\\\\.re\\\\.test$`)", service: one, entryPoints: [web]}}
    path: {{rule: "Host(`path.test`) && Path(`/only`)", service: one, entryPoints: [web]}}
    prefix: {{rule: "Host(`path.test`) && PathPrefix(`/products`)", service: two, entryPoints: [web]}}
    pathre: {{rule: "Host(`path.test`) && PathRegexp(`\\\\.png$`)", service: one, entryPoints: [web]}}
    encoded: {{rule: "Host(`path.test`) && Path(`/caf%C3%A9`)", service: one, entryPoints: [web]}}
    decoded: {{rule: "Host(`path.test`) && Path(`/th\u00e9 vert`)", service: two, entryPoints: [web]}}
    method: {{rule: "Host(`method.test`) && (Method(`POST`) || Method(`put`))", service: one, entryPoints: [web]}}
    header: {{rule: "Host(`header.test`) && Header(`X-Kind`, `blue`)", service: one, entryPoints: [web]}}
    headerre: {{rule: "Host(`header.test`) && HeaderRegexp(`X-Kind`, `^gre`)", service: two, entryPoints: [web]}}
    query: {{rule: "Host(`query.test`) && Query(`a`, `1`)", service: one, entryPoints: [web]}}
    queryempty: {{rule: "Host(`query.test`) && Query(`flag`)", service: two, entryPoints: [web]}}
    queryre: {{rule: "Host(`query.test`) && QueryRegexp(`n`, `^[0-9]+$`)", service: two, entryPoints: [web]}}
    client: {{rule: "Host(`client.test`) && ClientIP(`127.0.0.0/8`)", service: one, entryPoints: [web]}}
    stranger: {{rule: "Host(`stranger.test`) && ClientIP(`192.0.2.0/24`)", service: one, entryPoints: [web]}}
    not: {{rule: "Host(`not.test`) && !Path(`/secret`)", service: one, entryPoints: [web]}}
    low: {{rule: "Host(`prio.test`) && PathPrefix(`/`)", service: one, priority: 1, entryPoints: [web]}}
    high: {{rule: "Host(`prio.test`)", service: two, priority: 100, entryPoints: [web]}}
    longer: {{rule: "Host(`long.test`) && PathPrefix(`/a/b`)", service: two, entryPoints: [web]}}
    shorter: {{rule: "Host(`long.test`) && PathPrefix(`/a`)", service: one, entryPoints: [web]}}
    nohost: {{rule: "Host(`nohost.test`)", service: unpassed, entryPoints: [web]}}
    empty: {{rule: "Host(`empty.test`)", service: empty, entryPoints: [web]}}
    dead: {{rule: "Host(`dead.test`)", service: dead, entryPoints: [web]}}
    broken: {{rule: "Hots(`broken.test`)", service: one, entryPoints: [web]}}
    strip: {{rule: "Host(`strip.test`)", service: one, middlewares: [strip], entryPoints: [web]}}
    stripre: {{rule: "Host(`stripre.test`)", service: one, middlewares: [stripre], entryPoints: [web]}}
    add: {{rule: "Host(`add.test`)", service: one, middlewares: [add], entryPoints: [web]}}
    replace: {{rule: "Host(`replace.test`)", service: one, middlewares: [replace], entryPoints: [web]}}
    replacere: {{rule: "Host(`replacere.test`)", service: one, middlewares: [replacere], entryPoints: [web]}}
    scheme: {{rule: "Host(`scheme.test`)", service: one, middlewares: [scheme], entryPoints: [web]}}
    moved: {{rule: "Host(`moved.test`)", service: one, middlewares: [moved], entryPoints: [web]}}
    basic: {{rule: "Host(`basic.test`)", service: one, middlewares: [basic], entryPoints: [web]}}
    allowed: {{rule: "Host(`allowed.test`)", service: one, middlewares: [allowed], entryPoints: [web]}}
    refused: {{rule: "Host(`refused.test`)", service: one, middlewares: [refused], entryPoints: [web]}}
    teapot: {{rule: "Host(`teapot.test`)", service: one, middlewares: [teapot], entryPoints: [web]}}
    cors: {{rule: "Host(`cors.test`)", service: one, middlewares: [cors], entryPoints: [web]}}
    secure: {{rule: "Host(`secure.test`)", service: one, middlewares: [secure], entryPoints: [web]}}
    custom: {{rule: "Host(`custom.test`)", service: one, middlewares: [custom], entryPoints: [web]}}
    chained: {{rule: "Host(`chained.test`)", service: one, middlewares: [chained], entryPoints: [web]}}
    small: {{rule: "Host(`small.test`)", service: one, middlewares: [small], entryPoints: [web]}}
    pages: {{rule: "Host(`pages.test`)", service: dead, middlewares: [pages], entryPoints: [web]}}
    asks: {{rule: "Host(`asks.test`)", service: one, middlewares: [asks], entryPoints: [web]}}
    asksno: {{rule: "Host(`asksno.test`)", service: one, middlewares: [asksno], entryPoints: [web]}}
    unknown: {{rule: "Host(`unknown.test`)", service: one, middlewares: [nobody], entryPoints: [web]}}
    lost: {{rule: "Host(`lost.test`)", service: nowhere, entryPoints: [web]}}
  middlewares:
    strip: {{stripPrefix: {{prefixes: [/api, /v1/api]}}}}
    stripre: {{stripPrefixRegex: {{regex: ["^/v[0-9]+/"]}}}}
    add: {{addPrefix: {{prefix: /added}}}}
    replace: {{replacePath: {{path: /replaced}}}}
    replacere: {{replacePathRegex: {{regex: "^/users/([0-9]+)/(.*)", replacement: "/people/$1?rest=$2"}}}}
    scheme: {{redirectScheme: {{scheme: https, port: "8443", permanent: true}}}}
    moved: {{redirectRegex: {{regex: "^http://moved.test(:[0-9]+)?/old/(.*)", replacement: "https://new.test/${{2}}"}}}}
    basic: {{basicAuth: {{realm: here, removeHeader: true, headerField: X-User, users: [
      "sha:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "apr:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00"]}}}}
    allowed: {{ipAllowList: {{sourceRange: [127.0.0.1]}}}}
    refused: {{ipAllowList: {{sourceRange: [192.0.2.0/24]}}}}
    teapot: {{ipAllowList: {{sourceRange: [192.0.2.0/24], rejectStatusCode: 418}}}}
    cors: {{headers: {{accessControlAllowMethods: [GET, PUT], accessControlAllowOriginList: ["https://a.test"],
      accessControlAllowHeaders: [X-One], accessControlMaxAge: 60, addVaryHeader: true,
      accessControlAllowCredentials: true, accessControlExposeHeaders: [X-Two]}}}}
    secure: {{headers: {{frameDeny: true, contentTypeNosniff: true, browserXssFilter: true, referrerPolicy: no-referrer,
      stsSeconds: 60, stsIncludeSubdomains: true, forceSTSHeader: true, permissionsPolicy: "camera=()",
      contentSecurityPolicy: "default-src 'self'"}}}}
    custom: {{headers: {{customRequestHeaders: {{X-Gone: "", X-Set: here}}, customResponseHeaders: {{X-Kind: made, Content-Type: ""}}}}}}
    chained: {{chain: {{middlewares: [strip, add]}}}}
    small: {{buffering: {{maxRequestBodyBytes: 3}}}}
    pages: {{errors: {{status: ["500-599"], service: two, query: "/page/{{status}}.html"}}}}
    asks: {{forwardAuth: {{address: "http://127.0.0.1:{guard}/yes", authResponseHeaders: [X-Auth-User]}}}}
    asksno: {{forwardAuth: {{address: "http://127.0.0.1:{guard}/no"}}}}
  services:
    one: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{one}"}}]}}}}
    two: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{two}"}}]}}}}
    unpassed: {{loadBalancer: {{passHostHeader: false, servers: [{{url: "http://127.0.0.1:{one}"}}]}}}}
    empty: {{loadBalancer: {{servers: []}}}}
    dead: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{dead}"}}]}}}}
"""

REQUESTS = [
    # method, host, path, headers
    ("GET", "exact.test", "/", {}),
    ("GET", "EXACT.test", "/", {}),
    ("GET", "exact.test.", "/", {}),
    ("GET", "exact.test:81", "/", {}),
    ("GET", "upper.test", "/", {}),
    ("GET", "sub.exact.test", "/", {}),
    ("GET", "a.wild.test", "/", {}),
    ("GET", "a.b.wild.test", "/", {}),
    ("GET", "wild.test", "/", {}),
    ("GET", "abc.re.test", "/", {}),
    ("GET", "abd.re.test", "/", {}),
    ("GET", "path.test", "/only", {}),
    ("GET", "path.test", "/only/", {}),
    ("GET", "path.test", "/only?x=1", {}),
    ("GET", "path.test", "/%6fnly", {}),
    ("GET", "path.test", "/products", {}),
    ("GET", "path.test", "/products-for-sale", {}),
    ("GET", "path.test", "/Products", {}),
    ("GET", "path.test", "/x/../products/1", {}),
    ("GET", "path.test", "/x/%2e%2e/products/1", {}),
    ("GET", "path.test", "/a%2Fb.png", {}),
    ("GET", "path.test", "/picture.png", {}),
    ("GET", "path.test", "/picture.png?a=b&c", {}),
    ("GET", "path.test", "/picture.pngs", {}),
    ("GET", "path.test", "/caf%c3%a9", {}),
    ("GET", "path.test", "/caf%C3%A9", {}),
    ("GET", "path.test", "/th%C3%A9%20vert", {}),
    ("GET", "path.test", "/th%c3%a9%20vert", {}),
    ("POST", "method.test", "/", {}),
    ("PUT", "method.test", "/", {}),
    ("GET", "method.test", "/", {}),
    ("DELETE", "method.test", "/", {}),
    ("GET", "header.test", "/", {"X-Kind": "blue"}),
    ("GET", "header.test", "/", {"x-kind": "blue"}),
    ("GET", "header.test", "/", {"X-Kind": "Blue"}),
    ("GET", "header.test", "/", {"X-Kind": "green"}),
    ("GET", "header.test", "/", {}),
    ("GET", "query.test", "/?a=1", {}),
    ("GET", "query.test", "/?a=2&a=1", {}),
    ("GET", "query.test", "/?a=11", {}),
    ("GET", "query.test", "/?flag", {}),
    ("GET", "query.test", "/?flag=", {}),
    ("GET", "query.test", "/?flag=x", {}),
    ("GET", "query.test", "/?n=12", {}),
    ("GET", "query.test", "/?n=x", {}),
    ("GET", "client.test", "/", {}),
    ("GET", "client.test", "/", {"X-Forwarded-For": "192.0.2.1"}),
    ("GET", "stranger.test", "/", {"X-Forwarded-For": "192.0.2.1"}),
    ("GET", "not.test", "/", {}),
    ("GET", "not.test", "/secret", {}),
    ("GET", "prio.test", "/", {}),
    ("GET", "long.test", "/a/b/c", {}),
    ("GET", "long.test", "/a/c", {}),
    ("GET", "nohost.test", "/", {}),
    ("GET", "empty.test", "/", {}),
    ("GET", "dead.test", "/", {}),
    ("GET", "broken.test", "/", {}),
    ("GET", "lost.test", "/", {}),
    ("GET", "nobody.test", "/", {}),
    ("HEAD", "exact.test", "/", {}),
    ("OPTIONS", "exact.test", "/", {}),
    ("PATCH", "exact.test", "/a?b=c", {}),
    ("GET", "exact.test", "/", {"Connection": "close, X-Gone", "X-Gone": "1"}),
    ("GET", "exact.test", "/", {"X-Forwarded-Host": "evil.test", "X-Real-Ip": "1.2.3.4"}),
    ("GET", "exact.test", "/", {"X-Forwarded-Proto": "https"}),
]

def signed(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


REQUESTS += [
    ("GET", "strip.test", "/api/x?y=1", {}),
    ("GET", "strip.test", "/api", {}),
    ("GET", "strip.test", "/apix", {}),
    ("GET", "strip.test", "/v1/api/x", {}),
    ("GET", "strip.test", "/other", {}),
    ("GET", "strip.test", "/api%2Fx", {}),
    ("GET", "stripre.test", "/v12/x", {}),
    ("GET", "stripre.test", "/vx/x", {}),
    ("GET", "add.test", "/x?y=1", {}),
    ("GET", "add.test", "/a%2Fb", {}),
    ("GET", "replace.test", "/x?y=1", {}),
    ("GET", "replacere.test", "/users/12/a/b?y=1", {}),
    ("GET", "replacere.test", "/users/x/a", {}),
    ("GET", "scheme.test", "/x?y=1", {}),
    ("POST", "scheme.test", "/x?y=1", {}),
    ("GET", "scheme.test:81", "/", {}),
    ("GET", "moved.test", "/old/a/b?y=1", {}),
    ("POST", "moved.test", "/old/a", {}),
    ("GET", "moved.test", "/new", {}),
    ("GET", "basic.test", "/", {}),
    ("GET", "basic.test", "/", signed("sha", "password")),
    ("GET", "basic.test", "/", signed("apr", "password")),
    ("GET", "basic.test", "/", signed("sha", "wrong")),
    ("GET", "basic.test", "/", signed("nobody", "password")),
    ("GET", "basic.test", "/", {"Authorization": "Bearer x"}),
    ("GET", "basic.test", "/", {"X-User": "forged", **signed("sha", "password")}),
    ("GET", "allowed.test", "/", {"X-Forwarded-For": "203.0.113.1"}),
    ("GET", "refused.test", "/", {"X-Forwarded-For": "192.0.2.1"}),
    ("GET", "teapot.test", "/", {}),
    ("GET", "cors.test", "/", {"Origin": "https://a.test"}),
    ("GET", "cors.test", "/", {"Origin": "https://b.test"}),
    ("GET", "cors.test", "/", {}),
    ("OPTIONS", "cors.test", "/", {"Origin": "https://a.test", "Access-Control-Request-Method": "PUT"}),
    ("OPTIONS", "cors.test", "/", {"Origin": "https://b.test", "Access-Control-Request-Method": "PUT"}),
    ("OPTIONS", "cors.test", "/", {"Origin": "https://a.test"}),
    ("GET", "secure.test", "/", {}),
    ("GET", "custom.test", "/", {"X-Gone": "1", "X-Set": "client"}),
    ("GET", "chained.test", "/api/x", {}),
    ("POST", "small.test", "/", {}),
    ("GET", "small.test", "/", {}),
    ("GET", "pages.test", "/", {}),
    ("GET", "asks.test", "/x?y=1", {"X-Auth-User": "forged"}),
    ("GET", "asksno.test", "/", {}),
    ("GET", "unknown.test", "/", {}),
]

# What clients are told that has to be the same.
TOLD = [
    "Location", "WWW-Authenticate", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials",
    "Access-Control-Expose-Headers", "Vary", "X-Frame-Options", "X-Content-Type-Options", "X-XSS-Protection",
    "Referrer-Policy", "Strict-Transport-Security", "Permissions-Policy", "Content-Security-Policy", "X-Kind",
    "X-Guard",
]
# What servers see that has to be the same.
SEEN = [
    "x-user", "x-set", "x-auth-user", "authorization", "x-replaced-path",
    "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "x-real-ip", "x-gone", "x-forwarded-prefix"]


# Where we differ, in what, and why.
DIFFERENCES = {
    ("strip.test", "/api%2Fx"): (["path"], "what was escaped stays escaped"),
    ("cors.test", "OPTIONS"): (
        ["Access-Control-Expose-Headers", "Vary"],
        "a preflight exposes nothing, and depends on who asks",
    ),
}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it saw."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        seen = {
            "server": self.server.name,
            "method": self.command,
            "path": self.path,
            "host": self.headers.get("Host", "").split(":")[0],
            "body": self.rfile.read(length).decode(),
            "headers": {name: self.headers.get(name) for name in SEEN},
        }
        content = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Guard(http.server.BaseHTTPRequestHandler):
    """Lets in whoever asks at /yes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        forwarded = {name: self.headers.get(name) for name in ("X-Forwarded-Method", "X-Forwarded-Uri")}
        self.send_response(200 if self.path == "/yes" else 403)
        self.send_header("X-Auth-User", json.dumps(forwarded))
        self.send_header("X-Guard", "was here")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def echo(name, handler=Echo):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.name = name
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def traefik():
    path = os.environ.get("TRAEFIK_BIN") or str(pathlib.Path(sys.executable).parent / "traefik")
    path = path if pathlib.Path(path).exists() else shutil.which("traefik")
    assert path, "set TRAEFIK_BIN to the traefik binary"
    return path


def ask(port, method, host, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": host, **headers}.items():
            connection.putheader(name, value)
        if method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", "4")
        connection.endheaders(b"body" if method in ("POST", "PUT", "PATCH") else None)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    seen = json.loads(content) if response.status == 200 and content[:1] == b"{" else None
    # An error page is each gateway's own, with headers of its own.
    names = TOLD if response.status < 400 else ["Location", "WWW-Authenticate", "X-Guard"]
    told = {name: response.headers.get(name) for name in names}
    return {"status": response.status, "seen": seen, "told": told}


@contextlib.contextmanager
def beside(folder, text, ports, *options):
    """The real Traefik with these entry points, and mito, both with the same dynamic file."""
    (folder / "dynamic.yml").write_text(text)
    peer = subprocess.Popen(
        [
            traefik(), *(f"--entrypoints.{name}.address=127.0.0.1:{port}" for name, port in ports.items()), *options,
            "--log.level=FATAL", f"--providers.file.filename={folder / 'dynamic.yml'}",
            "--global.checknewversion=false", "--global.sendanonymoususage=false",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    (folder / "data" / "gateway").mkdir(parents=True)
    (folder / "data" / "gateway" / "dynamic.yml").write_text(text)
    try:
        with Platform(folder / "data") as platform:
            yield ports, platform
    finally:
        peer.terminate()
        peer.wait(timeout=10)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The ports of Traefik and of mito."""
    folder = tmp_path_factory.mktemp("traefik")
    servers = [echo("one"), echo("two"), echo("guard", Guard)]
    ports = {server.name: server.server_port for server in servers}
    text = DYNAMIC.format(dead=free_port(), **ports)
    try:
        with beside(folder, text, {"web": free_port()}) as (peer, platform):
            def is_up():
                try:
                    return ask(peer["web"], "GET", "exact.test", "/", {})["status"] == 200
                except OSError:
                    return False

            eventually("Traefik routes", is_up)
            yield peer["web"], int(platform.address().rsplit(":", 1)[1])
    finally:
        for server in servers:
            server.shutdown()


def flat(answer):
    return {"status": answer["status"], **(answer["seen"] or {}), **answer["told"]}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request[0]} {request[1]}{request[2]}")
def test_both_answer_the_same(both, request_):
    theirs, ours = (flat(ask(port, *request_)) for port in both)
    method, host, path, headers = request_
    known = DIFFERENCES.get((host, path)) or DIFFERENCES.get((host, method))
    differing = sorted(name for name in theirs | ours if theirs.get(name) != ours.get(name))
    if known and "Access-Control-Request-Method" in headers or known and known[0] == ["path"]:
        assert differing == known[0], (theirs, ours)
    else:
        assert ours == theirs
