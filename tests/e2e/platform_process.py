"""Runs the real binary for the end-to-end tests."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

SECRET_KEY = "a-secret-key-for-tests"
ADMIN = "admin@example.com"
PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 30
# Nothing of the machine's own environment configures the platform under test.
ENVIRONMENT = {"MITO_LOG": "warn", "PATH": os.environ["PATH"]}


def binary():
    """The binary under test, named by MITO_BIN."""
    path = os.environ.get("MITO_BIN")
    assert path, "set MITO_BIN to the mito binary"
    return str(pathlib.Path(path).resolve())


class Platform:
    """A running mito on free ports and a data folder of its own."""

    def __init__(self, data, *arguments, settings=()):
        self.data = pathlib.Path(data)
        self.settings = [
            "gateway.entrypoints.web.address=127.0.0.1:0",
            "gateway.entrypoints.websecure.address=127.0.0.1:0",
            "gateway.entrypoints.traefik.address=127.0.0.1:0",
            "network.publish.minio=127.0.0.1:0",
            "network.publish.api=127.0.0.1:0",
            f"objects.root_password={SECRET_KEY}",
            *settings,
        ]
        self.process = subprocess.Popen(
            self.command("up", "--json", *arguments),
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            cwd=self.data.parent,
        )
        line = self.process.stdout.readline()
        self.ready = json.loads(line)
        assert self.ready["event"] == "ready", line

    def command(self, *arguments):
        command = [binary(), *arguments, "--data", str(self.data)]
        for setting in self.settings:
            command += ["--set", setting]
        return command

    def address(self, entrypoint="web"):
        return self.ready["entrypoints"][entrypoint]

    def create_admin(self):
        subprocess.run(
            self.command("admin", "create", "--email", ADMIN),
            input=PASSWORD + "\n",
            text=True,
            check=True,
            capture_output=True,
            env=ENVIRONMENT,
        )

    def request(self, method, path, body=None, token=None, host="api.localhost"):
        """One JSON exchange with a host behind the gateway."""
        request = urllib.request.Request(
            f"http://{self.address()}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Host": host, "Content-Type": "application/json"},
        )
        if token:
            request.add_header("Authorization", token)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            text = response.read()
            return json.loads(text) if text else None

    def sign_in(self):
        answer = self.request(
            "POST",
            "/api/collections/_superusers/auth-with-password",
            {"identity": ADMIN, "password": PASSWORD},
        )
        return answer["token"]

    def records(self, collection, token):
        path = f"/api/collections/{collection}/records?perPage=500"
        return self.request("GET", path, token=token)["items"]

    def stop(self):
        """Ends it as Ctrl-C does; fails if that takes longer than 10 s."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, f"mito ended with {code}"

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait()


class Memory:
    """How far the memory of a process rises above where it was."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")
        # The high-water mark begins anew (proc_pid_clear_refs(5)).
        (self.folder / "clear_refs").write_text("5")
        self.before = self.kibibytes("VmRSS")

    def kibibytes(self, name):
        for line in (self.folder / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise AssertionError(f"/proc says nothing of {name}")

    def growth_mebibytes(self):
        return (self.kibibytes("VmHWM") - self.before) / 1024


def eventually(what, condition):
    """Waits until the condition gives something true, and gives it back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s until {what}")


def s3(platform):
    """An unmodified boto3 client for the platform's object storage."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=f"http://{platform.ready['services']['minio']}",
        aws_access_key_id="mito",
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )
