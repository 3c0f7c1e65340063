"""A platform that hostile requests are sent to, and what must be true of it afterwards."""

import http.client
import json
import socket

from platform_process import PATIENCE_SECONDS

RECORDS = "/api/collections/things/records"
OPEN = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=x"
# What is refused here must not be refused for coming too often.
OFTEN = ("--set", "gateway.rate_limit_average=100000", "--set", "gateway.rate_limit_burst=100000")
# No request may take longer than the longest that a statement may run, and some.
ANSWER_SECONDS = 15


class Hostile:
    """A platform with one open collection that holds one record and one file."""

    def __init__(self, platform):
        self.platform = platform
        platform.create_admin()
        self.token = platform.sign_in()
        fields = [
            {"name": "title", "type": "text"},
            {"name": "extra", "type": "json"},
            {"name": "paper", "type": "file", "maxSize": 1000},
        ]
        platform.request("POST", "/api/collections", {"name": "things", "type": "base", "fields": fields, **OPEN}, self.token)
        form = "--x\r\nContent-Disposition: form-data; name=paper; filename=a.txt\r\n\r\nhello\r\n--x--\r\n"
        status, _, body = self.send("POST", RECORDS, form, MULTIPART)
        assert status == 200, body
        self.record = json.loads(body)
        self.file = f"/api/files/things/{self.record['id']}/{self.record['paper']}"
        self.collections = self.names_of_collections()

    def names_of_collections(self):
        return [found["name"] for found in self.platform.request("GET", "/api/collections?perPage=500", token=self.token)["items"]]

    def send(self, method, path, body=None, kind=JSON, host="api.localhost", **headers):
        """One exchange: status, headers, body."""
        address, port = self.platform.address().rsplit(":", 1)
        connection = http.client.HTTPConnection(address, int(port), timeout=PATIENCE_SECONDS)
        try:
            body = body.encode() if isinstance(body, str) else body
            kinds = {"Content-Type": kind} if body is not None else {}
            connection.request(method, path, body, {"Host": host, **kinds, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def send_raw(self, data, service=None):
        """Sends bytes as they are; the whole answer, empty if the connection was closed on us."""
        with self.connect(service) as stream:
            try:
                stream.sendall(data)
            except OSError:
                # It was refused before all of it was read; the answer is still to be had.
                pass
            answer = b""
            while chunk := receive(stream):
                answer += chunk
            return answer

    def connect(self, service=None):
        place = self.platform.ready["services"][service] if service else self.platform.address()
        host, port = place.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS)

    def unharmed(self):
        """The same process goes on, and everything is as it was."""
        assert self.platform.process.poll() is None
        status, _, body = self.send("GET", f"{RECORDS}?fields=id", Authorization=self.token)
        assert status == 200, body
        assert [found["id"] for found in json.loads(body)["items"]] == [self.record["id"]]
        assert self.names_of_collections() == self.collections
        assert self.send("GET", self.file)[2] == b"hello"
        assert self.send("GET", "/ready")[0] == 200


def receive(stream):
    try:
        return stream.recv(65536)
    except ConnectionError:
        return b""


def envelope(body, status):
    """The body as the protocol's error."""
    told = json.loads(body)
    assert told["status"] == status, told
    assert told["message"] and isinstance(told["data"], dict), told
    return told


def status_of(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer.split(b" ", 2)[1])
