// ioredis 5 and 6 and node-redis, with RESP2 and RESP3, unmodified.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { createClient, WatchError } from "redis";

import { eventually, startServer } from "./server.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [title, Redis] of Object.entries({ "ioredis 5": Redis5, "ioredis 6": Redis6 })) {
  describe(title, () => {
    let redis;
    const others = [];
    const connect = (options = {}) => {
      const client = new Redis(server.url, options);
      client.on("error", () => {});
      others.push(client);
      return client;
    };
    before(async () => {
      redis = connect();
      await redis.flushall();
    });
    after(() => others.forEach((client) => client.disconnect()));

    test("values of every type", async () => {
      assert.equal(await redis.set("text", "ä€", "PX", 100_000), "OK");
      assert.equal(await redis.get("text"), "ä€");
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      await redis.set("bytes", bytes);
      assert.deepEqual(await redis.getBuffer("bytes"), bytes);
      await redis.hset("hash", { a: 1, b: "two" });
      assert.deepEqual(await redis.hgetall("hash"), { a: "1", b: "two" });
      await redis.rpush("list", 1, 2, 3);
      assert.deepEqual(await redis.lrange("list", 0, -1), ["1", "2", "3"]);
      await redis.sadd("set", "x", "y");
      assert.deepEqual([...(await redis.smembers("set"))].sort(), ["x", "y"]);
      await redis.zadd("sorted", 1.5, "a", "inf", "b");
      assert.equal(Number(await redis.zscore("sorted", "a")), 1.5);
      const id = await redis.xadd("stream", "*", "field", "value");
      assert.deepEqual(await redis.xrange("stream", "-", "+"), [[id, ["field", "value"]]]);
      assert.equal(await redis.get("nothing"), null);
      assert.ok((await redis.pttl("text")) > 90_000);
    });

    test("pipelines, whole and with errors among the replies", async () => {
      const replies = await redis.pipeline().set("p", "1").incr("p").lpush("p", "x").get("p").exec();
      assert.equal(replies[1][1], 2);
      assert.match(replies[2][0].message, /^WRONGTYPE/);
      assert.equal(replies[3][1], "2");
      const many = redis.pipeline();
      for (let index = 0; index < 10_000; index += 1) many.incr("counter");
      const counted = await many.exec();
      assert.equal(counted.at(-1)[1], 10_000);
    });

    test("MULTI and WATCH", async () => {
      assert.deepEqual(await redis.multi().set("m", "1").incr("m").exec(), [[null, "OK"], [null, 2]]);
      const other = connect();
      await redis.watch("watched");
      await other.set("watched", "changed");
      assert.equal(await redis.multi().set("watched", "mine").exec(), null);
      assert.equal(await redis.get("watched"), "changed");
      await assert.rejects(redis.multi().set("m").exec(), /EXECABORT/);
    });

    test("publish and subscribe, with patterns", async () => {
      const subscriber = connect();
      const seen = [];
      subscriber.on("message", (channel, message) => seen.push([channel, message]));
      subscriber.on("pmessage", (pattern, channel, message) => seen.push([pattern, channel, message]));
      assert.equal(await subscriber.subscribe("news", "weather"), 2);
      assert.equal(await subscriber.psubscribe("ne*"), 3);
      assert.equal(await redis.publish("news", "hello"), 2);
      await eventually("both have come", () => seen.length === 2);
      assert.deepEqual(seen, [["news", "hello"], ["ne*", "news", "hello"]]);
      assert.deepEqual(await redis.pubsub("NUMSUB", "news"), ["news", 1]);
      assert.equal(await subscriber.unsubscribe("news", "weather"), 1);
      assert.equal(await subscriber.punsubscribe("ne*"), 0);
      assert.equal(await subscriber.get("nothing"), null);
    });

    test("blocking pops are served in the order of waiting", async () => {
      const [first, second] = [connect(), connect()];
      const waiting = [first.blpop("jobs", 5)];
      await eventually("one waits", async () => /cmd=blpop/.test(await redis.client("LIST")));
      waiting.push(second.brpop("other", "jobs", 5));
      await eventually("two wait", async () => /cmd=brpop/.test(await redis.client("LIST")));
      await redis.rpush("jobs", "a", "b");
      assert.deepEqual(await Promise.all(waiting), [["jobs", "a"], ["jobs", "b"]]);
      assert.equal(await first.blpop("jobs", 0.05), null);
      const popped = first.bzpopmin("waiting", 5);
      await redis.zadd("waiting", 2, "two", 1, "one");
      const [key, member, score] = await popped;
      assert.deepEqual([key, member, Number(score)], ["waiting", "one", 1]);
      const moved = first.blmove("from", "to", "LEFT", "RIGHT", 5);
      await redis.rpush("from", "x");
      assert.equal(await moved, "x");
      const read = first.xread("BLOCK", 5_000, "STREAMS", "events", "$");
      await eventually("it waits", async () => /cmd=xread/.test(await redis.client("LIST")));
      await redis.xadd("events", "*", "a", "1");
      assert.ok(JSON.stringify(await read).includes('["a","1"]'));
    });

    test("Lua scripts, by text and by digest", async () => {
      redis.defineCommand("both", { numberOfKeys: 1, lua: 'return {redis.call("INCR", KEYS[1]), ARGV[1], 3.9, false}' });
      assert.deepEqual(await redis.both("lua", "x"), [1, "x", 3, null]);
      assert.deepEqual(await redis.both("lua", "y"), [2, "y", 3, null]);
      await redis.script("FLUSH");
      assert.deepEqual(await redis.both("lua", "z"), [3, "z", 3, null]);
      const digest = await redis.script("LOAD", "return ARGV[1]");
      assert.equal(await redis.evalsha(digest, 0, "there"), "there");
      await assert.rejects(redis.evalsha("0".repeat(40), 0), /NOSCRIPT/);
      await assert.rejects(redis.eval("return redis.call('LPUSH', 'text', 1)", 0), /WRONGTYPE/);
      assert.equal(await redis.eval("return cjson.decode(ARGV[1]).a[2]", 0, '{"a":[1,2]}'), 2);
    });

    test("scans go through everything", async () => {
      const pipeline = redis.pipeline();
      for (let index = 0; index < 1_000; index += 1) {
        pipeline.set(`scan:${index}`, "1").hset("bighash", `f${index}`, index).sadd("bigset", `m${index}`);
        pipeline.zadd("bigsorted", index, `z${index}`);
      }
      await pipeline.exec();
      const keys = new Set();
      for await (const found of redis.scanStream({ match: "scan:*", count: 100 })) found.forEach((key) => keys.add(key));
      assert.equal(keys.size, 1_000);
      for (const [method, key, each] of [["hscanStream", "bighash", 2], ["sscanStream", "bigset", 1], ["zscanStream", "bigsorted", 2]]) {
        const members = new Set();
        for await (const found of redis[method](key, { count: 50 })) {
          for (let index = 0; index < found.length; index += each) members.add(String(found[index]));
        }
        assert.equal(members.size, 1_000, method);
      }
    });

    test("a wrong password and none are refused", async () => {
      for (const password of ["wrong", undefined]) {
        const client = new Redis({ port: server.port, host: "127.0.0.1", password, lazyConnect: true, retryStrategy: null });
        client.on("error", () => {});
        await assert.rejects(client.connect().then(() => client.get("text")));
        client.disconnect();
      }
    });

    test("another database", async () => {
      const other = connect({ db: 1 });
      await other.set("only-here", "1");
      assert.equal(await redis.get("only-here"), null);
      assert.equal(await other.get("only-here"), "1");
      await other.flushdb();
      assert.equal(await other.dbsize(), 0);
      assert.ok((await redis.dbsize()) > 0);
    });
  });
}

for (const RESP of [2, 3]) {
  describe(`node-redis, RESP${RESP}`, () => {
    let redis;
    const others = [];
    const connect = async (options = {}) => {
      const client = createClient({ url: server.url, RESP, ...options });
      client.on("error", () => {});
      await client.connect();
      others.push(client);
      return client;
    };
    before(async () => {
      redis = await connect();
      await redis.flushAll();
    });
    after(() => others.forEach((client) => client.destroy()));

    test("values of every type", async () => {
      assert.equal(await redis.set("text", "ä€", { EX: 100 }), "OK");
      assert.equal(await redis.get("text"), "ä€");
      await redis.hSet("hash", { a: "1", b: "two" });
      assert.deepEqual({ ...(await redis.hGetAll("hash")) }, { a: "1", b: "two" });
      await redis.zAdd("sorted", [{ value: "a", score: 1.5 }, { value: "b", score: Infinity }]);
      assert.deepEqual(
        (await redis.zRangeWithScores("sorted", 0, -1)).map(({ value, score }) => [value, score]),
        [["a", 1.5], ["b", Infinity]],
      );
      await redis.sAdd("set", ["x", "y"]);
      assert.deepEqual([...(await redis.sMembers("set"))].sort(), ["x", "y"]);
      const id = await redis.xAdd("stream", "*", { field: "value" });
      const [entry] = await redis.xRange("stream", "-", "+");
      assert.equal(entry.id, id);
      assert.equal(entry.message.field, "value");
      assert.equal(await redis.get("nothing"), null);
    });

    test("pipelines by themselves, MULTI and WATCH", async () => {
      const replies = await Promise.all(Array.from({ length: 5_000 }, () => redis.incr("counter")));
      assert.equal(replies.at(-1), 5_000);
      assert.deepEqual([...(await redis.multi().set("m", "1").incr("m").exec())], ["OK", 2]);
      const other = await connect();
      await redis.watch("watched");
      await other.set("watched", "changed");
      await assert.rejects(redis.multi().set("watched", "mine").exec(), WatchError);
    });

    test("publish and subscribe, with patterns", async () => {
      const subscriber = await connect();
      const seen = [];
      await subscriber.subscribe("news", (message, channel) => seen.push([channel, message]));
      await subscriber.pSubscribe("ne*", (message, channel) => seen.push([channel, message]));
      assert.equal(await redis.publish("news", "hello"), 2);
      await eventually("both have come", () => seen.length === 2);
      assert.deepEqual(seen, [["news", "hello"], ["news", "hello"]]);
      await subscriber.unsubscribe();
      await subscriber.pUnsubscribe();
    });

    test("blocking pops", async () => {
      const other = await connect();
      const popped = other.blPop("jobs", 5);
      await redis.rPush("jobs", "a");
      assert.deepEqual({ ...(await popped) }, { key: "jobs", element: "a" });
      assert.equal(await other.blPop("jobs", 0.05), null);
      const least = other.bzPopMin("waiting", 5);
      await redis.zAdd("waiting", { score: 1, value: "one" });
      assert.equal((await least).score, 1);
    });

    test("Lua scripts and scans", async () => {
      assert.deepEqual([...(await redis.eval("return {KEYS[1], ARGV[1], 7}", { keys: ["k"], arguments: ["a"] }))], ["k", "a", 7]);
      await assert.rejects(redis.evalSha("0".repeat(40)), /NOSCRIPT/);
      await redis.mSet(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`scan:${index}`, "1"])));
      const keys = new Set();
      for await (const found of redis.scanIterator({ MATCH: "scan:*", COUNT: 50 })) found.forEach((key) => keys.add(key));
      assert.equal(keys.size, 500);
    });

    test("a wrong password is refused", async () => {
      const client = createClient({ url: `redis://:wrong@127.0.0.1:${server.port}`, RESP, socket: { reconnectStrategy: false } });
      client.on("error", () => {});
      await assert.rejects(client.connect(), /WRONGPASS/);
    });
  });
}
