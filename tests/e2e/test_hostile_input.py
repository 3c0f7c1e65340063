"""Whatever is sent, the binary answers in the protocol, goes on, and writes nothing it should not."""

import json
import urllib.parse

import pytest
from hostile_platform import JSON, MULTIPART, OFTEN, OPEN, RECORDS, Hostile, envelope, status_of
from platform_process import ADMIN, PASSWORD, Platform

AUTH = "/api/collections/users"
FORM_TEXT = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("hostile") / "data", *OFTEN) as platform:
        yield Hostile(platform)


@pytest.fixture(autouse=True)
def nothing_is_harmed(hostile):
    yield
    hostile.unharmed()


def deep(times=10_000):
    return "[" * times + "]" * times


def deep_bodies():
    text = deep()
    quoted = json.dumps(text)
    field = {"name": "f", "type": "json"}
    yield "POST", RECORDS, JSON, f'{{"extra":{text}}}'
    yield "POST", RECORDS, JSON, text
    yield "POST", RECORDS, JSON, '{"a":' * 10_000 + "1" + "}" * 10_000
    yield "POST", RECORDS, "application/x-www-form-urlencoded", "@jsonPayload=" + urllib.parse.quote(f'{{"extra":{text}}}')
    yield "POST", RECORDS, MULTIPART, f'--x\r\nContent-Disposition: form-data; name="@jsonPayload"\r\n\r\n{{"extra":{text}}}\r\n--x--\r\n'
    yield "POST", "/api/batch", JSON, f'{{"requests":[{{"method":"POST","url":"{RECORDS}","body":{{"extra":{text}}}}}]}}'
    yield "POST", "/api/batch", JSON, f'{{"requests":{text}}}'
    yield "POST", f"{AUTH}/auth-with-password", JSON, f'{{"identity":{text}}}'
    yield "POST", "/api/realtime", JSON, f'{{"subscriptions":{text}}}'
    yield "PATCH", "/api/settings", JSON, f'{{"meta":{text}}}'
    yield "POST", "/api/collections", JSON, f'{{"name":"deep","fields":{text}}}'
    yield "PUT", "/api/collections/import", JSON, f'{{"collections":{text}}}'
    yield "POST", "/api/sql", JSON, f'{{"query":{text}}}'
    yield "POST", "/api/backups", JSON, text
    # Depth inside of texts that are read as something.
    parentheses = "(" * 10_000 + "1=1" + ")" * 10_000
    for rule in (parentheses, "!" * 10_000 + "(1=1)", "@request.body.x" + ".x" * 10_000 + "=1"):
        yield "POST", "/api/collections", JSON, json.dumps({"name": "deep", "type": "base", "fields": [field], "listRule": rule})
    for query in (f"select {parentheses} as id", f"select id from {'(select id from ' * 5_000}things{')' * 5_000}"):
        yield "POST", "/api/collections", JSON, json.dumps({"name": "deep", "type": "view", "viewQuery": query})
        yield "POST", "/api/collections/meta/dry-run-view", JSON, json.dumps({"query": query})
        yield "POST", "/api/sql", JSON, json.dumps({"query": query})
    yield "POST", "/api/sql", JSON, json.dumps({"query": f"select json({quoted.replace(chr(34), chr(39))})"})
    pattern = "(" * 5_000 + "a" + ")" * 5_000
    for odd in ({"pattern": pattern}, {"pattern": "a{1000}" * 20 + "{1000}"}, {"pattern": "(a{1000}){1000}"}):
        fields = [{"name": "f", "type": "text", **odd}]
        yield "POST", "/api/collections", JSON, json.dumps({"name": "deep", "type": "base", "fields": fields})


@pytest.mark.parametrize("number", range(len(list(deep_bodies()))))
def test_depth_is_refused(hostile, number):
    method, path, kind, body = list(deep_bodies())[number]
    status, _, told = hostile.send(method, path, body, kind, Authorization=hostile.token)
    assert status in (400, 413), (path, body[:80], status, told[:300])
    envelope(told, status)


def test_depth_in_addresses_is_refused(hostile):
    opening, closing = "(" * 10_000, ")" * 10_000
    for query in (
        {"filter": f"{opening}title='a'{closing}"},
        {"filter": "(" * 1_500 + "title='a'" + ")" * 1_500},
        {"filter": "||".join(["title='a'"] * 300)},
        {"filter": "title='" + "a" * 60_000 + "'"},
        {"filter": "extra" + ".a" * 5_000 + "=1"},
        {"sort": ",".join(["title"] * 5_000)},
        {"sort": "extra" + ".a" * 5_000},
    ):
        status, _, told = hostile.send("GET", f"{RECORDS}?{urllib.parse.urlencode(query)}")
        assert status in (400, 414, 431), (query, status, told[:300])
    # What names nothing is left out, however deep it is.
    for query in ({"expand": "a" + ".a" * 10_000}, {"fields": "a" + ".a" * 10_000}, {"fields": ",".join(["title"] * 10_000)}):
        status, _, told = hostile.send("GET", f"{RECORDS}?{urllib.parse.urlencode(query)}")
        assert status in (200, 400, 414, 431), (query, status, told[:300])


def test_heads_are_bounded(hostile):
    long = b"a" * 2_000_000
    many = b"".join(b"x-%d: 1\r\n" % number for number in range(20_000))
    for expected, request in (
        ((414,), b"GET /api/health?" + long + b" HTTP/1.1\r\nHost: api.localhost\r\n\r\n"),
        ((431,), b"GET /api/health HTTP/1.1\r\nHost: api.localhost\r\nx-long: " + long + b"\r\n\r\n"),
        ((431,), b"GET /api/health HTTP/1.1\r\nHost: api.localhost\r\n" + many + b"\r\n"),
    ):
        for service in (None, "api", "minio"):
            answer = hostile.send_raw(request, service)
            # Who is sent away while still sending may find the connection gone.
            assert answer == b"" or status_of(answer) in expected, (service, request[:60], answer[:200])


NOT_UTF8 = b"\xff\xfe\xc0\xaf\xed\xa0\x80"


def test_bytes_that_are_no_text_are_refused(hostile):
    escaped = "".join(f"%{byte:02x}" for byte in NOT_UTF8)
    for path in (
        f"/api/collections/{escaped}/records",
        f"{RECORDS}/{escaped}",
        f"/api/files/things/{hostile.record['id']}/{escaped}",
        f"{RECORDS}?filter={escaped}",
        f"{RECORDS}?sort={escaped}",
        f"/{escaped}",
    ):
        status, _, body = hostile.send("GET", path)
        assert 400 <= status < 500, (path, status, body[:300])
    for kind, body in (
        (JSON, b'{"title":"' + NOT_UTF8 + b'"}'),
        (JSON, b'{"' + NOT_UTF8 + b'":1}'),
        (JSON, NOT_UTF8),
        (JSON, '{"title":"a"}'.encode("utf-16")),
        (MULTIPART, FORM_TEXT + NOT_UTF8 + b"\r\n--x--\r\n"),
        (MULTIPART, FORM_TEXT.replace(b"title", NOT_UTF8) + b"a\r\n--x--\r\n"),
    ):
        status, _, told = hostile.send("POST", RECORDS, body, kind)
        assert status == 400, (kind, body, status, told[:300])
        envelope(told, status)
    for header in (b"Authorization", b"Cookie", b"X-Forwarded-For", b"Range", b"If-None-Match", b"Accept-Encoding", b"Origin"):
        answer = hostile.send_raw(
            b"GET " + RECORDS.encode() + b" HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n" + header + b": " + NOT_UTF8 + b"\r\n\r\n"
        )
        assert status_of(answer) in (200, 400), (header, answer[:200])
    for host in (NOT_UTF8, b"api.localhost\x00", b"[::1", b"api.localhost:99999", b"a b", b""):
        answer = hostile.send_raw(b"GET /api/health HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        assert 400 <= status_of(answer) < 500, (host, answer[:200])


SQL = [
    "'; DROP TABLE things; --",
    '"; DROP TABLE things; --',
    "`; DROP TABLE things; --",
    "]; DROP TABLE things; --",
    "x' OR '1'='1",
    "1; ATTACH DATABASE '/tmp/evil.db' AS evil",
    "' UNION SELECT id, password FROM _superusers --",
]


@pytest.mark.parametrize("attack", SQL)
def test_sql_is_refused_or_text(hostile, attack):
    quoted = urllib.parse.quote(attack, safe="")
    for path in (
        f"{RECORDS}/{quoted}",
        f"/api/collections/{quoted}/records",
        f"{RECORDS}?sort={quoted}",
        f"{RECORDS}?filter={quoted}",
        f"/api/files/things/{quoted}/a.txt",
        f"/api/files/things/{hostile.record['id']}/{quoted}",
        f"/api/logs?filter={quoted}",
        f"/api/collections?sort={quoted}",
        f"/api/crons/{quoted}",
        f"/api/backups/{quoted}?token={quoted}",
    ):
        status, _, body = hostile.send("GET", path, Authorization=hostile.token)
        assert 400 <= status < 500, (path, status, body[:300])
        envelope(body, status)
    for path in (f"{RECORDS}?expand={quoted}&fields={quoted}", f"{RECORDS}?page={quoted}&perPage={quoted}", f"{hostile.file}?thumb={quoted}"):
        status, _, body = hostile.send("GET", path)
        assert status in (200, 400), (path, status, body[:300])
    collection = {"name": "made", "type": "base", "fields": [{"name": "f", "type": "text"}]}
    field = {"name": attack, "type": "text"}
    view = f"select id, title as {attack} from things"
    for made in (
        {**collection, "name": attack},
        {**collection, "fields": [field]},
        {**collection, "indexes": [attack]},
        {**collection, "indexes": [f"CREATE INDEX made_index ON made (f) WHERE f = '{attack}'"]},
        {**collection, "indexes": [f"CREATE INDEX {attack} ON made (f)"]},
        {**collection, "indexes": [f"CREATE INDEX made_index ON made (f); {attack}"]},
        {**collection, "listRule": attack},
        {**collection, "createRule": f"f = 'a' {attack}"},
        {"name": "made", "type": "view", "viewQuery": view},
        {"name": "made", "type": "view", "viewQuery": f"select id from things; {attack}"},
        {"name": "made", "type": "view", "viewQuery": "drop table things"},
        {"name": "made", "type": "view", "viewQuery": "select id, password from _superusers; delete from things"},
    ):
        status, _, body = hostile.send("POST", "/api/collections", json.dumps(made), Authorization=hostile.token)
        if status == 200:
            # The condition of an index may compare with any text, and ends where the text ends.
            hostile.send("DELETE", "/api/collections/made", Authorization=hostile.token)
            assert " WHERE f = '" in made.get("indexes", [""])[0], made
        else:
            assert status == 400, (made, status, body[:300])
            envelope(body, status)
    for path, body in (
        (f"{AUTH}/auth-with-password", {"identity": attack, "password": attack}),
        (f"{AUTH}/auth-with-password", {"identity": ADMIN, "password": PASSWORD, "identityField": attack}),
        (f"{AUTH}/auth-with-otp", {"otpId": attack, "password": attack}),
        (f"{AUTH}/confirm-verification", {"token": attack}),
        (f"{AUTH}/auth-with-oauth2", {"provider": attack, "code": attack}),
        ("/api/realtime", {"clientId": attack, "subscriptions": [attack]}),
        ("/api/batch", {"requests": [{"method": attack, "url": attack}]}),
        ("/api/backups", {"name": attack}),
    ):
        status, _, told = hostile.send("POST", path, json.dumps(body), Authorization=hostile.token)
        assert 400 <= status < 500, (path, body, status, told[:300])
        envelope(told, status)
    # The one collection that takes any text takes these for what they are.
    status, _, body = hostile.send("POST", RECORDS, json.dumps({"title": attack, attack: attack}))
    made = json.loads(body)
    assert (status, made["title"]) == (200, attack)
    found = urllib.parse.quote("title='" + attack.replace("\\", "\\\\").replace("'", "\\'") + "'", safe="")
    status, _, body = hostile.send("GET", f"{RECORDS}?filter={found}")
    assert [item["id"] for item in json.loads(body)["items"]] == [made["id"]]
    hostile.send("DELETE", f"{RECORDS}/{made['id']}")


TRICKS = [
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5c..%5cetc%5cpasswd",
    "..%252f..%252f..%252fetc%252fpasswd",
    "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "....//....//....//etc/passwd",
    "..;/..;/..;/etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "a.txt%00.png",
    "..%2f..%2fmito.db",
    "..%2fsecrets%2fjwt_secret",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_paths_lead_nowhere_else(hostile, trick):
    identity = hostile.record["id"]
    kept = (hostile.platform.data / "secrets").iterdir()
    secrets = [b"root:", b"SQLite format 3", *(file.read_bytes().strip() for file in kept)]
    places = [
        ("api.localhost", "/"),
        ("api.localhost", "/api/files/"),
        ("api.localhost", "/api/files/things/"),
        ("api.localhost", f"/api/files/things/{identity}/"),
        ("api.localhost", f"{hostile.file}?thumb="),
        ("api.localhost", "/api/backups/"),
        ("admin.localhost", "/"),
        ("admin.localhost", "/assets/"),
        ("minio.localhost", "/"),
        ("minio.localhost", "/mito-records/"),
        ("mobile.localhost", "/"),
        ("mobile.localhost", "/assets/"),
        ("localhost", "/"),
    ]
    for host, before in places:
        request = f"GET {before}{trick} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        answer = hostile.send_raw(request.encode())
        assert status_of(answer) < 500, (host, before, answer[:200])
        for secret in secrets:
            assert secret not in answer, (host, before, answer[:200])


def test_names_of_files_stay_inside(hostile):
    names = ["../../../../evil.txt", "/tmp/evil.txt", "..\\..\\evil.txt", "a\x00b", "con", ".", "..", "", "x" * 5_000, "evil.txt/", "\u202etxt.exe"]
    around = hostile.platform.data.parent
    before = {path for path in around.rglob("*") if not path.is_relative_to(hostile.platform.data)}
    made = []
    for name in names:
        escaped = name.replace("\\", "\\\\").encode()
        body = b'--x\r\nContent-Disposition: form-data; name="paper"; filename="' + escaped + b'"\r\n\r\nhello\r\n--x--\r\n'
        status, _, told = hostile.send("POST", RECORDS, body, MULTIPART)
        assert status in (200, 400), (name, status, told[:300])
        if status == 200:
            record = json.loads(told)
            made.append(record["id"])
            assert all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in record["paper"]), record
            assert ".." not in record["paper"] and len(record["paper"]) < 256, record
    for identity in made:
        assert hostile.send("DELETE", f"{RECORDS}/{identity}")[0] == 204
    after = {path for path in around.rglob("*") if not path.is_relative_to(hostile.platform.data)}
    assert after == before
    assert not [path for path in hostile.platform.data.rglob("*evil*")]
