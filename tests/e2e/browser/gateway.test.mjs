// The gateway's pages: where requests go and what is wrong, files with routes, requests as they pass.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openPanel } from "./panel.mjs";

const SETTINGS = [
  "gateway.routers.shop.rule=Host(`shop.localhost`) && PathPrefix(`/cart`)",
  "gateway.routers.shop.service=http://127.0.0.1:9",
  "gateway.routers.broken.rule=Host(`broken.localhost`)",
  "gateway.routers.broken.service=nobody",
];

let panel;
let page;

before(async () => {
  panel = await openPanel("gateway", SETTINGS);
  page = panel.page;
});

after(() => panel?.stop());

test("the overview counts what there is and names what does not work", async () => {
  await panel.open("/gateway");
  for (const name of ["traefik", "web", "websecure"]) {
    await page.getByRole("row", { name: new RegExp(`^${name} 127\\.0\\.0\\.1:`) }).waitFor();
  }
  await panel.shot("overview");
  await page.getByRole("link", { name: "Routers: 1 error" }).click();
  await page.getByRole("row", { name: /^broken disabled/ }).waitFor();
  assert.equal(await page.getByRole("row").count(), 2, "the heading and the one that does not work");
  await panel.said(/"nobody" does not exist/);
});

test("routers are searched, sorted and shared by address", async () => {
  await panel.open("/gateway/routers");
  await page.getByLabel("Search routers").fill("cart");
  await page.waitForURL(/search=cart/);
  await page.getByRole("row", { name: /^shop enabled/ }).waitFor();
  await page.getByRole("row", { name: /^admin enabled/ }).waitFor({ state: "detached" });

  await panel.open("/gateway/routers?search=localhost");
  await page.getByRole("button", { name: "Priority" }).click();
  await page.getByRole("columnheader", { name: "Priority", exact: true }).and(page.locator("[aria-sort=ascending]")).waitFor();
  await page.getByRole("button", { name: "Priority" }).click();
  await page.getByRole("row").nth(1).and(page.getByRole("row", { name: /^panel / })).waitFor();
  assert.match(page.url(), /search=localhost&sort=-priority/);
  await panel.shot("routers");

  await panel.open("/gateway/routers?perPage=25&search=nothing-has-this-name");
  await panel.said("Nothing matches");
});

test("a router's drawing leads along the way of a request", async () => {
  await panel.open("/gateway/routers/panel@mito");
  const way = page.getByRole("list", { name: "The way of a request" });
  await way.getByRole("list", { name: "Entry points" }).getByText("websecure").waitFor();
  const steps = way.getByRole("list", { name: "Middlewares" }).getByRole("listitem");
  await steps.nth(2).waitFor();
  assert.match((await steps.allInnerTexts()).join(" "), /api-ratelimit.*security-headers.*compress/s);
  await way.getByRole("list", { name: "Servers" }).getByRole("img", { name: "UP" }).waitFor();
  await panel.shot("router");

  // Everything in it is reached with the keyboard alone.
  await way.getByRole("link", { name: /^api-ratelimit/ }).or(steps.first().getByRole("link")).first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "api-ratelimit@mito" }).waitFor();
  await page.getByRole("region", { name: "Options" }).getByText("average").waitFor();
  await panel.shot("middleware");
  await page.getByRole("region", { name: "Used by" }).getByRole("link", { name: "panel", exact: true }).click();
  await page.getByRole("heading", { name: "panel@mito" }).waitFor();
  await way.getByRole("list", { name: "Service", exact: true }).getByRole("link").click();
  await page.getByRole("heading", { name: "api@mito" }).waitFor();
  await page.getByRole("row", { name: /http:\/\/api:\d+ UP 1/ }).waitFor();
  await panel.shot("service");
});

test("what is broken or missing says so", async () => {
  await panel.open("/gateway/routers");
  await page.getByRole("link", { name: "broken" }).click();
  await page.getByRole("alert").or(page.getByText("It does not work")).first().waitFor();
  await page.getByText(/"nobody" does not exist/).first().waitFor();
  await panel.shot("broken");
  await panel.open("/gateway/services/none@nowhere");
  await panel.said("There is no service of this name");
  await page.getByRole("link", { name: "all services" }).click();
  await page.getByRole("heading", { name: "Routing" }).waitFor();
});

test("a phone shows the whole drawing, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const phone = await panel.newPage({
      viewport: { width: 360, height: 740 },
      colorScheme,
      storageState: await page.context().storageState(),
    });
    for (const address of ["", "/routers", "/routers/panel@mito", "/services", "/middlewares"]) {
      await phone.goto(`${panel.origin}/gateway${address}`);
      await phone.locator("#main").getByText(/api|web/).first().waitFor();
      const width = await phone.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `nothing of /gateway${address} sticks out at 360 px: ${width}`);
    }
    await phone.goto(`${panel.origin}/gateway/routers/panel@mito`);
    await phone.getByRole("list", { name: "Servers" }).waitFor();
    await panel.shot(`router-narrow-${colorScheme}`, phone);
    await phone.context().close();
  }
});

/** Answers below the gateway's API in its place; what is not named here goes on to mito. */
async function answer(path, reply) {
  await page.route(`**/_mito/api/gateway/${path}`, (route) => reply(route, route.request()));
}

const json = (route, status, body) =>
  route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });

test("certificates say how long they last and why one failed", async () => {
  const day = 86_400_000;
  const at = (days) => new Date(Date.now() + days * day).toISOString();
  await answer("certificates?*", (route) =>
    json(route, 200, [
      { name: "1", commonName: "shop.test", sans: ["shop.test", "www.shop.test"], status: "enabled", notAfter: at(60.5), issuerCN: "R11" },
      { name: "2", commonName: "late.test", sans: ["late.test"], status: "expired", notAfter: at(-2.5), error: ["the order was refused"], nextAttempt: at(0.1) },
      { name: "new.test", host: "new.test", commonName: "new.test", status: "warning", notAfter: null, provider: "acme" },
    ]),
  );
  await panel.open("/gateway/certificates");
  await page.getByRole("row", { name: /shop\.test.*60 days left/ }).waitFor();
  await page.getByRole("row", { name: /late\.test expired the order was refused.*expired 2 days ago/ }).waitFor();
  await page.getByRole("row", { name: /^new\.test warning/ }).waitFor();
  await page.getByLabel("Search certificates").fill("www");
  await page.getByRole("row", { name: /late/ }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "shop.test" }).click();
  await page.getByRole("dialog", { name: "shop.test" }).getByText("www.shop.test").waitFor();
  await panel.shot("certificate");

  await page.unroute("**/_mito/api/gateway/certificates?*");
  await answer("certificates?*", (route) => json(route, 404, { message: "404 page not found" }));
  await panel.open("/gateway/certificates");
  await panel.said("Not available here");
});

/** A folder of files that behaves as the gateway's. */
async function fakeFiles() {
  const files = new Map();
  await answer("files", (route) => {
    const list = [...files].map(([name, { text }]) => ({
      name,
      format: name.endsWith("toml") ? "toml" : "yaml",
      sizeBytes: text.length,
      modified: new Date().toISOString(),
      error: null,
    }));
    return json(route, 200, { files: list });
  });
  await answer("files/*", (route, request) => {
    const url = new URL(request.url());
    const name = decodeURIComponent(url.pathname.split("/").at(-1));
    const file = files.get(name);
    if (request.method() === "DELETE") {
      files.delete(name);
      return route.fulfill({ status: 204 });
    }
    if (request.method() === "GET") {
      return file ? json(route, 200, { name, ...file }) : json(route, 404, { detail: "there is no such file" });
    }
    const { text, version } = request.postDataJSON();
    const wrong = text.split("\n").findIndex((line) => line.includes("Hots("));
    if (wrong >= 0) return json(route, 422, { detail: "there is no matcher Hots", line: wrong + 1 });
    if (url.searchParams.get("dry_run") === "1") return json(route, 200, { name, text, version: "-" });
    if (file && file.version !== version) return json(route, 409, { detail: "the file has changed" });
    files.set(name, { text, version: String(Number(file?.version ?? 0) + 1) });
    return json(route, 200, { name, ...files.get(name) });
  });
  return files;
}

test("a file is written, checked, applied and deleted", async () => {
  const files = await fakeFiles();
  await panel.open("/gateway/files");
  await panel.said("No files yet");
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Name").fill("../shop.yml");
  await page.getByRole("button", { name: "Write it" }).click();
  await panel.said("Use letters, digits, dots, hyphens and underscores.");
  await page.getByLabel("Name").fill("shop.yml");
  await page.getByRole("button", { name: "Write it" }).click();

  const text = page.getByLabel("Text of shop.yml");
  const template = await text.inputValue();
  assert.match(template, /^# .*\nhttp:\n {2}routers:/);

  // A wrong line is marked, and the mark follows what is typed above it.
  await text.fill(template.replace("Host(", "Hots("));
  await page.getByRole("button", { name: "Check" }).click();
  await panel.said("Line 6 is not valid");
  await panel.said("there is no matcher Hots");
  await text.press("Control+Home");
  await text.press("Enter");
  await page.getByRole("button", { name: "Go to line 7" }).waitFor();
  await panel.shot("file-wrong");
  assert.equal(files.size, 0, "nothing has been applied");

  // Leaving asks first.
  page.once("dialog", (dialog) => dialog.dismiss());
  await page.getByRole("link", { name: "Configuration" }).first().click();
  await text.waitFor();

  await text.fill(template);
  await page.getByRole("button", { name: "Check" }).click();
  await panel.said("It is valid.");
  await page.getByRole("button", { name: "Apply" }).click();
  await panel.said("shop.yml is in use.");
  assert.equal(files.get("shop.yml").text, template);

  // Enter keeps the indentation, Tab indents, Escape lets Tab leave, Ctrl+S applies.
  await text.press("Control+End");
  await text.pressSequentially("    extra:\n");
  await text.press("Tab");
  await text.pressSequentially("x: 1");
  assert.equal((await text.inputValue()).slice(template.length), "    extra:\n        x: 1");
  await text.press("Escape");
  await page.keyboard.press("Tab");
  assert.equal(await text.evaluate((node) => node === document.activeElement), false, "Tab left the text");
  await text.press("Control+s");
  await page.getByRole("button", { name: "Apply" }).and(page.locator(":disabled")).waitFor();
  assert.match(files.get("shop.yml").text, /x: 1$/);

  // Somebody else was quicker.
  await text.press("Control+End");
  await text.pressSequentially("\n# mine");
  files.set("shop.yml", { text: "# theirs\n", version: "9" });
  await page.getByRole("button", { name: "Go on with mine" }).click({ timeout: 20_000 });
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Apply" }).and(page.locator(":disabled")).waitFor();
  assert.match(files.get("shop.yml").text, /# mine$/);
  await panel.shot("file");

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await panel.said("The file shop.yml is deleted.");
  await panel.said("No files yet");
  assert.equal(files.size, 0);
});

test("what does not work leads to its line", async () => {
  const files = await fakeFiles();
  files.set("shop.yml", { text: "http:\n  routers:\n    shop:\n      rule: Hots(`x`)\n", version: "1" });
  const broken = {
    name: "shop@file",
    provider: "file",
    status: "disabled",
    rule: "Hots(`x`)",
    service: "shop",
    entryPoints: ["web"],
    priority: 0,
    error: ["shop.yml line 3: routers.shop: rule: there is no matcher Hots"],
  };
  await answer("http/routers?*", (route) => json(route, 200, [broken]));
  await panel.open("/gateway/files");
  await page.getByRole("row", { name: /^shop\.yml warning A part of it does not work/ }).waitFor();
  await panel.open("/gateway/routers");
  await page.getByRole("link", { name: "shop.yml line 3" }).click();
  await panel.said("A part does not work");
  const text = page.getByLabel("Text of shop.yml");
  await text.and(page.locator("[aria-invalid]")).waitFor();
  assert.equal(await text.evaluate((node) => node.value.slice(node.selectionStart, node.selectionEnd)), "    shop:");
  // In another text the line may be another one.
  await text.press("Control+Home");
  await text.press("Enter");
  await page.locator("[aria-invalid]").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Line 3" }).click();
  await panel.shot("file-troubles");
  await page.unroute("**/_mito/api/gateway/http/routers?*");
});

test("requests appear as they pass, filtered and paused", async () => {
  const events = Array.from({ length: 30 }, (_, index) => ({
    time: new Date(Date.now() - (30 - index) * 1000).toISOString(),
    method: "GET",
    host: "shop.localhost",
    path: index % 10 === 0 ? "/_mito/api/x" : `/cart/${index}`,
    status: index % 5 === 1 ? 502 : 200,
    durationMs: 3 + index,
    router: "shop@mito",
    service: "shop@mito",
    clientIp: "127.0.0.1",
    entryPoint: "web",
    bytes: 1200,
  }));
  const body = events.map((event) => `event: request\ndata: ${JSON.stringify(event)}\n\n`).join("");
  await answer("traffic", (route) => route.fulfill({ contentType: "text/event-stream", body: `retry: 600000\n\n${body}` }));
  await panel.open("/gateway/requests");
  await page.getByRole("row", { name: /\/cart\/29 200 32 ms/ }).waitFor();
  await page.getByRole("img", { name: /^Requests per second over the last five minutes/ }).waitFor();
  await page.getByRole("row", { name: /_mito/ }).waitFor({ state: "detached" });
  await panel.shot("requests");

  await page.getByRole("combobox", { name: "Status" }).click();
  await page.getByRole("option", { name: "5xx" }).click();
  await page.getByRole("row", { name: /\/cart\/29/ }).waitFor({ state: "detached" });
  assert.equal(await page.getByRole("row").count(), 7, "the heading and six that failed");
  await page.getByRole("button", { name: /\/cart\/26$/ }).click();
  await page.getByRole("dialog").getByRole("link", { name: "shop@mito" }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Pause" }).click();
  await panel.said("Paused; 0 requests came since.");
  await page.getByRole("button", { name: "Go on" }).click();

  await page.unroute("**/_mito/api/gateway/traffic");
  await answer("traffic", (route) => json(route, 404, { message: "404 page not found" }));
  await panel.open("/gateway/requests");
  await panel.said("Not available here");
});
