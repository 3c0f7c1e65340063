"""The API of the gateway beside the real Traefik's: the same dynamic file, the same keys and types."""

import http.client
import json
import subprocess
import urllib.parse

import pytest
from platform_process import Platform, eventually
from test_gateway_traefik import free_port, traefik

# One object of each kind that both know.
DYNAMIC = """
http:
  routers:
    shop: {rule: "Host(`shop.test`)", service: shop, middlewares: [guard, front], entryPoints: [web]}
    secure: {rule: "Host(`secure.test`)", service: both, tls: {}, entryPoints: [websecure]}
    high: {rule: "Host(`high.test`)", service: shop, priority: 500, entryPoints: [web]}
    broken: {rule: "Hots(`broken.test`)", service: shop, entryPoints: [web]}
    lost: {rule: "Host(`lost.test`)", service: nowhere, entryPoints: [web]}
    unknown: {rule: "Host(`unknown.test`)", service: shop, middlewares: [nobody], entryPoints: [web]}
  middlewares:
    guard: {basicAuth: {realm: here, users: ["ann:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00"]}}
    front: {forwardAuth: {address: "http://127.0.0.1:1/auth", authResponseHeaders: [X-User]}}
    strip: {stripPrefix: {prefixes: [/api]}}
    stripre: {stripPrefixRegex: {regex: ["^/v[0-9]+/"]}}
    add: {addPrefix: {prefix: /added}}
    replace: {replacePath: {path: /replaced}}
    replacere: {replacePathRegex: {regex: "^/a", replacement: "/b"}}
    scheme: {redirectScheme: {scheme: https, port: "8443", permanent: true}}
    moved: {redirectRegex: {regex: "^http://a/", replacement: "https://b/"}}
    allowed: {ipAllowList: {sourceRange: [127.0.0.1], rejectStatusCode: 418}}
    head: {headers: {frameDeny: true, customRequestHeaders: {X-One: "1"}, stsSeconds: 60}}
    chained: {chain: {middlewares: [strip, add]}}
    small: {buffering: {maxRequestBodyBytes: 3}}
    pages: {errors: {status: ["500-599"], service: shop, query: "/{status}"}}
    packed: {compress: {}}
    again: {retry: {attempts: 2, initialInterval: 100ms}}
    limit: {rateLimit: {average: 10, burst: 5}}
    flight: {inFlightReq: {amount: 3}}
  services:
    shop:
      loadBalancer:
        servers: [{url: "http://127.0.0.1:1"}, {url: "http://127.0.0.1:2", weight: 2}]
        sticky: {cookie: {name: lb, httpOnly: true}}
        healthCheck: {path: /up, interval: 1s}
    plain: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    both: {weighted: {services: [{name: shop, weight: 3}, {name: plain}]}}
"""

ONE = {
    "http/routers": ["shop", "secure", "high", "broken", "lost", "unknown"],
    "http/services": ["shop", "plain", "both"],
    "http/middlewares": [
        "guard", "front", "strip", "stripre", "add", "replace", "replacere", "scheme", "moved", "allowed", "head",
        "chained", "small", "pages", "packed", "again", "limit", "flight",
    ],
}
LISTS = [
    "http/routers", "http/services", "http/middlewares", "tcp/routers", "tcp/services", "tcp/middlewares",
    "udp/routers", "udp/services", "certificates", "entrypoints",
]
WHOLES = ["version", "overview", "entrypoints/web", "entrypoints/websecure", "entrypoints/traefik"]
MISSING = [
    "http/routers/x@file", "http/services/x@file", "http/middlewares/x@file", "entrypoints/x", "certificates/x",
    "tcp/routers/x", "tcp/services/x", "tcp/middlewares/x", "udp/routers/x", "udp/services/x",
]
QUERIES = [
    "search=shop.test", "search=SHOP", "search=nothing", "status=disabled", "status=enabled&search=@file",
    "serviceName=shop", "serviceName=shop@file", "serviceName=both@file", "serviceName=nobody",
    "middlewareName=guard@file", "middlewareName=guard", "middlewareName=nobody@file",
    "search=@file&sortBy=name", "search=@file&sortBy=name&direction=desc", "search=@file&sortBy=priority",
    "search=@file&sortBy=priority&direction=desc", "search=@file&sortBy=status", "search=@file&sortBy=rule",
    "search=@file&per_page=2", "search=@file&per_page=2&page=2", "search=@file&per_page=2&page=3",
    "search=@file&per_page=2&page=4", "page=9", "page=0", "page=x", "per_page=0", "per_page=x",
]

# What Traefik shows and we do not, and why.
ABSENT = {
    ("entrypoints", "udp"): "UDP is not served",
    ("http/services", "responseForwarding"): "answers are passed on as they come, never at intervals",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The addresses of Traefik's API and of mito's."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "dynamic.yml").write_text(DYNAMIC)
    ports = {name: free_port() for name in ("web", "websecure", "traefik")}
    peer = subprocess.Popen(
        [
            traefik(), "--api.insecure=true", "--metrics.prometheus=true", "--log.level=FATAL",
            *(f"--entrypoints.{name}.address=127.0.0.1:{port}" for name, port in ports.items()),
            f"--providers.file.filename={folder / 'dynamic.yml'}",
            "--global.checknewversion=false", "--global.sendanonymoususage=false",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    (folder / "data" / "gateway").mkdir(parents=True)
    (folder / "data" / "gateway" / "dynamic.yml").write_text(DYNAMIC)
    theirs = f"127.0.0.1:{ports['traefik']}"
    try:
        with Platform(folder / "data") as platform:
            def is_up():
                try:
                    return ask(theirs, "http/routers/shop@file")[0] == 200
                except OSError:
                    return False

            eventually("Traefik has read the file", is_up)
            yield theirs, platform.address("traefik")
    finally:
        peer.terminate()
        peer.wait(timeout=10)


def ask(address, path):
    """One exchange: status, the next page, the body, read if it is JSON."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", f"/api/{path}")
        answer = connection.getresponse()
        content = answer.read().decode()
    finally:
        connection.close()
    try:
        content = json.loads(content)
    except ValueError:
        pass
    return answer.status, answer.headers.get("X-Next-Page"), content


def missing(path, theirs, ours, where=""):
    """What Traefik's value has that ours has not, or of another type."""
    kind = path.split("/")[0] if path.startswith("entrypoints") else path
    if type(theirs) is not type(ours):
        return [f"{where}: {type(theirs).__name__} and not {type(ours).__name__}"]
    if isinstance(theirs, dict):
        found = []
        for key, value in theirs.items():
            if (kind, key) in ABSENT:
                continue
            if key not in ours:
                found.append(f"{where}.{key} is absent")
            else:
                found += missing(path, value, ours[key], f"{where}.{key}")
        return found
    if isinstance(theirs, list) and theirs and ours:
        return missing(path, theirs[0], ours[0], f"{where}[0]")
    return []


@pytest.mark.parametrize("path", WHOLES)
def test_wholes_have_the_same_shape(both, path):
    (status, _, theirs), (ours_status, _, ours) = (ask(address, path) for address in both)
    assert (status, ours_status) == (200, 200)
    assert missing(path, theirs, ours) == []


@pytest.mark.parametrize("kind", LISTS)
def test_lists_have_the_same_shape(both, kind):
    (status, next_page, theirs), (ours_status, ours_next, ours) = (ask(address, kind) for address in both)
    assert (status, next_page) == (ours_status, ours_next) == (200, "1")
    assert isinstance(theirs, list) and isinstance(ours, list)
    known = {item["name"]: item for item in ours}
    # The internal ones that both have, too.
    for item in theirs:
        if item["name"] in known:
            assert missing(kind, item, known[item["name"]]) == [], item["name"]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in ONE.items() for name in names])
def test_objects_have_the_same_shape_and_say_the_same(both, kind, name):
    path = f"{kind}/{urllib.parse.quote(name + '@file')}"
    (status, _, theirs), (ours_status, _, ours) = (ask(address, path) for address in both)
    assert (status, ours_status) == (200, 200)
    assert missing(kind, theirs, ours) == []
    for key in ("name", "provider", "type", "status", "rule", "priority", "priorityStr", "entryPoints", "middlewares", "tls", "using"):
        if key in theirs:
            assert ours[key] == theirs[key], (key, theirs, ours)
    assert bool(theirs.get("error")) == bool(ours.get("error")), (theirs, ours)


def test_the_raw_data_has_the_same_shape(both):
    (_, _, theirs), (_, _, ours) = (ask(address, "rawdata") for address in both)
    for kind, objects in theirs.items():
        for name, value in objects.items():
            if name.endswith("@file"):
                assert missing(f"http/{kind}", value, ours[kind][name]) == [], name


@pytest.mark.parametrize("query", QUERIES)
def test_queries_find_the_same(both, query):
    (status, next_page, theirs), (ours_status, ours_next, ours) = (ask(address, f"http/routers?{query}") for address in both)
    assert ours_status == status, (theirs, ours)
    if status != 200:
        assert set(ours) == set(theirs) == {"message"}
        return
    assert ours_next == next_page

    def of_the_file(items):
        return [item["name"] for item in items if item["name"].endswith("@file")]

    assert of_the_file(ours) == of_the_file(theirs)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_said_in_the_same_words(both, path):
    theirs, ours = (ask(address, path) for address in both)
    assert ours == theirs


def test_an_unknown_path_is_not_found(both):
    theirs, ours = (ask(address, "nothing/at/all") for address in both)
    assert ours[0] == theirs[0] == 404


def test_no_password_is_shown(both):
    """Where Traefik shows the hash."""
    (_, _, theirs), (_, _, ours) = (ask(address, "http/middlewares/guard@file") for address in both)
    assert theirs["basicAuth"]["users"][0].startswith("ann:$apr1$")
    assert ours["basicAuth"]["users"] == ["ann:xxxx"]
