// What BullMQ promises when a worker or the server is killed: every job that was acknowledged is done.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { eventually, startServer } from "./server.mjs";
import { Bench, VARIANTS } from "./variants.mjs";

const KILLS = Number(process.env.REDIS_TEST_KILLS ?? 3);

/** A worker in a process of its own, and the jobs that it has begun. */
function workerProcess(title, server, name, mode) {
  const file = path.join(import.meta.dirname, "worker.mjs");
  const child = spawn(process.execPath, [file, title, server.port, server.password, name, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const began = [];
  readline.createInterface({ input: child.stdout }).on("line", (line) => began.push(line));
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { began, kill };
}

for (const [title, variant] of Object.entries(VARIANTS)) {
  describe(title, () => {
    let server;
    let bench;
    before(async () => {
      server = await startServer();
      bench = new Bench(variant, server);
    });
    after(async () => {
      await bench.close();
      await server.stop();
    });
    // Short leases, so that the test need not wait half a minute.
    const quick = { lockDuration: 1_000, stalledInterval: 500, maxStalledCount: 10 };

    test("the jobs of a killed worker are done by another", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const events = await bench.events(name);
      const stalled = [];
      events.on("stalled", ({ jobId }) => stalled.push(jobId));
      const jobs = await queue.addBulk(Array.from({ length: 5 }, (_, index) => ({ name: "held", data: { index } })));
      const doomed = workerProcess(title, server, name, "hang");
      await eventually("three are held", () => doomed.began.length === 3);
      await doomed.kill();
      assert.equal(await queue.getActiveCount(), 3);
      bench.worker(name, async (job) => job.data.index, quick);
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 20_000)));
      assert.deepEqual(results, [0, 1, 2, 3, 4]);
      assert.equal(new Set(stalled).size, 3);
      assert.equal(await queue.getCompletedCount(), 5);
    });

    test("a job that stalls too often fails", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const job = await queue.add("poison", {});
      const doomed = workerProcess(title, server, name, "hang");
      await eventually("it is held", () => doomed.began.length === 1);
      await doomed.kill();
      bench.worker(name, async () => {}, { ...quick, maxStalledCount: 0 });
      await eventually("it has failed", async () => (await job.getState()) === "failed");
      assert.match((await queue.getJob(job.id)).failedReason, /stalled/);
    });

    test("the server is killed and started again: every acknowledged job is done", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const done = new Map();
      const work = async (job) => {
        done.set(job.id, (done.get(job.id) ?? 0) + 1);
        await sleep(2);
      };
      for (let index = 0; index < 2; index += 1) bench.worker(name, work, { ...quick, concurrency: 8 });
      const acknowledged = new Set();
      let adding = true;
      let number = 0;
      const produce = async () => {
        while (adding) {
          number += 1;
          try {
            const job = await queue.add("kept", { number }, { delay: number % 5 === 0 ? 200 : 0 });
            acknowledged.add(job.id);
          } catch {
            // Not acknowledged: the connection went with the server.
            await sleep(20);
          }
        }
      };
      const producers = Array.from({ length: 8 }, produce);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(300);
        await server.restart();
        const before = acknowledged.size;
        await eventually("producers go on", () => acknowledged.size > before + 20);
      }
      adding = false;
      await Promise.all(producers);
      await eventually("all are done", async () => {
        const { active, waiting, delayed } = await queue.getJobCounts();
        return active + waiting + delayed === 0;
      });
      const missing = [...acknowledged].filter((id) => !done.has(id));
      assert.deepEqual(missing, []);
      assert.equal(await queue.getFailedCount(), 0);
      const completed = new Set((await queue.getCompleted(0, -1)).map((job) => job.id));
      assert.deepEqual([...acknowledged].filter((id) => !completed.has(id)), []);
    });
  });
}
