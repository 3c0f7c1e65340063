"""Draws Redis commands by a seed: most of them valid, over few keys, so that types and values meet."""

import random

KEYS = [f"k{index}" for index in range(14)]
MEMBERS = [f"m{index}" for index in range(10)]
NUMBERS = [0, 1, -1, 2, 3, 7, 10, 100, -5, "9223372036854775807", "-9223372036854775808", "9223372036854775808"]
SCORES = [0, 1, -1, "1.5", "-2.25", "3e10", "0.1", "inf", "-inf", "1e-7", "123456789.123456789", "17179869184.5"]
ODD = ["", "x", "1.0", "nan", " 1", "+1", "1e400", b"\x00\xff", "0x10", "-0"]
NAMES = """
APPEND BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS COPY DECR DECRBY DEL EXISTS EXPIRE EXPIREAT EXPIRETIME GET GETBIT
GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HRANDFIELD HSET
HSETNX HSTRLEN HVALS INCR INCRBY INCRBYFLOAT LINDEX LINSERT LLEN LMOVE LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM
LMPOP MGET MSET MSETNX PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PSETEX PTTL RENAME RENAMENX RPOP RPOPLPUSH RPUSH RPUSHX
SADD SCARD SDIFF SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER
SMOVE SRANDMEMBER SREM SSCAN STRLEN SUBSTR SUNION SUNIONSTORE TTL TYPE UNLINK XADD XDEL XLEN XRANGE XREVRANGE XTRIM
ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD ZINTERSTORE ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN
ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE
ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION ZUNIONSTORE HSCAN TOUCH ECHO PUBLISH GETUNKNOWN
""".split()
# Templates: k key, K one to three keys, n number, i index, v value, m member, M members, s score, f field and value,
# p score and member, l lexical bound, b score bound, t time to live, u bit offset, d stream id; other words stand.
TEMPLATES = """
SET k v|SET k v NX|SET k v XX|SET k v GET|SET k v EX t|SET k v KEEPTTL|SET k v NX GET|SET k v PX t XX|GET k|GETSET k v
GETDEL k|GETEX k|GETEX k EX t|GETEX k PERSIST|APPEND k v|STRLEN k|GETRANGE k i i|SETRANGE k u v|SETNX k v|MGET K
MSET k v k v|MSETNX k v k v|INCR k|DECR k|INCRBY k n|DECRBY k n|INCRBYFLOAT k s|SETEX k t v|PSETEX k t v|SET k n|SET k n
SETBIT k u bit|GETBIT k u|BITCOUNT k|BITCOUNT k i i|BITCOUNT k i i BIT|BITPOS k bit|BITPOS k bit i|BITPOS k bit i i BIT
BITOP AND k K|BITOP OR k K|BITOP XOR k K|BITOP NOT k k|BITFIELD k SET u8 u n GET i5 u|BITFIELD k INCRBY i16 u n
BITFIELD k OVERFLOW SAT INCRBY u4 u n|BITFIELD k OVERFLOW FAIL INCRBY i8 #1 n|BITFIELD_RO k GET u16 u
DEL K|UNLINK K|EXISTS K|TYPE k|RENAME k k|RENAMENX k k|COPY k k|COPY k k REPLACE|TOUCH K|EXPIRE k t|PEXPIRE k t
EXPIRE k t NX|EXPIRE k t GT|EXPIRE k t LT|EXPIRE k t XX|PERSIST k|TTL k|PTTL k|EXPIREAT k 4000000000|EXPIRETIME k
PEXPIRETIME k|OBJECT REFCOUNT k|DBSIZE|KEYS k*|KEYS k[1-3]|RANDOMKEY|SORT k ALPHA|SORT k LIMIT 0 2 DESC|SORT_RO k
HSET k f f|HSETNX k m v|HGET k m|HMGET k M|HGETALL k|HDEL k M|HEXISTS k m|HINCRBY k m n|HINCRBYFLOAT k m s|HLEN k|HKEYS k
HVALS k|HSTRLEN k m|HMSET k f f|HSET k m n|HRANDFIELD k|HRANDFIELD k 2 WITHVALUES|HSCAN k 0 COUNT 1000
LPUSH k M|RPUSH k M|LPUSHX k m|RPUSHX k m|LPOP k|RPOP k|LPOP k 2|RPOP k 3|LLEN k|LINDEX k i|LSET k i m|LRANGE k i i
LTRIM k i i|LREM k i m|LINSERT k BEFORE m m|LINSERT k AFTER m m|RPOPLPUSH k k|LMOVE k k LEFT RIGHT|LMOVE k k RIGHT LEFT
LPOS k m|LPOS k m RANK i|LPOS k m COUNT 0|LPOS k m RANK -1 COUNT 2 MAXLEN 5|LMPOP 2 k k LEFT|LMPOP 2 k k RIGHT COUNT 2
SADD k M|SADD k n n|SREM k M|SCARD k|SISMEMBER k m|SMISMEMBER k M|SMEMBERS k|SMOVE k k m|SINTER K|SUNION K|SDIFF K
SINTERSTORE k K|SUNIONSTORE k K|SDIFFSTORE k K|SINTERCARD 2 k k|SINTERCARD 2 k k LIMIT 1|SRANDMEMBER k|SRANDMEMBER k -3
SSCAN k 0 COUNT 1000|SSCAN k 0 MATCH m[1-4] COUNT 1000
ZADD k p p|ZADD k NX p|ZADD k XX p|ZADD k GT CH p|ZADD k LT p|ZADD k INCR p|ZADD k XX INCR p|ZINCRBY k p|ZREM k M|ZSCORE k m
ZMSCORE k M|ZCARD k|ZRANK k m|ZREVRANK k m|ZCOUNT k b b|ZLEXCOUNT k l l|ZRANGE k i i|ZRANGE k i i WITHSCORES
ZRANGE k i i REV|ZRANGE k b b BYSCORE|ZRANGE k b b BYSCORE REV WITHSCORES|ZRANGE k l l BYLEX LIMIT 0 3
ZRANGE k b b BYSCORE LIMIT 1 2|ZREVRANGE k i i WITHSCORES|ZRANGEBYSCORE k b b WITHSCORES|ZRANGEBYSCORE k b b LIMIT 1 2
ZREVRANGEBYSCORE k b b|ZRANGEBYLEX k l l|ZREVRANGEBYLEX k l l|ZPOPMIN k|ZPOPMAX k|ZPOPMIN k 2|ZPOPMAX k 2
ZREMRANGEBYRANK k i i|ZREMRANGEBYSCORE k b b|ZREMRANGEBYLEX k l l|ZRANGESTORE k k i i|ZUNION 2 k k WITHSCORES
ZINTER 2 k k WEIGHTS 2 3 WITHSCORES|ZDIFF 2 k k WITHSCORES|ZUNIONSTORE k 2 k k AGGREGATE MAX|ZINTERSTORE k 2 k k
ZDIFFSTORE k 2 k k|ZINTERCARD 2 k k LIMIT 2|ZMPOP 2 k k MIN|ZMPOP 2 k k MAX COUNT 2|ZSCAN k 0 COUNT 1000
XADD k d f|XADD k d f f|XADD k MAXLEN 3 d f|XADD k MAXLEN ~ 3 d f|XADD k NOMKSTREAM d f|XADD k MINID d d f|XLEN k
XRANGE k - +|XRANGE k d d|XRANGE k (d + COUNT 2|XREVRANGE k + -|XREVRANGE k + - COUNT 2|XDEL k d|XTRIM k MAXLEN 2
XTRIM k MINID d|XREAD COUNT 2 STREAMS k d|XREAD STREAMS k k d d|XSETID k d
PUBLISH k v|ECHO v|PING v|PING|SETRANGE k u v|SUBSTR k i i|LCS k k|LCS k k LEN|LCS k k IDX|WAIT 0 0
""".strip().replace("\n", "|").split("|")
SCRIPTS = [
    ("return redis.call(ARGV[1], KEYS[1])", 1, ["GET", "HGETALL", "LLEN", "SCARD", "TYPE", "INCR", "ZCARD"]),
    ("local r = redis.pcall(ARGV[1], KEYS[1]) if type(r) == 'table' and r.err then return r.err end return r", 1,
     ["GET", "LLEN", "INCR", "STRLEN", "NOSUCH"]),
    ("return {1, 2.9, -3.9, 'a', true, false, {ok='fine'}, nil, 5}", 0, ["x"]),
    ("return tostring(tonumber(ARGV[1]))", 0, ["1", "1.5", "1e20", "0x1F", "-0", "1e15", "123456789012345678", "x"]),
    ("return cjson.encode(cjson.decode(ARGV[1]))", 0,
     ["[]", "{}", "[1,2.5,1e20]", '{"a":[null,true]}', '"\\u00e4\\n"', "[", "nope", "1", "[[[]]]", "123456789012345",
      '["a/b"]', "[1e999]", '{"1":2}', "0.1", "-0.0", '"\\ud83d\\ude00"', "[1,]", ""]),
    ("return cmsgpack.pack(cjson.decode(ARGV[1]))", 0,
     ["[1,-1,127,128,-33,256,65536,4294967296,-2147483649]", "[1.5,0.1]", '{"a":"b"}', "[]", "[true,false]", '"text"']),
    ("return cjson.encode({cmsgpack.unpack(ARGV[1])})", 0,
     [b"\x93\x01\x02\x03", b"\xc0", b"\x81\xa1a\x01", b"\xcb?\xf8\0\0\0\0\0\0", b"\x01\x02", b"\xda\0\x03abc", b"\x93\x01",
      b"\xca?\xc0\0\0", b"\xd1\xff\0"]),
    ("return {err=ARGV[1]}", 0, ["ERR mine", "mine", "CODE text"]),
    ("return redis.error_reply(ARGV[1])", 0, ["My text", "CODE text"]),
    ("return redis.status_reply(ARGV[1])", 0, ["fine"]),
    ("return redis.sha1hex(ARGV[1])", 0, ["", "abc"]),
    ("return #KEYS + #ARGV", 2, ["x"]),
    ("return string.format('%5.2f %d %s %q', 1.005, 7, ARGV[1], ARGV[1])", 0, ["a", 'a"b', "a\nb"]),
    ("redis.call('ZADD', KEYS[1], ARGV[1], 'm1') return redis.call('ZSCORE', KEYS[1], 'm1')", 1, [str(s) for s in SCORES]),
    ("redis.setresp(3) return redis.call('HGETALL', KEYS[1])", 1, ["x"]),
    ("return {double=3.5}", 0, ["x"]),
    ("return redis.call('SET', KEYS[1], 0.1 + 0.2)", 1, ["x"]),
    ("return redis.call('SET', KEYS[1], 10 / 2)", 1, ["x"]),
    ("return redis.call('GET', KEYS[1]) == false", 1, ["x"]),
    ("return {math.floor(-1.5), bit.band(12, 10), bit.tohex(255)}", 0, ["x"]),
    ("return {struct.unpack('>I2', struct.pack('>I2', 258))}", 0, ["x"]),
    ("x = 1", 0, ["x"]),
    ("return nosuch", 0, ["x"]),
    ("return error('mine')", 0, ["x"]),
    ("return error({err='TABLE mine'})", 0, ["x"]),
    ("syntax error", 0, ["x"]),
    ("return redis.call()", 0, ["x"]),
    ("return redis.call('GET', {})", 0, ["x"]),
    ("return {unpack(redis.call('LRANGE', KEYS[1], 0, 3))}", 1, ["x"]),
    ("return type(redis.call('PING')) .. redis.call('PING').ok", 0, ["x"]),
    ("return table.concat({1, 2.5, 'x'}, ARGV[1])", 0, [","]),
    ("return string.rep(ARGV[1], 3) .. ARGV[1]:upper() .. tostring(ARGV[1]:find('b'))", 0, ["abc"]),
]


class Generator:
    """The commands of one seed. A transaction or a script comes now and then."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.queued = None

    def key(self):
        return self.random.choice(KEYS)

    def value(self):
        choice = self.random.random()
        if choice < 0.3:
            return self.random.choice(NUMBERS)
        if choice < 0.4:
            return self.random.choice(ODD)
        return "".join(self.random.choices("abcdef 01", k=self.random.choice([1, 3, 8, 20, 70])))

    def bound(self):
        return self.random.choice(["", "", "("]) + str(self.random.choice(SCORES))

    def word(self, letter):
        pick = self.random.choice
        match letter:
            case "k":
                return [self.key()]
            case "K":
                return [self.key() for _ in range(self.random.randint(1, 3))]
            case "n":
                return [pick(NUMBERS)]
            case "i":
                return [pick([0, 0, 1, 2, 3, -1, -1, -2, -4, 50, -50])]
            case "v":
                return [self.value()]
            case "m":
                return [pick(MEMBERS)]
            case "M":
                return [pick(MEMBERS) for _ in range(self.random.randint(1, 4))]
            case "s":
                return [pick(SCORES)]
            case "f":
                return [pick(MEMBERS), self.value()]
            case "p":
                return [pick(SCORES), pick(MEMBERS)]
            case "l":
                return [pick(["-", "+", "[m2", "(m4", "[m7", "[", "(m"])]
            case "b":
                return [self.bound()]
            case "t":
                return [pick([1000, 2000, 5000, 100000])]
            case "u":
                return [pick([0, 1, 7, 8, 9, 33, 100, -1])]
            case "bit":
                return [pick([0, 1, 1, 0, 2])]
            case "d":
                return [pick(["1-1", "1-2", "2-1", "3", "5-*", "7-3", "0-0", "0-1", "9-9", "x"])]
            case "(d":
                return ["(" + pick(["1-1", "2-1", "5-0"])]
            case "k*" | "k[1-3]":
                return [letter]
            case _:
                return [letter]

    def plain(self):
        words = self.random.choice(TEMPLATES).split()
        drawn = [words[0]] + [word for letter in words[1:] for word in self.word(letter)]
        disturbance = self.random.random()
        if len(drawn) > 1 and disturbance < 0.02:
            drawn[self.random.randrange(1, len(drawn))] = self.random.choice(ODD)
        elif disturbance < 0.03:
            drawn.append(self.value())
        elif disturbance < 0.04 and len(drawn) > 1:
            drawn.pop()
        return drawn

    def script(self):
        text, keys, arguments = self.random.choice(SCRIPTS)
        return ["EVAL", text, keys, *(self.key() for _ in range(keys)), self.random.choice(arguments)]

    def command(self):
        choice = self.random.random()
        if self.queued is not None:
            self.queued -= 1
            if self.queued < 0:
                self.queued = None
                return [self.random.choice(["EXEC", "EXEC", "EXEC", "DISCARD"])]
        elif choice < 0.01:
            self.queued = self.random.randint(0, 5)
            return ["MULTI"]
        elif choice < 0.015:
            return [self.random.choice(["EXEC", "DISCARD", "UNWATCH"])]
        elif choice < 0.02:
            return ["WATCH", self.key()]
        elif choice < 0.08:
            return self.script()
        return self.orderly() if self.queued is not None else self.plain()

    def orderly(self):
        """Within a transaction the reply of EXEC is compared as it is, so nothing without an order goes in."""
        while True:
            words = self.plain()
            if words[0] in ("SET", "GET", "INCR", "RPUSH", "LRANGE", "ZADD", "ZRANGE", "HSET", "HGET", "XADD", "SETBIT"):
                return words
