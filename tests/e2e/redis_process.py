"""Runs the server under test: mito, or the real Redis, which every suite has to pass as well."""

import os
import pathlib
import socket
import subprocess

import redis
from platform_process import Platform, eventually

PASSWORD = "a-password-for-tests"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """What the two have in common; both write an append-only file."""

    port: int

    @property
    def url(self):
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}"

    def client(self, protocol=3, **options):
        options = {"socket_timeout": 30, **options}
        return redis.Redis(host="127.0.0.1", port=self.port, password=PASSWORD, protocol=protocol, **options)

    def raw(self, protocol=2):
        return Raw(self.port, protocol)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()


class RealRedis(Server):
    """Debian's redis-server on a free port."""

    def __init__(self, folder, *options, append=True, password=PASSWORD):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options = ["--save", "", "--bind", "127.0.0.1", "--dir", str(self.folder), "--loglevel", "warning"]
        self.options += ["--appendonly", "yes" if append else "no", "--appendfsync", "always"]
        self.options += ["--requirepass", password, *options]
        self.port = free_port()
        self.start()

    @property
    def append_only(self):
        return self.folder / "appendonlydir"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), *self.options], stdout=subprocess.DEVNULL
        )
        eventually("redis-server answers", self.answers)

    def answers(self):
        assert self.process.poll() is None, "redis-server has ended"
        try:
            return self.client().ping()
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


class Mito(Server):
    """mito with its Redis role on a port that it keeps."""

    def __init__(self, folder, *settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.settings = [
            f"network.publish.redis=127.0.0.1:{self.port}",
            f"cache.password={PASSWORD}",
            "cache.append_fsync=always",
            *settings,
        ]
        self.start()

    @property
    def append_only(self):
        return self.folder / "data" / "redis" / "appendonlydir"

    def start(self):
        self.platform = Platform(self.folder / "data", settings=self.settings)
        self.process = self.platform.process
        assert self.platform.ready["services"]["redis"].endswith(f":{self.port}")

    def stop(self):
        self.platform.stop()


def under_test(folder, limited=False):
    """The server that REDIS_SERVER names; a limited one has 64 MiB for its durable keys."""
    if os.environ.get("REDIS_SERVER") == "redis":
        more = ["--maxmemory", "64mb", "--lua-time-limit", "500"] if limited else []
        return RealRedis(folder, *more)
    more = [f"cache.durable_max_memory_bytes={64 << 20}", "cache.script_limit_ms=500"] if limited else []
    return Mito(folder, *more)


class Raw:
    """A connection that hands back replies as the bytes that they came in."""

    def __init__(self, port, protocol=2):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        hello = self.call("AUTH", PASSWORD)
        assert hello == b"+OK\r\n", hello
        if protocol == 3:
            self.call("HELLO", "3")

    def send(self, *words):
        self.socket.sendall(encode(words))

    def call(self, *words):
        self.send(*words)
        return self.reply()

    def reply(self):
        """One whole reply, byte for byte; pushes and attributes are replies of their own."""
        line = self.file.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=!":
            return line + self.file.read(int(rest) + 2) if int(rest) >= 0 else line
        if kind in b"*~>":
            return line + b"".join(self.reply() for _ in range(max(int(rest), 0)))
        if kind in b"%|":
            return line + b"".join(self.reply() for _ in range(2 * int(rest)))
        return line

    def close(self):
        self.file.close()
        self.socket.close()


def encode(words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def content(client):
    """Everything in database 0: type, value and the second at which it expires, by key."""
    found = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        match kind:
            case b"string":
                value = client.get(key)
            case b"list":
                value = client.lrange(key, 0, -1)
            case b"hash":
                value = sorted(client.hgetall(key).items())
            case b"set":
                value = sorted(client.smembers(key))
            case b"zset":
                value = client.zrange(key, 0, -1, withscores=True)
            case b"stream":
                information = client.xinfo_stream(key)
                last = information.get("last-generated-id", information.get(b"last-generated-id"))
                value = (client.xrange(key), last)
        found[key] = (kind, repr(value), client.execute_command("PEXPIRETIME", key))
    return found
