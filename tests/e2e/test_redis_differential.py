"""The same commands to a real Redis and to the server under test: replies are equal byte for byte.

Hand-written cases stand in redis/cases/*.txt, one command a line; the rest comes from a seeded generator.
What differs on purpose is listed in redis/differences.md and nothing else may differ.
"""

import pathlib
import re
import shlex
import time

import pytest
import redis_commands
from redis_process import RealRedis, under_test

HERE = pathlib.Path(__file__).parent / "redis"
# A line of the list of differences: "- `COMMAND arguments`: reason".
ALLOWED = set(re.findall(r"^- `(.+)`:", (HERE / "differences.md").read_text(), re.MULTILINE))
SEEDS = range(1, 13)
COMMANDS_PER_SEED = 2500


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("differential")
    with RealRedis(folder / "real") as real, under_test(folder / "under-test") as tested:
        yield real, tested


def words_of(line):
    """The words of a line as a shell has them, with \\xHH for bytes."""
    words = shlex.split(line, posix=True)
    return [re.sub(rb"\\x([0-9a-f]{2})", lambda hit: bytes.fromhex(hit[1].decode()), word.encode()) for word in words]


# Their order is nobody's promise: Redis's is that of its hash tables.
UNORDERED = {
    "SMEMBERS", "SUNION", "SINTER", "SDIFF", "HGETALL", "HKEYS", "HVALS", "KEYS", "SPOP", "SRANDMEMBER", "HRANDFIELD",
    "ZRANDMEMBER", "SSCAN", "HSCAN", "ZSCAN", "SCAN",
}
# And these take any.
RANDOM = {"SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY"}
TIMED = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}


def normalise(words, reply):
    name = words[0].decode().upper() if isinstance(words[0], bytes) else words[0].upper()
    if reply[:1] in b"-!":
        return reply
    if name in RANDOM:
        return reply[:1]
    if name in UNORDERED or (name == "EVAL" and any("HGETALL" in str(word) for word in words)):
        return b"".join(sorted(reply.splitlines()))
    if name in TIMED and reply[:1] == b":" and int(reply[1:]) > 0:
        # Two servers are asked one after the other.
        unit = 1000 if name in ("TTL", "EXPIRETIME") else 1
        return b":%d" % round(int(reply[1:]) * unit / 20_000)
    return reply


def compare(pair, commands):
    """Every command whose replies differ, with both."""
    different = []
    for words in commands:
        for connection in pair:
            connection.send(*words)
        first, second = (connection.reply() for connection in pair)
        if normalise(words, first) == normalise(words, second):
            continue
        text = " ".join(repr(word)[1:].strip("'\"") if isinstance(word, bytes) else str(word) for word in words)
        if text not in ALLOWED:
            different.append((text, first, second))
    return different


def report(different):
    lines = [f"{text[:300]}\n    Redis: {first[:300]!r}\n    here:  {second[:300]!r}" for text, first, second in different]
    return f"{len(different)} replies differ:\n" + "\n".join(lines[:60])


def begin(servers, protocol):
    pair = [server.raw(protocol) for server in servers]
    for connection in pair:
        connection.call("FLUSHALL")
    return pair


def state(connection):
    """What is there in the end, asked key by key."""
    keys = re.findall(rb"\$\d+\r\n([^\r]+)\r\n", connection.call("KEYS", "*"))
    readers = {
        b"string": lambda key: ("GET", key),
        b"list": lambda key: ("LRANGE", key, 0, -1),
        b"hash": lambda key: ("HGETALL", key),
        b"set": lambda key: ("SMEMBERS", key),
        b"zset": lambda key: ("ZRANGE", key, 0, -1, "WITHSCORES"),
        b"stream": lambda key: ("XRANGE", key, "-", "+"),
    }
    found = {}
    for key in keys:
        kind = connection.call("TYPE", key)[1:-2]
        if kind in readers:
            words = readers[kind](key)
            found[key] = (kind, normalise(words, connection.call(*words)))
    return found


@pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
@pytest.mark.parametrize("file", sorted((HERE / "cases").glob("*.txt")), ids=lambda file: file.stem)
def test_cases(servers, file, protocol):
    pair = begin(servers, protocol)
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    different = compare(pair, map(words_of, lines))
    assert not different, report(different)


@pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_generated(servers, seed, protocol):
    pair = begin(servers, protocol)
    generator = redis_commands.Generator(seed * 10 + protocol)
    different = compare(pair, (generator.command() for _ in range(COMMANDS_PER_SEED)))
    assert not different, report(different)
    assert state(pair[0]) == state(pair[1])


@pytest.mark.parametrize("protocol", [2, 3], ids=["RESP2", "RESP3"])
def test_arity_of_every_command(servers, protocol):
    """Each with too few arguments, with too many, and with the wrong type of value under its key."""
    pair = begin(servers, protocol)
    commands = [("SET", "text", "x"), ("RPUSH", "list", "x")]
    for name in redis_commands.NAMES:
        commands += [(name,), (name, "list"), (name, "text"), (name, "list", "1"), (name, "text", "1")]
        commands += [(name, "list", "x", "y"), (name, "text", "1", "2", "3"), (name, *"abcdefgh")]
        commands += [("DEL", "text", "list", "a", "1", "x"), ("SET", "text", "x"), ("RPUSH", "list", "x")]
    different = compare(pair, commands)
    assert not different, report(different)


def test_expiry_is_the_same(servers):
    pair = begin(servers, 3)
    commands = [("SET", "a", 1, "PX", 60), ("SET", "b", 1, "PX", 100_000), ("HSET", "h", "a", 1), ("PEXPIRE", "h", 60)]
    assert not compare(pair, commands)
    time.sleep(0.1)
    commands = [("GET", "a"), ("TTL", "b"), ("HGETALL", "h"), ("EXISTS", "a", "b", "h"), ("DBSIZE",), ("TYPE", "h")]
    assert not compare(pair, commands)
