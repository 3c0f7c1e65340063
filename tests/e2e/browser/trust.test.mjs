// Chromium over HTTPS of the local authority: refused, trusted after `mito trust`, refused again after `mito untrust`.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";

import { chromium } from "playwright-core";

import { chromiumPath, startPlatform } from "./platform.mjs";

/** Opens `url` in a browser of that home folder: what Chromium says against it, or what it is shown. */
async function visit(home, url) {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
    env: { ...process.env, HOME: home },
  });
  try {
    const page = await (await browser.newContext()).newPage();
    const answer = await page.goto(url);
    const shown = await page.evaluate(() => ({
      protocol: performance.getEntriesByType("navigation")[0].nextHopProtocol,
      secure: isSecureContext,
    }));
    return { ...shown, status: answer.status(), issuer: (await answer.securityDetails()).issuer };
  } catch (error) {
    return String(error);
  } finally {
    await browser.close();
  }
}

test("Chromium trusts the local authority while it is told to", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "mito-home-"));
  const store = path.join(home, ".pki", "nssdb");
  await mkdir(store, { recursive: true });
  const made = spawnSync("certutil", ["-N", "-d", `sql:${store}`, "--empty-password"]);
  assert.equal(made.status, 0, "install the Debian package libnss3-tools");
  const platform = await startPlatform();
  // The system's own store is root's: without its rights the command fails for that one and says what to run.
  const mito = (command) => {
    const env = { PATH: process.env.PATH, HOME: home };
    const ended = spawnSync(process.env.MITO_BIN, [command, "--data", platform.ready.data], { env, encoding: "utf8" });
    return ended.stdout;
  };
  const url = `https://api.localhost:${platform.ready.entrypoints.websecure.split(":")[1]}/health`;
  try {
    assert.match(await visit(home, url), /ERR_CERT_AUTHORITY_INVALID/);

    assert.match(mito("trust"), /nssdb/);
    const { issuer, ...shown } = await visit(home, url);
    assert.deepEqual(shown, { protocol: "h2", secure: true, status: 200 });
    assert.match(issuer, /mito/i);

    assert.match(mito("untrust"), /nssdb/);
    assert.match(await visit(home, url), /ERR_CERT_AUTHORITY_INVALID/);
  } finally {
    mito("untrust");
    await platform.stop();
    await rm(home, { recursive: true, force: true });
  }
});
