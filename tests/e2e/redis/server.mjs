// Runs the server under test: mito, or the real Redis where REDIS_SERVER=redis, which every suite has to pass as well.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export const PASSWORD = "a-password-for-tests";
const PATIENCE_MS = 30_000;

/** A port that nothing listens on. */
async function freePort() {
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

async function answers(port) {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write(`*2\r\n$4\r\nAUTH\r\n$${PASSWORD.length}\r\n${PASSWORD}\r\n*1\r\n$4\r\nPING\r\n`);
    let text = "";
    for await (const part of socket) {
      text += part;
      if (text.includes("PONG")) return true;
      if (text.includes("LOADING")) return false;
    }
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Spawns the real Redis with the append-only file that mito's database 0 has. */
async function startRedis(folder, port) {
  const options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--requirepass", PASSWORD];
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"];
  const child = spawn("redis-server", [...options, ...durable].map(String), { stdio: ["ignore", "ignore", "inherit"] });
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(port))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error("redis-server does not answer");
    await sleep(20);
  }
  return child;
}

async function startMito(folder, port) {
  const settings = [
    "gateway.entrypoints.web.address=127.0.0.1:0",
    "gateway.entrypoints.websecure.address=127.0.0.1:0",
    "gateway.entrypoints.traefik.address=127.0.0.1:0",
    "network.publish.minio=127.0.0.1:0",
    "network.publish.api=127.0.0.1:0",
    `network.publish.redis=127.0.0.1:${port}`,
    `cache.password=${PASSWORD}`,
    "cache.append_fsync=always",
  ].flatMap((setting) => ["--set", setting]);
  if (!process.env.MITO_BIN) throw new Error("set MITO_BIN to the mito binary");
  const child = spawn(
    path.resolve(process.env.MITO_BIN),
    ["up", "--json", "--data", path.join(folder, "data"), ...settings],
    { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env.PATH, MITO_LOG: "warn" }, cwd: folder },
  );
  const lines = readline.createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  if (JSON.parse(line).event !== "ready") throw new Error(line);
  return child;
}

/** A server on a port of its own, which it keeps when it is killed and started again. */
export async function startServer() {
  const folder = await mkdtemp(path.join(tmpdir(), "mito-e2e-redis-"));
  await mkdir(path.join(folder, "data"), { recursive: true });
  const port = await freePort();
  const begin = () => (process.env.REDIS_SERVER === "redis" ? startRedis(folder, port) : startMito(folder, port));
  let child = await begin();
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  return {
    port,
    host: "127.0.0.1",
    password: PASSWORD,
    /** The address as users write it. */
    url: `redis://:${PASSWORD}@127.0.0.1:${port}`,
    /** Ends it without warning. */
    kill: () => end("SIGKILL"),
    /** Starts it again over the same files. */
    restart: async () => {
      await end("SIGKILL");
      child = await begin();
    },
    stop: async () => {
      await end("SIGINT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the condition gives something true, and gives it back. */
export async function eventually(what, condition, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    const found = await condition();
    if (found) return found;
    await sleep(20);
  }
  throw new Error(`waited ${patience} ms until ${what}`);
}
