"""The append-only file: exchanged with a real Redis both ways, and whole after every SIGKILL."""

import os
import random
import shutil
import subprocess
import threading
import time

import pytest
import redis
from redis_process import RealRedis, content, under_test

KILLS = int(os.environ.get("REDIS_TEST_KILLS", "5"))
WRITERS = 64


def fill(client):
    """Keys of every type, in every encoding that Redis has for them."""
    rng = random.Random(5)
    pipeline = client.pipeline(transaction=False)
    for index in range(200):
        pipeline.set(f"text:{index}", rng.randbytes(rng.choice([0, 1, 40, 5000])))
        pipeline.set(f"number:{index}", rng.choice([0, -1, 127, -32769, 1 << 40, -(1 << 63)]))
        pipeline.set(f"compresses:{index}", "ab" * rng.randrange(1, 500), ex=rng.randrange(1000, 5000))
    for size in (1, 30, 600):
        for index in range(size):
            pipeline.hset(f"hash:{size}", f"field {index}", "x" * rng.choice([1, 10, 100]))
            pipeline.rpush(f"list:{size}", index, "y" * rng.choice([1, 70, 9000 if size > 30 else 3]))
            pipeline.sadd(f"integers:{size}", index * 100_000)
            pipeline.sadd(f"set:{size}", f"member {index}")
            pipeline.zadd(f"sorted:{size}", {f"m{index}": rng.choice([index, index / 7, -1e300, float("inf")])})
            pipeline.xadd(f"stream:{size}", {"a": index, "b" * (index % 3 + 1): "value"})
    pipeline.xdel("stream:30", "0-1")
    pipeline.xtrim("stream:600", 100, approximate=False)
    pipeline.setbit("bits", 12345, 1)
    pipeline.pexpire("hash:30", 3_000_000)
    pipeline.delete("text:7")
    pipeline.rename("text:8", "renamed")
    pipeline.incrbyfloat("float", 0.1)
    pipeline.execute()
    client.eval("redis.call('SET', KEYS[1], 'by a script') redis.call('LPUSH', KEYS[2], 1, 2)", 2, "s", "sl")
    with client.pipeline() as transaction:
        transaction.set("t1", 1).lpush("t2", 1).execute()


def adopt(source, target):
    """Puts one server's append-only folder in the place of another's, which is started over it."""
    shutil.rmtree(target.append_only, ignore_errors=True)
    shutil.copytree(source, target.append_only)
    target.start()


@pytest.mark.parametrize("rewritten", ["written", "preamble", "commands"])
def test_a_file_of_the_real_redis_is_loaded(tmp_path, rewritten):
    with RealRedis(tmp_path / "real", "--aof-use-rdb-preamble", "yes" if rewritten == "preamble" else "no") as real:
        client = real.client()
        fill(client)
        if rewritten != "written":
            rewrite(client)
            client.set("after the rewrite", "1")
        expected = content(client)
    with under_test(tmp_path / "under-test") as server:
        server.stop()
        adopt(real.append_only, server)
        assert content(server.client()) == expected
        server.client().set("goes on", "1")
        server.kill()
        server.start()
        assert server.client().get("goes on") == b"1"


def rewrite(client):
    client.bgrewriteaof()
    deadline = time.monotonic() + 30
    while True:
        persistence = client.info("persistence")
        if not persistence["aof_rewrite_in_progress"] and not persistence.get("aof_rewrite_scheduled"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert persistence["aof_last_bgrewrite_status"] == "ok"


@pytest.mark.parametrize("rewritten", [False, True])
def test_the_real_redis_loads_the_file(tmp_path, rewritten):
    with under_test(tmp_path / "under-test") as server:
        client = server.client()
        fill(client)
        if rewritten:
            rewrite(client)
            client.set("after the rewrite", "1")
        expected = content(client)
    (manifest,) = server.append_only.glob("*.manifest")
    checked = subprocess.run(["redis-check-aof", str(manifest)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with RealRedis(tmp_path / "real", "--appendfilename", manifest.name.removesuffix(".manifest")) as real:
        real.stop()
        adopt(server.append_only, real)
        assert content(real.client()) == expected


def test_a_torn_end_is_cut(tmp_path):
    with under_test(tmp_path / "under-test") as server:
        server.client().set("whole", "1")
        server.kill()
        newest = max(server.append_only.glob("*.incr.aof"))
        with newest.open("ab") as file:
            file.write(b"*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$100\r\nhalf a val")
        server.start()
        client = server.client()
        assert client.get("whole") == b"1"
        assert client.get("torn") is None
        client.set("after", "1")
        server.kill()
        server.start()
        assert server.client().get("after") == b"1"


def test_every_acknowledged_write_outlives_sigkill(tmp_path):
    acknowledged = [0] * WRITERS
    with under_test(tmp_path / "under-test") as server:
        for _ in range(KILLS):
            ending = threading.Event()

            def write(writer):
                try:
                    client = server.client()
                    while not ending.is_set():
                        value = acknowledged[writer] + 1
                        client.rpush(f"log:{writer}", value)
                        acknowledged[writer] = value
                except (redis.RedisError, OSError):
                    pass

            threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
            for thread in threads:
                thread.start()
            time.sleep(0.7)
            server.kill()
            ending.set()
            for thread in threads:
                thread.join()
            server.start()
            client = server.client()
            for writer in range(WRITERS):
                kept = [int(value) for value in client.lrange(f"log:{writer}", 0, -1)]
                # One that was written and not acknowledged may be there as well.
                assert kept in ([*range(1, acknowledged[writer] + 1)], [*range(1, acknowledged[writer] + 2)])
                acknowledged[writer] = len(kept)
    assert sum(acknowledged) > WRITERS
