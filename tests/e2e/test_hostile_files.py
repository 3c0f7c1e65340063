"""Files that are made to break who reads them: pictures, XML and pages."""

import base64
import hashlib
import http.client
import json
import struct
import zlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hostile_platform import MULTIPART, OFTEN, OPEN, Hostile
from platform_process import PATIENCE_SECONDS, SECRET_KEY, Memory, Platform, eventually, s3

# What reading one of them may take.
GROWTH_MEBIBYTES = 64


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("files") / "data", "--demo", *OFTEN) as platform:
        hostile = Hostile(platform)
        picture = {"name": "picture", "type": "file", "maxSize": 5_000_000, "thumbs": ["100x100"]}
        pictures = {"name": "pictures", "type": "base", "fields": [picture], **OPEN}
        platform.request("POST", "/api/collections", pictures, hostile.token)
        hostile.collections = hostile.names_of_collections()
        yield hostile


@pytest.fixture(autouse=True)
def nothing_is_harmed(hostile):
    memory = Memory(hostile.platform.process.pid)
    yield
    hostile.unharmed()
    assert memory.growth_mebibytes() < GROWTH_MEBIBYTES


def png(width, height, bits):
    """A grey picture of one colour, which packs well."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width * bits + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height", "bits"), [(10_000, 10_000, 8), (60_000, 60_000, 1), (1, 1_000_000, 8)])
def test_a_picture_is_not_unpacked_to_more_than_fits(hostile, width, height, bits):
    picture = png(width, height, bits)
    head = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
    status, _, body = hostile.send("POST", "/api/collections/pictures/records", head + picture + b"\r\n--x--\r\n", MULTIPART)
    record = json.loads(body)
    assert status == 200, record
    path = f"/api/files/pictures/{record['id']}/{record['picture']}?thumb=100x100"
    status, _, shown = hostile.send("GET", path)
    # As for any file that no small picture can be made of, it is the file itself.
    assert (status, shown) == (200, picture)


def delete_objects(platform, body):
    """A signed `DeleteObjects` with this body, which boto3 would not send."""
    address = platform.ready["services"]["minio"]
    request = AWSRequest(
        method="POST",
        url=f"http://{address}/inbox?delete=",
        data=body,
        headers={
            "Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode(),
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        },
    )
    SigV4Auth(Credentials("mito", SECRET_KEY), "s3", "us-east-1").add_auth(request)
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", "/inbox?delete=", body, dict(request.headers))
    except (BrokenPipeError, ConnectionResetError):
        pass  # It was answered before all of it was read.
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    return answer.status, told


def entities():
    """Nine entities, each ten of the one before: a thousand million."""
    first = '<!ENTITY e0 "ha">'
    more = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10))
    return f"<!DOCTYPE d [{first}{more}]><Delete><Object><Key>&e9;</Key></Object></Delete>".encode()


XML = {
    "entities in entities": entities(),
    "a file of the machine": b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    "depth": b"<Delete>" + b"<Object>" * 100_000 + b"</Object>" * 100_000 + b"</Delete>",
    "no end": b"<Delete>" * 10_000,
    "no text": b"<Delete><Object><Key>\xff</Key></Object></Delete>",
    "another kind": b'{"Delete":{}}',
    "nothing": b"",
}


@pytest.mark.parametrize("what", XML)
def test_xml_is_refused(hostile, what):
    status, told = delete_objects(hostile.platform, XML[what])
    assert status == 400, told
    assert b"<Error><Code>" in told and b"root:" not in told, told


def test_xml_that_is_too_large_is_refused(hostile):
    status, told = delete_objects(hostile.platform, b"<Delete>" + b"<Object><Key>a</Key></Object>" * 300_000 + b"</Delete>")
    assert status in (400, 413), told


PAGES = {
    "depth": (b"<article>" + b"<div>" * 300_000 + b"A text at the bottom of it. " * 20, "recorded"),
    "open marks": (b"<p>" + b"<b>" * 300_000 + b"A text that is very bold. " * 20, "recorded"),
    "tables in tables": (b"<table><tr><td>" * 100_000, "skipped"),
    "drawings in drawings": (b"<svg>" + b"<g>" * 300_000, "skipped"),
    "no text": (b"\x00" * 1_000_000, "skipped"),
}


@pytest.mark.parametrize("what", PAGES)
def test_a_page_goes_through_the_pipeline_or_is_left_out(hostile, what):
    page, expected = PAGES[what]
    key = f"{what}.html"
    s3(hostile.platform).put_object(Bucket="inbox", Key=key, Body=page, ContentType="text/html")

    def state():
        query = f"select state from _mito_ai_runs where object_key = '{key}' and finished_ms is not null"
        rows = hostile.platform.request("POST", "/api/sql", {"query": query}, hostile.token)["rows"]
        return rows and rows[0][0]

    assert eventually(f"the run of {key} is over", state) == expected
