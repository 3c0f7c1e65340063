// Packages that people put on top of Redis: sessions, rate limits, and the board of BullMQ.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { createClient } from "redis";

import { eventually, startServer } from "./server.mjs";
import { Bench, VARIANTS } from "./variants.mjs";

let server;
let redis;
let client;
before(async () => {
  server = await startServer();
  redis = new Redis(server.url);
  client = await createClient({ url: server.url }).connect();
});
after(async () => {
  redis.disconnect();
  client.destroy();
  await server.stop();
});

/** Serves the application on a free port until the work is done. */
async function serving(application, work) {
  const listener = application.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    return await work(`http://127.0.0.1:${listener.address().port}`);
  } finally {
    listener.closeAllConnections();
    listener.close();
  }
}

test("connect-redis keeps the sessions of express-session", async () => {
  const store = new RedisStore({ client, prefix: "session:", ttl: 100 });
  const application = express();
  application.use(session({ store, secret: "secret", resave: false, saveUninitialized: false }));
  application.get("/", (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json(request.session.visits);
  });
  application.get("/out", (request, response) => request.session.destroy(() => response.json("out")));
  await serving(application, async (base) => {
    const first = await fetch(base);
    const headers = { cookie: first.headers.get("set-cookie").split(";")[0] };
    assert.equal(await first.json(), 1);
    assert.equal(await (await fetch(base, { headers })).json(), 2);
    assert.equal(await (await fetch(base, { headers })).json(), 3);
    const length = () => new Promise((resolve, reject) => store.length((error, count) => (error ? reject(error) : resolve(count))));
    assert.equal(await length(), 1);
    const [key] = await redis.keys("session:*");
    assert.ok((await redis.ttl(key)) > 90);
    await fetch(`${base}/out`, { headers });
    assert.equal(await length(), 0);
  });
});

for (const [title, useRedisPackage] of [["ioredis", false], ["node-redis", true]]) {
  test(`rate-limiter-flexible over ${title}`, async () => {
    const storeClient = useRedisPackage ? client : redis;
    const limiter = new RateLimiterRedis({ storeClient, useRedisPackage, keyPrefix: title, points: 3, duration: 1 });
    for (let point = 2; point >= 0; point -= 1) assert.equal((await limiter.consume("me")).remainingPoints, point);
    const refused = await limiter.consume("me").then(() => assert.fail("not refused"), (reason) => reason);
    assert.ok(refused.msBeforeNext > 0 && refused.msBeforeNext <= 1000);
    assert.equal((await limiter.get("me")).consumedPoints, 4);
    await limiter.consume("you");
    await sleep(1_100);
    assert.equal((await limiter.consume("me")).remainingPoints, 2);
    await limiter.block("me", 60);
    await assert.rejects(limiter.consume("me"), (reason) => reason.msBeforeNext > 50_000);
    await limiter.delete("me");
    assert.equal(await limiter.get("me"), null);
  });
}

for (const [title, variant] of Object.entries(VARIANTS)) {
  test(`bull-board lists the queues and jobs of ${title}`, async () => {
    const bench = new Bench(variant, server);
    const name = title.replaceAll(/\W+/g, "-");
    const queue = bench.queue(name);
    bench.worker(name, async (job) => {
      await job.log("a line");
      if (job.name === "bad") throw new Error("bad");
      return "fine";
    });
    await queue.add("good", { number: 7 });
    const bad = await queue.add("bad", {});
    await queue.add("later", {}, { delay: 60_000 });
    await eventually("both are done", async () => (await queue.getCompletedCount()) + (await queue.getFailedCount()) === 2);
    const board = new ExpressAdapter();
    board.setBasePath("/board");
    createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: board });
    const application = express().use("/board", board.getRouter());
    await serving(application, async (base) => {
      const ask = async (path) => {
        const answer = await fetch(`${base}/board/api/${path}`);
        assert.equal(answer.status, 200, path);
        return answer.json();
      };
      const { queues } = await ask(`queues?activeQueue=${name}&status=failed&page=1&jobsPerPage=10`);
      assert.equal(queues.length, 1);
      assert.equal(queues[0].counts.completed, 1);
      assert.equal(queues[0].counts.delayed, 1);
      assert.deepEqual(queues[0].jobs.map((job) => job.failedReason), ["bad"]);
      assert.deepEqual(await ask(`queues/${name}/${bad.id}/logs`), ["a line"]);
      const stats = await ask("redis/stats");
      assert.match(stats.version, /^\d+\.\d+/);
      const retried = await fetch(`${base}/board/api/queues/${name}/retry/failed`, { method: "PUT" });
      assert.ok(retried.ok, `${retried.status}`);
      await eventually("it failed again", async () => (await queue.getJob(bad.id)).attemptsStarted === 2);
    });
    await bench.close();
  });
}
