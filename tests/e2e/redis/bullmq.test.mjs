// Unmodified BullMQ, versions 5 and 6, does its work.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { eventually, startServer } from "./server.mjs";
import { Bench, VARIANTS } from "./variants.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [title, variant] of Object.entries(VARIANTS)) {
  describe(title, () => {
    let bench;
    before(async () => {
      const client = new variant.Redis(server.url);
      await client.flushall();
      client.disconnect();
      bench = new Bench(variant, server);
    });
    after(() => bench.close());

    test("jobs are worked and their results kept", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const events = await bench.events(name);
      bench.worker(name, async (job) => ({ doubled: job.data.number * 2 }));
      const jobs = await queue.addBulk([1, 2, 3].map((number) => ({ name: "double", data: { number } })));
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 10_000)));
      assert.deepEqual(results, [{ doubled: 2 }, { doubled: 4 }, { doubled: 6 }]);
      const counts = await queue.getJobCounts();
      assert.equal(counts.completed, 3);
      assert.equal(counts.waiting + counts.active + counts.failed + counts.delayed, 0);
      const found = await queue.getJob(jobs[1].id);
      assert.deepEqual(found.returnvalue, { doubled: 4 });
      assert.equal(await found.getState(), "completed");
    });

    test("delayed jobs wait their time, and can be moved", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const order = [];
      await queue.add("late", {}, { delay: 600 });
      const moved = await queue.add("moved", {}, { delay: 3_600_000 });
      await queue.add("early", {}, { delay: 150 });
      assert.equal(await queue.getDelayedCount(), 3);
      await moved.changeDelay(300);
      const begun = Date.now();
      bench.worker(name, async (job) => {
        order.push(job.name);
      });
      await eventually("all are done", () => order.length === 3);
      assert.deepEqual(order, ["early", "moved", "late"]);
      assert.ok(Date.now() - begun >= 400);
    });

    test("priorities overtake, and lifo goes first", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      for (const priority of [3, 1, 2]) await queue.add(`p${priority}`, {}, { priority });
      await queue.add("plain", {});
      await queue.add("lifo", {}, { lifo: true });
      assert.equal((await queue.getPrioritized()).length, 3);
      assert.deepEqual(await queue.getCountsPerPriority([0, 1, 2, 3]), { 0: 2, 1: 1, 2: 1, 3: 1 });
      const order = [];
      bench.worker(name, async (job) => {
        order.push(job.name);
      });
      await eventually("all are done", () => order.length === 5);
      assert.deepEqual(order, ["lifo", "plain", "p1", "p2", "p3"]);
    });

    test("retries with fixed, exponential and own back-off", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const times = { fixed: [], exponential: [], own: [] };
      const failed = [];
      const worker = bench.worker(
        name,
        async (job) => {
          times[job.name].push(Date.now());
          throw new Error(`attempt ${job.attemptsMade}`);
        },
        { settings: { backoffStrategy: () => 60 }, concurrency: 3 },
      );
      worker.on("failed", (job) => failed.push(job.name));
      await queue.add("fixed", {}, { attempts: 3, backoff: { type: "fixed", delay: 100 } });
      await queue.add("exponential", {}, { attempts: 3, backoff: { type: "exponential", delay: 100 } });
      await queue.add("own", {}, { attempts: 2, backoff: { type: "whatever" } });
      await eventually("all have failed", async () => (await queue.getFailedCount()) === 3);
      assert.equal(times.fixed.length, 3);
      assert.equal(times.exponential.length, 3);
      assert.equal(times.own.length, 2);
      assert.ok(times.exponential[2] - times.exponential[1] >= 190);
      const [job] = (await queue.getFailed()).filter((one) => one.name === "fixed");
      assert.match(job.failedReason, /attempt 2/);
      assert.equal(job.stacktrace.length, 3);
      await eventually("the worker has told of each", () => failed.length === 8);
    });

    test("a failed job is retried by hand, and an unrecoverable one at once gone", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      let broken = true;
      bench.worker(name, async (job) => {
        if (job.name === "never") throw new bench.bullmq.UnrecoverableError("never");
        if (broken) throw new Error("broken");
        return "mended";
      });
      const job = await queue.add("mend", {});
      const never = await queue.add("never", {}, { attempts: 10 });
      await eventually("both have failed", async () => (await queue.getFailedCount()) === 2);
      assert.equal((await queue.getJob(never.id)).attemptsMade, 1);
      broken = false;
      await (await queue.getJob(job.id)).retry();
      await eventually("it is mended", async () => (await queue.getCompletedCount()) === 1);
      assert.equal((await queue.getJob(job.id)).returnvalue, "mended");
      await never.remove();
      assert.equal(await queue.getFailedCount(), 0);
    });

    test("a flow: parents wait for their children and see their results", async () => {
      const name = bench.name();
      const flows = bench.flows();
      const queue = bench.queue(name);
      const tree = await flows.add({
        name: "sum",
        queueName: name,
        children: [1, 2, 3].map((number) => ({
          name: "child",
          queueName: name,
          data: { number },
          children: number === 3 ? [{ name: "child", queueName: name, data: { number: 10 } }] : [],
        })),
      });
      assert.equal(await tree.job.getState(), "waiting-children");
      assert.equal((await tree.job.getDependencies()).unprocessed.length, 3);
      const events = await bench.events(name);
      bench.worker(name, async (job) => {
        const children = Object.values(await job.getChildrenValues());
        return children.reduce((sum, value) => sum + value, job.data.number ?? 0);
      });
      assert.equal(await tree.job.waitUntilFinished(events, 10_000), 16);
      const read = await flows.getFlow({ id: tree.job.id, queueName: name });
      assert.equal(read.children.length, 3);
      assert.equal(await queue.getCompletedCount(), 5);
    });

    test("a flow: what a failing child does to its parent", async () => {
      const name = bench.name();
      const flows = bench.flows();
      const queue = bench.queue(name);
      bench.worker(name, async (job) => {
        if (job.name === "bad") throw new Error("bad");
        return Object.keys((await job.getIgnoredChildrenFailures?.()) ?? {}).length;
      });
      const child = (options) => [{ name: "bad", queueName: name, opts: options }];
      const parents = {};
      for (const option of ["failParentOnFailure", "ignoreDependencyOnFailure", "removeDependencyOnFailure"]) {
        const children = child({ [option]: true });
        parents[option] = (await flows.add({ name: "parent", queueName: name, children })).job;
      }
      const state = (option) => parents[option].getState();
      await eventually("one has failed", async () => (await state("failParentOnFailure")) === "failed");
      await eventually("one went on", async () => (await state("ignoreDependencyOnFailure")) === "completed");
      await eventually("one forgot", async () => (await state("removeDependencyOnFailure")) === "completed");
      assert.equal((await queue.getJob(parents.ignoreDependencyOnFailure.id)).returnvalue, 1);
    });

    test("job schedulers: every N, cron with a time zone, changed and removed", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const seen = [];
      await queue.upsertJobScheduler("often", { every: 100, limit: 3 }, { name: "tick", data: { a: 1 } });
      await queue.upsertJobScheduler("nightly", { pattern: "0 3 * * *", tz: "Europe/Berlin" }, { name: "night" });
      await queue.upsertJobScheduler("nightly", { pattern: "0 4 * * *", tz: "Europe/Berlin" }, { name: "night" });
      bench.worker(name, async (job) => {
        seen.push(job.name);
      });
      await eventually("it ticked three times", () => seen.length === 3);
      assert.deepEqual(seen, ["tick", "tick", "tick"]);
      const nightly = await queue.getJobScheduler("nightly");
      assert.equal(nightly.pattern, "0 4 * * *");
      assert.equal(nightly.tz, "Europe/Berlin");
      assert.ok((await queue.getJobSchedulersCount()) >= 1);
      assert.ok((await queue.getJobSchedulers()).some((one) => one.key === "nightly"));
      assert.equal(await queue.removeJobScheduler("nightly"), true);
      assert.equal(await queue.getDelayedCount(), 0);
    });

    test("the rate limit of a worker", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const times = [];
      await queue.addBulk(Array.from({ length: 6 }, () => ({ name: "limited", data: {} })));
      const limiter = { max: 2, duration: 300 };
      const worker = bench.worker(name, async () => times.push(Date.now()), { limiter, concurrency: 6 });
      await eventually("all are done", () => times.length === 6);
      assert.ok(times[5] - times[0] >= 550, `${times[5] - times[0]} ms`);
      await worker.rateLimit(60_000);
      assert.ok((await queue.getRateLimitTtl()) > 1000);
      await queue.removeRateLimitKey();
      assert.ok((await queue.getRateLimitTtl()) <= 0);
    });

    test("events of a queue, in order", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const events = await bench.events(name);
      const seen = [];
      for (const event of ["added", "waiting", "active", "progress", "completed", "failed", "drained"]) {
        events.on(event, ({ jobId }) => seen.push(jobId ? `${event} ${jobId}` : event));
      }
      bench.worker(name, async (job) => {
        if (job.name === "bad") throw new Error("bad");
        await job.updateProgress(50);
      });
      await queue.add("good", {}, { jobId: "good" });
      await eventually("the first is done", () => seen.includes("completed good"));
      await queue.add("bad", {}, { jobId: "bad" });
      await eventually("the second has failed", () => seen.includes("failed bad"));
      const of = (id) => seen.filter((line) => line.endsWith(` ${id}`)).map((line) => line.split(" ")[0]);
      assert.deepEqual(of("good"), ["added", "waiting", "active", "progress", "completed"]);
      assert.deepEqual(of("bad"), ["added", "waiting", "active", "failed"]);
      await queue.trimEvents(0);
    });

    test("pause and resume", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const done = [];
      bench.worker(name, async (job) => {
        done.push(job.name);
      });
      await queue.add("before", {});
      await eventually("one is done", () => done.length === 1);
      await queue.pause();
      assert.equal(await queue.isPaused(), true);
      await queue.add("while", {});
      await sleep(300);
      assert.deepEqual(done, ["before"]);
      await queue.resume();
      await eventually("the other is done", () => done.length === 2);
      assert.equal(await queue.isPaused(), false);
    });

    test("deduplication: simple, throttled, debounced; own ids", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const first = await queue.add("one", {}, { deduplication: { id: "simple" } });
      const second = await queue.add("one", {}, { deduplication: { id: "simple" } });
      assert.equal(second.id, first.id);
      assert.equal(await queue.getDeduplicationJobId("simple"), first.id);
      await queue.removeDeduplicationKey("simple");
      assert.notEqual((await queue.add("one", {}, { deduplication: { id: "simple" } })).id, first.id);

      const throttle = { deduplication: { id: "throttle", ttl: 200 } };
      const third = await queue.add("two", {}, throttle);
      assert.equal((await queue.add("two", {}, throttle)).id, third.id);
      await sleep(300);
      assert.notEqual((await queue.add("two", {}, throttle)).id, third.id);

      const debounce = { deduplication: { id: "debounce", ttl: 300, extend: true, replace: true }, delay: 300 };
      await queue.add("three", { version: 1 }, debounce);
      const last = await queue.add("three", { version: 2 }, debounce);
      assert.deepEqual((await queue.getDelayed()).map((job) => job.data.version), [2]);
      assert.ok(last.id);

      await queue.add("four", { version: 1 }, { jobId: "own" });
      await queue.add("four", { version: 2 }, { jobId: "own" });
      assert.equal((await queue.getJob("own")).data.version, 1);
    });

    test("logs, progress and data of a job", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const events = await bench.events(name);
      bench.worker(name, async (job) => {
        for (let line = 1; line <= 5; line += 1) await job.log(`line ${line}`);
        await job.updateProgress({ percent: 70, text: "äöü €" });
        await job.updateData({ ...job.data, more: [1.5, null, "\u0000"] });
      });
      const job = await queue.add("talk", { text: "ü" }, { keepLogs: 3 });
      await job.waitUntilFinished(events, 10_000);
      assert.deepEqual(await queue.getJobLogs(job.id), { logs: ["line 3", "line 4", "line 5"], count: 3 });
      const read = await queue.getJob(job.id);
      assert.deepEqual(read.progress, { percent: 70, text: "äöü €" });
      assert.deepEqual(read.data, { text: "ü", more: [1.5, null, "\u0000"] });
    });

    test("finished jobs go by count and age", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      let done = 0;
      bench.worker(name, async (job) => {
        done += 1;
        if (job.name === "bad") throw new Error("bad");
      });
      const options = { removeOnComplete: { count: 3 }, removeOnFail: true };
      await queue.addBulk(Array.from({ length: 8 }, () => ({ name: "good", data: {}, opts: options })));
      await queue.add("bad", {}, options);
      await eventually("all are done", () => done === 9);
      await eventually("three are kept", async () => (await queue.getCompletedCount()) === 3);
      await eventually("none is kept", async () => (await queue.getFailedCount()) === 0);
      assert.equal((await queue.clean(0, 100, "completed")).length, 3);
      assert.equal(await queue.getCompletedCount(), 0);
    });

    test("the workers of a queue are listed by their names", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const worker = bench.worker(name, async () => {}, { name: "the-first" });
      await worker.waitUntilReady();
      const workers = await eventually("it is listed", async () => {
        const found = await queue.getWorkers();
        return found.length > 0 && found;
      });
      assert.equal(workers.length, 1);
      assert.match(workers[0].rawname, /the-first/);
      assert.equal(await queue.getWorkersCount(), 1);
    });

    test("global concurrency", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      await queue.setGlobalConcurrency(2);
      assert.equal(await queue.getGlobalConcurrency(), 2);
      let running = 0;
      let most = 0;
      let done = 0;
      const work = async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(30);
        running -= 1;
        done += 1;
      };
      await queue.addBulk(Array.from({ length: 12 }, () => ({ name: "wide", data: {} })));
      bench.worker(name, work, { concurrency: 4 });
      bench.worker(name, work, { concurrency: 4 });
      await eventually("all are done", () => done === 12);
      assert.equal(most, 2);
      await queue.removeGlobalConcurrency();
    });

    test("drain and obliterate leave nothing", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const client = bench.client();
      await queue.addBulk(Array.from({ length: 50 }, (_, index) => ({ name: "many", data: { index } })));
      await queue.add("later", {}, { delay: 60_000 });
      await queue.drain();
      assert.equal(await queue.getWaitingCount(), 0);
      assert.equal(await queue.getDelayedCount(), 1);
      await queue.addBulk(Array.from({ length: 50 }, (_, index) => ({ name: "many", data: { index } })));
      await queue.obliterate({ force: true });
      assert.deepEqual(await client.keys(`bull:${name}:*`), []);
    });

    test("a job put off by its own worker, and one of several steps", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const events = await bench.events(name);
      bench.worker(name, async (job, token) => {
        if (!job.data.again) {
          await job.updateData({ again: true });
          await job.moveToDelayed(Date.now() + 100, token);
          throw new bench.bullmq.DelayedError();
        }
        return "second";
      });
      const job = await queue.add("step", {});
      assert.equal(await job.waitUntilFinished(events, 10_000), "second");
    });

    test("jobs are found in pages, promoted, and counted in metrics", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      for (let index = 0; index < 25; index += 1) await queue.add("page", { index });
      assert.deepEqual((await queue.getWaiting(10, 12)).map((job) => job.data.index), [10, 11, 12]);
      const later = await queue.add("later", {}, { delay: 60_000 });
      await later.promote();
      assert.equal(await later.getState(), "waiting");
      let done = 0;
      const work = async () => {
        done += 1;
      };
      bench.worker(name, work, { metrics: { maxDataPoints: 10 }, concurrency: 5 });
      await eventually("all are done", () => done === 26);
      await eventually("they are counted", async () => (await queue.getMetrics("completed")).meta.count === 26);
      const completed = await queue.getJobs(["completed"], 0, 4, true);
      assert.equal(completed.length, 5);
    });

    test("a thousand jobs by many workers, each once", async () => {
      const name = bench.name();
      const queue = bench.queue(name);
      const seen = new Map();
      const total = 1_000;
      const work = async (job) => {
        seen.set(job.data.index, (seen.get(job.data.index) ?? 0) + 1);
      };
      for (let index = 0; index < 4; index += 1) bench.worker(name, work, { concurrency: 10 });
      const jobs = Array.from({ length: total }, (_, index) => ({ name: "one", data: { index } }));
      await queue.addBulk(jobs);
      await eventually("all are done", () => seen.size === total);
      assert.ok([...seen.values()].every((times) => times === 1));
    });
  });
}
