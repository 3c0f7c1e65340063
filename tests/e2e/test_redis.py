"""redis-py, redis-cli and redis-benchmark, all unmodified, speak with the server."""

import asyncio
import subprocess
import threading
import time

import pytest
import redis
import redis.asyncio
from platform_process import eventually
from redis_process import PASSWORD, under_test


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with under_test(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def client(server, request):
    with server.client(request.param, decode_responses=True) as connected:
        connected.flushall()
        yield connected


def test_values_of_every_type(client):
    assert client.set("text", "ä€", ex=100)
    assert client.get("text") == "ä€"
    assert 90 < client.ttl("text") <= 100
    client.hset("hash", mapping={"a": 1, "b": "two"})
    assert client.hgetall("hash") == {"a": "1", "b": "two"}
    client.rpush("list", 1, 2, 3)
    assert client.lrange("list", 0, -1) == ["1", "2", "3"]
    client.sadd("set", "x", "y")
    assert client.smembers("set") == {"x", "y"}
    client.zadd("sorted", {"a": 1.5, "b": float("inf")})
    assert client.zscore("sorted", "a") == 1.5
    assert client.zscore("sorted", "b") == float("inf")
    identifier = client.xadd("stream", {"field": "value"})
    assert client.xrange("stream") == [(identifier, {"field": "value"})]
    assert client.get("nothing") is None
    client.setbit("bits", 9, 1)
    assert client.bitcount("bits") == 1


def test_pipelines_and_transactions(client):
    with client.pipeline(transaction=False) as pipeline:
        for _ in range(5000):
            pipeline.incr("counter")
        assert pipeline.execute()[-1] == 5000
    with client.pipeline() as pipeline:
        pipeline.watch("counter")
        client.incr("counter")
        pipeline.multi()
        pipeline.incr("counter")
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    with client.pipeline() as pipeline:
        pipeline.lpush("counter", 1)
        pipeline.incr("other")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE|wrong kind"):
            pipeline.execute()
    assert client.get("other") == "1"
    client.transaction(lambda pipe: pipe.multi() or pipe.incr("counter"), "counter")
    assert client.get("counter") == "5002"


def test_locks_exclude_and_expire(client):
    with client.lock("lock", timeout=5) as held:
        assert held.owned()
        assert not client.lock("lock", blocking=False).acquire()
        held.extend(10)
        assert client.ttl("lock") > 5
    assert client.lock("lock", timeout=0.1).acquire()
    later = client.lock("lock", timeout=5, blocking_timeout=2)
    assert later.acquire()
    later.release()
    with pytest.raises(redis.exceptions.LockError):
        later.release()


def test_publish_and_subscribe(server, client):
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("news")
    subscriber.psubscribe("n*")
    seen = []
    subscriber.get_message(timeout=1)
    subscriber.get_message(timeout=1)
    assert client.publish("news", "hello") == 2

    def received():
        message = subscriber.get_message(timeout=1)
        if message:
            seen.append((message["type"], message["pattern"], message["channel"], message["data"]))
        return len(seen) == 2

    eventually("both have come", received)
    assert seen == [("message", None, "news", "hello"), ("pmessage", "n*", "news", "hello")]
    subscriber.close()


def test_a_blocking_pop_is_woken(client):
    popped = []
    waiting = threading.Thread(target=lambda: popped.append(client.blpop(["jobs"], timeout=10)))
    waiting.start()
    eventually("it waits", lambda: any(one["cmd"] == "blpop" for one in client.client_list()))
    client.rpush("jobs", "a")
    waiting.join(5)
    assert [list(one) for one in popped] == [["jobs", "a"]]
    begun = time.monotonic()
    assert client.blpop(["jobs"], timeout=0.2) is None
    assert time.monotonic() - begun >= 0.15


def test_scripts(client):
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
    assert script(keys=["lua"], args=["x"]) == ["lua", "x", 1]
    client.script_flush()
    assert script(keys=["lua"], args=["x"]) == ["lua", "x", 2]
    with pytest.raises(redis.exceptions.NoScriptError):
        client.evalsha("0" * 40, 0)


@pytest.mark.parametrize("protocol", [2, 3])
def test_asyncio(server, protocol):
    async def work():
        url = f"{server.url}?protocol={protocol}"
        client = redis.asyncio.from_url(url, decode_responses=True)
        await client.flushall()
        assert await asyncio.gather(*(client.incr("n") for _ in range(50))) is not None
        assert await client.get("n") == "50"
        async with client.pipeline() as pipeline:
            assert await pipeline.set("a", 1).incr("a").execute() == [True, 2]
        async with client.lock("lock", timeout=5):
            assert await client.exists("lock")
        async with client.pubsub() as subscriber:
            await subscriber.subscribe("news")
            assert (await subscriber.get_message(timeout=5))["type"] == "subscribe"
            await client.publish("news", "hello")
            assert (await subscriber.get_message(timeout=5))["data"] == "hello"
        await client.mset({f"k{index}": index for index in range(300)})
        assert len({key async for key in client.scan_iter("k*")}) == 300
        await client.aclose()

    asyncio.run(work())


@pytest.mark.parametrize("password", ["wrong", None])
def test_who_has_no_password_is_refused(server, password):
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(host="127.0.0.1", port=server.port, password=password).ping()


def cli(server, *arguments, text=None):
    command = ["redis-cli", "-p", str(server.port), "-a", PASSWORD, "--no-auth-warning", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True).stdout


def test_redis_cli(server):
    server.client().flushall()
    assert cli(server, "PING") == "PONG\n"
    assert cli(server, "SET", "a", "1") == "OK\n"
    assert cli(server, "-3", "--no-raw", "HGETALL", "nothing") == "(empty hash)\n"
    assert cli(server, text="RPUSH l x y\nLRANGE l 0 -1\nGET l\n").splitlines()[:3] == ["2", "x", "y"]
    assert "redis_version:" in cli(server, "INFO", "server")
    assert cli(server, "--scan").split() == ["a", "l"] or set(cli(server, "--scan").split()) == {"a", "l"}
    assert "Biggest" in cli(server, "--bigkeys")
    assert "errors: 0, replies: 1000" in cli(server, "--pipe", text="".join(f"SET k{n} {n}\r\n" for n in range(1000)))
    assert cli(server, "EVAL", "return 1 + 1", "0") == "2\n"


def test_redis_benchmark(server):
    command = ["redis-benchmark", "-p", str(server.port), "-a", PASSWORD, "-n", "2000", "-c", "20", "--csv"]
    for more in ([], ["-P", "16", "-t", "set,get,incr,lpush,sadd,zadd"]):
        ran = subprocess.run([*command, *more], capture_output=True, text=True, timeout=120, check=True)
        lines = [line for line in ran.stdout.splitlines() if line.startswith('"') and "rps" not in line]
        assert len(lines) >= (15 if not more else 6), ran.stdout + ran.stderr
        assert "error" not in (ran.stdout + ran.stderr).lower(), ran.stdout + ran.stderr
