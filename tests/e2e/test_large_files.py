"""A file much larger than the memory that it may take goes in and comes out again."""

import hashlib
import http.client
import json
import random
import shutil

import pytest
from platform_process import PATIENCE_SECONDS, Memory, Platform

MEBIBYTE = 1024 * 1024
FILE_MEBIBYTES = 300
GROWTH_MEBIBYTES = 64
RECORDS = "/api/collections/films/records"
BOUNDARY = "a-line-that-no-block-has"
# Every block is another one, so that a block in the wrong place shows.
FILLER = random.Random(7).randbytes(MEBIBYTE - 8)


def block(number):
    return number.to_bytes(8, "big") + FILLER


def part_of_file(start, end):
    """The bytes from start up to end, made anew."""
    first = start // MEBIBYTE
    blocks = b"".join(block(number) for number in range(first, -(-end // MEBIBYTE)))
    return blocks[start - first * MEBIBYTE :][: end - start]


def connect(address):
    host, port = address.rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)


def headers(token, **more):
    return {"Host": "api.localhost", "Authorization": token, **more}


def upload(address, token, mebibytes):
    """Sends a form with the file, a block at a time; gives back the answer and the SHA-256."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nlong\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="film"; filename="film.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    digest = hashlib.sha256()
    connection = connect(address)
    connection.putrequest("POST", RECORDS, skip_host=True)
    length = len(head) + mebibytes * MEBIBYTE + len(tail)
    form = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length)}
    for name, value in headers(token, **form).items():
        connection.putheader(name, value)
    connection.endheaders(head)
    for number in range(mebibytes):
        digest.update(block(number))
        connection.send(block(number))
    connection.send(tail)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body, digest.hexdigest()


def download(address, path, token):
    """Reads the file a block at a time; gives back its length as announced and the SHA-256."""
    connection = connect(address)
    connection.request("GET", path, headers=headers(token))
    answer = connection.getresponse()
    assert answer.status == 200
    digest = hashlib.sha256()
    while chunk := answer.read(MEBIBYTE):
        digest.update(chunk)
    length = int(answer.headers["Content-Length"])
    connection.close()
    return length, digest.hexdigest()


def read_range(address, path, token, start, end):
    connection = connect(address)
    connection.request("GET", path, headers=headers(token, Range=f"bytes={start}-{end - 1}"))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers["Content-Range"], body


@pytest.fixture
def data(tmp_path):
    yield tmp_path / "data"
    # pytest would keep hundreds of megabytes of the last runs.
    shutil.rmtree(tmp_path / "data", ignore_errors=True)


@pytest.mark.parametrize("way", ["through the gateway", "straight to the role"])
def test_a_large_file_streams(data, way):
    with Platform(data) as platform:
        platform.create_admin()
        token = platform.sign_in()
        size = FILE_MEBIBYTES * MEBIBYTE
        field = {"name": "film", "type": "file", "maxSelect": 1, "maxSize": size}
        title = {"name": "title", "type": "text"}
        films = {"name": "films", "type": "base", "fields": [title, field]}
        platform.request("POST", "/api/collections", films, token)
        address = platform.address() if way == "through the gateway" else platform.ready["services"]["api"]
        memory = Memory(platform.process.pid)

        status, record, sent = upload(address, token, FILE_MEBIBYTES)
        assert status == 200, record
        assert record["title"] == "long"
        assert memory.growth_mebibytes() < GROWTH_MEBIBYTES, "while it went in"

        path = f"/api/files/films/{record['id']}/{record['film']}"
        assert download(address, path, token) == (size, sent)
        start, end = 150 * MEBIBYTE - 5, 151 * MEBIBYTE + 5
        status, told, body = read_range(address, path, token, start, end)
        assert (status, told) == (206, f"bytes {start}-{end - 1}/{size}")
        assert body == part_of_file(start, end)
        assert memory.growth_mebibytes() < GROWTH_MEBIBYTES, "while it came out"

        # One byte more than the field takes.
        status, refused, _ = upload(address, token, FILE_MEBIBYTES + 1)
        assert status == 400, refused
        assert refused["data"]["film"]["code"] == "validation_file_size_limit"
        assert memory.growth_mebibytes() < GROWTH_MEBIBYTES, "while it was refused"
        assert [film["id"] for film in platform.records("films", token)] == [record["id"]]
