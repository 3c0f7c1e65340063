// A worker as a process of its own, to be killed. It prints the id of each job that it begins and, where it may
// finish, of each that is done.

import { setTimeout as sleep } from "node:timers/promises";

import { VARIANTS } from "./variants.mjs";

const [variant, port, password, name, mode] = process.argv.slice(2);
const { bullmq, Redis } = VARIANTS[variant];
const connection = new Redis({ port: Number(port), host: "127.0.0.1", password, maxRetriesPerRequest: null });
const work = async (job) => {
  console.log(`began ${job.id}`);
  if (mode === "hang") await sleep(600_000);
};
new bullmq.Worker(name, work, { connection, lockDuration: 1_000, stalledInterval: 500, concurrency: 3 });
