// Sends the same requests to the real PocketBase and to mito, and compares status and body.
//
// A step may say:
//   method, path, body | form() | raw, headers   the request; `{{name}}` stands for a saved value
//   as: "admin" (default) | "guest" | a saved token's name
//   save: { name: "path.in.body" }                keeps a value of each answer under a name
//   mailTo: "a@b.co", find: /regex/               instead of a request: waits for a mail and saves group 1
//   compareHeaders: ["content-type"]              headers that must be the same, too
//   ignore: ["path.in.body"]                      parts of the body that are not compared (a `*` is any key)
//   only: ["path"]                                compares these parts of the body alone
//   unordered: "path.of.list"                     sorts that list before comparing
//   status: 429                                   what both must answer with
//   until: 200                                    repeats the request until the answer has this status
//   differs: { reason, status?, headers?, body? } a difference that is meant: what mito answers instead
//                                                 (`headers` and `body` hold the parts that are checked,
//                                                 as values or regular expressions)

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { differences, normalise } from "./normalise.mjs";
import { eventually, request, startMito, startPocketBase } from "./oracle.mjs";

const LIST = path.join(import.meta.dirname, "differences.md");
const folder = path.join(import.meta.dirname, "cases");
const wanted = process.env.AREA ? process.env.AREA.split(",") : null;
const areas = [];
for (const file of readdirSync(folder).sort()) {
  const area = path.basename(file, ".mjs");
  if (wanted && !wanted.includes(area)) continue;
  const { cases } = await import(path.join(folder, file));
  areas.push({ area, cases });
}

const at = (value, where) => where.split(".").reduce((inner, key) => inner?.[key], value);

function fill(value, saved) {
  if (typeof value === "string") return value.replace(/\{\{(\w+)\}\}/g, (_, name) => saved.get(name) ?? `{{${name}}}`);
  if (Array.isArray(value)) return value.map((item) => fill(item, saved));
  if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, saved), fill(item, saved)]));
  }
  return value;
}

async function perform(server, step, saved) {
  if (step.mailTo) {
    const mail = await server.mailbox.mailTo(fill(step.mailTo, saved), step.skip ?? 0);
    const found = step.find.exec(mail.html || mail.text) ?? step.find.exec(mail.text || "");
    assert.ok(found, `${server.name}: nothing like ${step.find} in ${mail.text || mail.html}`);
    saved.set(step.saveAs, found[1]);
    return null;
  }
  const as = step.as ?? "admin";
  const token = as === "admin" ? server.token : as === "guest" ? undefined : saved.get(as);
  const send = () =>
    request(server, {
      method: step.method ?? "GET",
      path: fill(step.path, saved),
      body: fill(step.body, saved),
      form: step.form?.(saved),
      raw: step.raw,
      headers: fill(step.headers ?? {}, saved),
      token,
    });
  let answer = await send();
  if (step.until) {
    await eventually(`${server.name} answers ${step.path} with ${step.until}`, async () => {
      if (answer.status !== step.until) answer = await send();
      return answer.status === step.until;
    });
  }
  for (const [name, where] of Object.entries(step.save ?? {})) {
    const value = at(answer.body, where);
    if (value !== undefined) saved.set(name, String(value));
  }
  return answer;
}

function remove(value, keys) {
  if (!value || typeof value !== "object") return;
  const [first, ...rest] = keys;
  for (const key of first === "*" ? Object.keys(value) : [first]) {
    if (rest.length === 0) delete value[key];
    else remove(value[key], rest);
  }
}

function comparable(answer, step, saved) {
  let body = normalise(structuredClone(answer.body), saved);
  if (step.unordered) at(body, step.unordered)?.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  for (const where of step.ignore ?? []) remove(body, where.split("."));
  if (step.only) body = Object.fromEntries(step.only.map((where) => [where, at(body, where)]));
  const headers = Object.fromEntries((step.compareHeaders ?? []).map((name) => [name, answer.headers.get(name)]));
  return { status: answer.status, headers, body };
}

function matches(found, expected) {
  for (const [key, value] of Object.entries(expected)) {
    if (value instanceof RegExp) assert.match(String(found?.[key]), value, key);
    else if (value && typeof value === "object") matches(found?.[key] ?? {}, value);
    else assert.equal(found?.[key], value, key);
  }
}

function compare(step, answers, saved) {
  const [theirs, ours] = answers.map((answer, index) => comparable(answer, step, saved[index]));
  const where = `${step.method ?? "GET"} ${step.path} ${JSON.stringify(step.body ?? null)}`;
  if (step.status) assert.deepEqual([theirs.status, ours.status], [step.status, step.status], `${where}: PocketBase, mito`);
  const found = differences(theirs, ours);
  if (!step.differs) {
    const shown = found.slice(0, 12).map(({ path: at, one, other }) => `${at}: ${JSON.stringify(one)} ≠ ${JSON.stringify(other)}`);
    assert.equal(found.length, 0, `${where}\n${shown.join("\n")}\nPocketBase: ${JSON.stringify(theirs)}\nmito: ${JSON.stringify(ours)}`);
    return;
  }
  assert.ok(found.length > 0, `${where}: there is no difference any more; take \`differs\` away`);
  if (step.differs.status) assert.equal(ours.status, step.differs.status, where);
  if (step.differs.headers) matches(ours.headers, step.differs.headers);
  if (step.differs.body) matches(ours.body, step.differs.body);
}

function listed() {
  const lines = [
    "# Where mito answers differently from PocketBase",
    "",
    "Every line is a step of the differential suite and the reason why the difference is meant.",
    "Written by `UPDATE=1 npm test`.",
  ];
  for (const { area, cases } of areas) {
    const reasons = new Map();
    for (const { steps } of cases) {
      for (const step of steps.filter((step) => step.differs)) {
        const example = `\`${step.method ?? "GET"} ${step.path}\``;
        reasons.set(step.differs.reason, [...new Set([...(reasons.get(step.differs.reason) ?? []), example])]);
      }
    }
    if (reasons.size === 0) continue;
    lines.push("", `## ${area}`, "");
    for (const [reason, examples] of reasons) lines.push(`- ${reason} (${examples.slice(0, 3).join(", ")})`);
  }
  return `${lines.join("\n")}\n`;
}

for (const { area, cases } of areas) {
  describe(area, () => {
    // What one area sets must not change the answers of another.
    let servers;
    before(async () => {
      servers = await Promise.all([startPocketBase(), startMito()]);
    });
    after(async () => {
      for (const server of servers ?? []) await server.stop();
    });
    for (const { name, steps } of cases) {
      test(name, async () => {
        const saved = servers.map((server) => new Map([["url", server.url], ["adminToken", server.token]]));
        for (const step of steps) {
          const answers = await Promise.all(servers.map((server, index) => perform(server, step, saved[index])));
          if (answers[0]) compare(step, answers, saved);
        }
      });
    }
  });
}

test("the list of differences is current", { skip: Boolean(wanted) }, () => {
  if (process.env.UPDATE) writeFileSync(LIST, listed());
  assert.equal(readFileSync(LIST, "utf8"), listed());
});
