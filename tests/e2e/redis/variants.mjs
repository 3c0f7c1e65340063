// The versions of BullMQ, each with the clients that it is used with.

import * as bullmq5 from "bullmq5";
import * as bullmq6 from "bullmq";
import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis5";

/** By name: BullMQ, and what connects it. */
export const VARIANTS = {
  "bullmq 5, ioredis 5": { bullmq: bullmq5, Redis: Redis5 },
  "bullmq 6, ioredis 5": { bullmq: bullmq6, Redis: Redis5 },
  "bullmq 6, ioredis 6": { bullmq: bullmq6, Redis: Redis6 },
};

/** Opens queues, workers and events of one variant, and closes them all at the end. */
export class Bench {
  constructor({ bullmq, Redis }, server) {
    this.bullmq = bullmq;
    this.Redis = Redis;
    this.server = server;
    this.open = [];
    this.clients = [];
    this.names = 0;
  }

  /** A name of a queue that nothing else uses. */
  name() {
    this.names += 1;
    return `queue-${this.names}`;
  }

  client() {
    const { port, host, password } = this.server;
    const client = new this.Redis({ port, host, password, maxRetriesPerRequest: null, retryStrategy: () => 100 });
    client.on("error", () => {});
    this.clients.push(client);
    return client;
  }

  keep(thing) {
    thing.on?.("error", () => {});
    this.open.push(thing);
    return thing;
  }

  queue(name, options = {}) {
    return this.keep(new this.bullmq.Queue(name, { connection: this.client(), ...options }));
  }

  worker(name, work, options = {}) {
    return this.keep(new this.bullmq.Worker(name, work, { connection: this.client(), ...options }));
  }

  /** From the first event on: without that, those before the first read would be missed. */
  async events(name) {
    const events = this.keep(new this.bullmq.QueueEvents(name, { connection: this.client(), lastEventId: "0-0" }));
    await events.waitUntilReady();
    return events;
  }

  flows() {
    return this.keep(new this.bullmq.FlowProducer({ connection: this.client() }));
  }

  async close() {
    await Promise.all(this.open.map((thing) => thing.close()));
    for (const client of this.clients) client.disconnect();
  }
}
