// A platform with an administrator who is signed in to the panel, for walks that start there.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { chromium } from "playwright-core";

import { chromiumPath, startPlatform } from "./platform.mjs";

export const ADMIN = { email: "admin@example.com", password: "correct horse battery staple" };
const SHOTS = process.env.E2E_SCREENSHOTS;

/** Starts everything; `stop` ends it and says whether a script failed or a policy was violated. */
export async function openPanel(name, settings = []) {
  const platform = await startPlatform(settings);
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      // Names below localhost are this machine's, whatever the resolver thinks.
      "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    ],
  });
  const origin = `http://admin.localhost:${platform.port}`;
  const problems = [];
  /** A page of a browser that knows nothing of the others. */
  const newPage = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy/i.test(message.text())) problems.push(message.text());
    });
    return page;
  };
  const page = await newPage();
  await page.goto(platform.ready.setup_url);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.getByLabel("Password again").fill(ADMIN.password);
  await page.getByRole("button", { name: "Create and sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return {
    platform,
    origin,
    page,
    newPage,
    open: (address) => page.goto(`${origin}${address}`),
    said: (text) => page.getByText(text).first().waitFor(),
    shot: async (what, of = page) => {
      if (!SHOTS) return;
      await mkdir(SHOTS, { recursive: true });
      await of.screenshot({ path: path.join(SHOTS, `${name}-${what}.png`) });
    },
    stop: async () => {
      await browser.close();
      assert.equal(await platform.stop(), 0, "mito ends cleanly");
      assert.deepEqual(problems, [], "no script failed and no policy was violated");
    },
  };
}

/** Fills the sign-in page, wherever it leads. */
export async function signIn(page, { email, password } = ADMIN) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}
