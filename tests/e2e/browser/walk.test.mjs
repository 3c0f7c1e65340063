// From the set-up link to the finished content, as a person would go.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { chromiumPath, startPlatform } from "./platform.mjs";

const ARTICLE = `<!doctype html><html lang="en"><head><title>The walled garden</title></head><body>
<nav><a href="/">Home</a></nav><article><h1>The walled garden</h1>
<p>The walled garden of the manor was laid out in 1768 to grow fruit that the climate of the coast
would not allow. Its walls are four metres high and hollow, and on cold nights fires were lit in
them to keep the frost from the blossom of the peach trees.</p>
<p>Eleven gardeners worked in the walled garden at the end of the century. The head gardener kept a
book in which every peach was counted, and the book shows that the frost won in one year of five.</p>
<p>After the war the garden was let as an orchard and then forgotten. Volunteers have rebuilt the
glass houses since 2003, and the peaches are sold at the gate in August.</p></article>
<footer>Imprint</footer></body></html>`;

const SHOTS = process.env.E2E_SCREENSHOTS;
let platform;
let browser;

before(async () => {
  platform = await startPlatform();
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      // Names below localhost are this machine's, whatever the resolver thinks.
      "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    ],
  });
});

after(async () => {
  await browser?.close();
  assert.equal(await platform?.stop(), 0, "mito ends cleanly");
});

async function shot(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

test("from the set-up link to the finished content", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/i.test(message.text())) problems.push(message.text());
  });

  await page.goto(platform.ready.setup_url);
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByLabel("Password again").fill("correct horse battery staple");
  await shot(page, "setup");
  await page.getByRole("button", { name: "Create and sign in" }).click();

  await page.getByRole("heading", { name: "Overview" }).waitFor();
  for (const role of ["postgres", "redis", "minio", "api", "notifications", "ai-pipeline"]) {
    await page.getByRole("row", { name: new RegExp(`^${role} healthy`) }).waitFor();
  }
  await shot(page, "overview");
  await page.getByRole("button", { name: /import/i }).first().click();

  await page.goto(`http://admin.localhost:${platform.port}/objects/inbox`);
  await page.getByLabel("Files to upload").first().waitFor({ state: "attached" });
  await page.locator("input[type=file]").first().setInputFiles({
    name: "walled-garden.html",
    mimeType: "text/html",
    buffer: Buffer.from(ARTICLE),
  });
  await page.getByText("walled-garden.html").first().waitFor();
  await shot(page, "objects");

  await page.goto(`http://admin.localhost:${platform.port}/records/contents`);
  await page.getByText("The walled garden").first().click({ timeout: 30_000 });
  await page.getByText(/peach/).first().waitFor();
  await shot(page, "content");

  await page.goto(`http://admin.localhost:${platform.port}/notifications/mailbox`);
  await page.getByText(/walled garden/i).first().waitFor({ timeout: 30_000 });
  await shot(page, "mailbox");

  await page.goto(`http://admin.localhost:${platform.port}/queue`);
  await page.getByText("ai.process_object").first().waitFor();
  await shot(page, "jobs");
  assert.deepEqual(problems, [], "no script failed and no policy was violated");
  await page.close();
});

test("a narrow screen shows the sign-in and refuses a wrong password", async () => {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  const page = await context.newPage();
  await page.goto(`http://admin.localhost:${platform.port}/`);
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").first().waitFor();
  await shot(page, "sign-in-narrow");
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `nothing sticks out at 360 px: ${width}`);
  await context.close();
});
