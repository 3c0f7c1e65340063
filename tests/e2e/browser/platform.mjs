// Runs the real binary for the browser tests.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

export const SECRET_KEY = "a-secret-key-for-tests";
const SETTINGS = [
  "gateway.entrypoints.web.address=127.0.0.1:0",
  "gateway.entrypoints.websecure.address=127.0.0.1:0",
  "gateway.entrypoints.traefik.address=127.0.0.1:0",
  "network.publish.minio=127.0.0.1:0",
  "network.publish.api=127.0.0.1:0",
  `objects.root_password=${SECRET_KEY}`,
];

/** Starts mito on free ports and a new data folder, with more settings where a walk needs them; `stop` ends it as
 * Ctrl-C does. */
export async function startPlatform(more = []) {
  if (!process.env.MITO_BIN) throw new Error("set MITO_BIN to the mito binary");
  const folder = await mkdtemp(path.join(tmpdir(), "mito-e2e-"));
  const settings = [...SETTINGS, ...more].flatMap((setting) => ["--set", setting]);
  const child = spawn(
    process.env.MITO_BIN,
    ["up", "--json", "--data", path.join(folder, "data"), ...settings],
    { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env.PATH, MITO_LOG: "warn" }, cwd: folder },
  );
  const lines = readline.createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const ready = JSON.parse(line);
  if (ready.event !== "ready") throw new Error(line);
  const stop = async () => {
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const [code] = await once(child, "exit");
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  return { ready, port: ready.entrypoints.web.split(":")[1], stop };
}

/** Whether Debian's Chromium is there, and where. */
export function chromiumPath() {
  const found = spawnSync("which", ["chromium"], { encoding: "utf8" }).stdout.trim();
  return process.env.CHROMIUM || found || "/usr/bin/chromium";
}
