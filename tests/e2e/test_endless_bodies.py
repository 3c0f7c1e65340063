"""Bodies that have no end, or grow when they are read, are refused early and take little memory."""

import gzip
import select
import time

import pytest
from hostile_platform import ANSWER_SECONDS, JSON, MULTIPART, OFTEN, RECORDS, Hostile, envelope, receive, status_of
from platform_process import Memory, Platform

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
# A batch may have 128 MB, and some more is on its way when it is refused.
MOST_MEBIBYTES = 160


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("hostile") / "data", *OFTEN) as platform:
        yield Hostile(platform)


@pytest.fixture(autouse=True)
def nothing_is_harmed(hostile):
    yield
    hostile.unharmed()


FORM_FILE = b'--x\r\nContent-Disposition: form-data; name="paper"; filename="a"\r\n\r\n'
FORM_TEXT = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n'
JSON_TEXT = b'{"title":"'
AUTH = "/api/collections/users"
# What a body of thirty megabytes may take: itself, some buffers, and its values.
GROWTH_MEBIBYTES = 256
# Where a gigabyte is sent to: the request, how the body begins, and the refusal.
LARGE = {
    "a record": ("POST", RECORDS, JSON, JSON_TEXT, 413),
    "a change": ("PATCH", f"{RECORDS}/abcdefghijklmno", JSON, JSON_TEXT, 413),
    "a form": ("POST", RECORDS, "application/x-www-form-urlencoded", b"title=", 413),
    "a text in a form with files": ("POST", RECORDS, MULTIPART, FORM_TEXT, 413),
    "a file": ("POST", RECORDS, MULTIPART, FORM_FILE, 413),
    "spaces": ("POST", RECORDS, JSON, b"", 413),
    "a batch": ("POST", "/api/batch", JSON, b'{"requests":[', 413),
    "a batch with files": ("POST", "/api/batch", MULTIPART, FORM_FILE.replace(b"paper", b"requests.0.paper"), 413),
    "a sign-in": ("POST", f"{AUTH}/auth-with-password", JSON, JSON_TEXT, 413),
    "another site's sign-in": ("POST", f"{AUTH}/auth-with-oauth2", JSON, JSON_TEXT, 413),
    "a subscription": ("POST", "/api/realtime", JSON, JSON_TEXT, 413),
    "settings": ("PATCH", "/api/settings", JSON, JSON_TEXT, 413),
    "a collection": ("POST", "/api/collections", JSON, JSON_TEXT, 413),
    "collections": ("PUT", "/api/collections/import", JSON, JSON_TEXT, 413),
    "a query": ("POST", "/api/sql", JSON, JSON_TEXT, 413),
    "an unknown path": ("POST", "/api/nothing", JSON, JSON_TEXT, 404),
    "the panel": ("POST", "/_mito/api/session", JSON, JSON_TEXT, 403),
}


def head(method, path, kind, length, token, host="api.localhost"):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
        f"Authorization: {token}\r\n{length}\r\n\r\n"
    ).encode()


def send_endlessly(stream, start):
    """Sends a gigabyte in chunks until there is an answer; how much was taken, and the answer."""
    filler = b" " * MEBIBYTE if start == b"" else b"a" * MEBIBYTE
    block = b"%x\r\n%s\r\n" % (len(filler), filler)
    sent = 0
    # The far end may stop reading before it answers, so nothing here waits for room to write.
    stream.setblocking(False)
    waiting = b"%x\r\n%s\r\n" % (len(start), start) if start else b""
    deadline = time.monotonic() + ANSWER_SECONDS * 2
    while sent < GIBIBYTE and time.monotonic() < deadline:
        waiting = waiting or block
        readable, writable, _ = select.select([stream], [stream], [], 1)
        if readable:
            break
        if not writable:
            continue
        try:
            written = stream.send(waiting)
        except ConnectionError:
            break
        waiting = waiting[written:]
        sent += written
    stream.setblocking(True)
    stream.settimeout(ANSWER_SECONDS)
    return sent, receive(stream)


@pytest.mark.parametrize("what", LARGE)
def test_a_body_without_end_is_refused_before_it_has_been_sent(hostile, what):
    method, path, kind, start, expected = LARGE[what]
    with hostile.connect() as stream:
        stream.sendall(head(method, path, kind, "Transfer-Encoding: chunked", hostile.token))
        sent, answer = send_endlessly(stream, start)
    assert sent < MOST_MEBIBYTES * MEBIBYTE
    assert status_of(answer) == expected, answer


@pytest.mark.parametrize("what", LARGE)
def test_a_body_that_says_it_is_too_large_is_not_read(hostile, what):
    method, path, kind, start, expected = LARGE[what]
    request = head(method, path, kind, f"Content-Length: {GIBIBYTE}", hostile.token)
    with hostile.connect() as stream:
        stream.sendall(request + start)
        answer = receive(stream)
    assert status_of(answer) == expected, answer


def test_what_is_packed_is_not_unpacked(hostile):
    bomb = gzip.compress(b'{"title":"' + b"a" * 200 * MEBIBYTE + b'"}')
    for coding in ("gzip", "deflate", "br", "zstd"):
        status, _, body = hostile.send("POST", RECORDS, bomb, **{"Content-Encoding": coding})
        assert status in (400, 415), (coding, status)
        envelope(body, status)


# Thirty megabytes that are many times that as values.
GROWING = {
    "a record of numbers": (RECORDS, JSON, b'{"extra":[' + b"1," * 15_000_000 + b"1]}"),
    "a record of objects": (RECORDS, JSON, b'{"extra":[' + b'{"a":1},' * 3_700_000 + b"1]}"),
    "a form with a field of numbers": (RECORDS, "application/x-www-form-urlencoded", b"extra=[" + b"1," * 15_000_000 + b"1]"),
    "a batch of numbers": ("/api/batch", JSON, b'{"requests":[' + b"1," * 15_000_000 + b"1]}"),
}


@pytest.mark.parametrize("what", GROWING)
def test_json_grows_little_when_it_is_read(hostile, what):
    path, kind, body = GROWING[what]
    memory = Memory(hostile.platform.process.pid)
    status, _, told = hostile.send("POST", path, body, kind)
    assert status in (400, 413), told[:300]
    assert memory.growth_mebibytes() < GROWTH_MEBIBYTES
