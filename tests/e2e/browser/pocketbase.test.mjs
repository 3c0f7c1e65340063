// The PocketBase side of the panel: a collection from its first field to its backup.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { chromiumPath, startPlatform } from "./platform.mjs";

// A red dot of 1 by 1 pixel.
const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);
const SHOTS = process.env.E2E_SCREENSHOTS;

let platform;
let browser;
let page;
let origin;
const problems = [];

before(async () => {
  platform = await startPlatform();
  origin = `http://admin.localhost:${platform.port}`;
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    ],
  });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/i.test(message.text())) problems.push(message.text());
  });
  await page.goto(platform.ready.setup_url);
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByLabel("Password again").fill("correct horse battery staple");
  await page.getByRole("button", { name: "Create and sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

after(async () => {
  await browser?.close();
  assert.equal(await platform?.stop(), 0, "mito ends cleanly");
});

async function open(address) {
  await page.goto(`${origin}${address}`);
}

async function shot(name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `pocketbase-${name}.png`) });
}

/** Adds a field of a type and names it; its options are open afterwards. */
async function addField(type, name) {
  await page.getByRole("button", { name: "New field" }).click();
  await page.getByRole("dialog").getByRole("button", { name: new RegExp(`^${type} `) }).click();
  const input = page.getByRole("textbox", { name: "Name of the field field" }).last();
  await input.fill(name);
}

async function saved(text) {
  await page.getByText(text).first().waitFor();
}

test("a collection is made, and the server's errors stand at their fields", async () => {
  await open("/schema?type=base");
  await page.getByLabel("Name", { exact: true }).fill("authors");
  await addField("Text", "name");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await saved("The collection authors is saved.");

  await open("/schema?type=base");
  await page.getByLabel("Name", { exact: true }).fill("posts");
  await addField("Text", "title");
  await addField("Choice", "status");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await page.getByText("Cannot be blank.").first().waitFor();
  await shot("schema-error");

  const values = page.getByRole("combobox", { name: "Values" });
  for (const value of ["draft", "published"]) {
    await values.fill(value);
    await values.press("Enter");
  }
  await addField("File", "cover");
  await addField("Relation", "author");
  await page.getByRole("combobox", { name: "Collection", exact: true }).click();
  await page.getByRole("option", { name: "authors" }).click();
  await page.getByRole("button", { name: "Create the collection" }).click();
  await saved("The collection posts is saved.");
});

test("fields move by keyboard, and what is deleted is asked about", async () => {
  await open("/schema/posts");
  await page.getByRole("button", { name: /^Move status/ }).focus();
  await page.keyboard.press("ArrowUp");
  await addField("Number", "obsolete");
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved("The collection posts is saved.");
  const names = page.getByRole("textbox", { name: /^Name of the field/ });
  await page.getByRole("textbox", { name: "Name of the field obsolete" }).waitFor();
  assert.deepEqual((await names.all()).length > 4 && (await names.nth(1).inputValue()), "status");

  await page.getByRole("button", { name: "Actions for obsolete" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("goes with its values").waitFor();
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Delete the field obsolete").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("textbox", { name: "Name of the field obsolete" }).waitFor({ state: "detached" });
});

test("a rule is completed while it is typed, checked, and saved", async () => {
  await open("/schema/posts");
  await page.getByRole("tab", { name: "Rules" }).click();
  const section = page.getByRole("region", { name: "List and search" });
  await section.getByRole("button", { name: "Unlock" }).click();
  const rule = section.getByRole("textbox", { name: "Rule: List and search" });
  await rule.click();
  await page.keyboard.type("stat");
  await page.getByRole("option", { name: /^status/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type(" = ");
  await page.getByRole("option", { name: "'published'" }).waitFor();
  await shot("rule-completion");
  await page.keyboard.type("'published'");
  await page.keyboard.press("Escape");
  assert.equal(await rule.inputValue(), "status = 'published'");

  await rule.fill("nothing = 1");
  await rule.blur();
  await section.getByText("posts has no field nothing.").waitFor();
  await rule.fill("status = 'published'");
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved("The collection posts is saved.");
});

test("records are made with a relation and a file, found, changed and deleted", async () => {
  for (const name of ["Ada", "Mary"]) {
    await open("/records/authors?record=new");
    await page.getByRole("dialog").getByLabel("name").fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await saved(/The record \w+ is created\./);
  }
  await open("/records/posts?record=new");
  const form = page.getByRole("dialog", { name: "New record in posts" });
  await form.getByLabel("title").fill("The walled garden");
  await form.getByLabel("status").click();
  await page.getByRole("option", { name: "published" }).click();
  await form.getByLabel("Files for cover").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: IMAGE });
  await form.getByRole("button", { name: "Choose from authors" }).click();
  const picker = page.getByRole("dialog", { name: "Choose from authors" });
  await picker.getByLabel("Search").fill("Mar");
  await picker.getByLabel(/^Mary/).check();
  await picker.getByRole("button", { name: "Choose" }).click();
  await shot("record-form");
  await form.getByRole("button", { name: "Create" }).click();
  await saved(/The record \w+ is created\./);

  await page.getByRole("link", { name: "Mary" }).waitFor();
  const image = page.locator("table img").first();
  await image.waitFor();
  await page.waitForFunction(() => document.querySelector("table img")?.naturalWidth > 0);
  await shot("grid");

  await page.getByLabel("Search or filter").fill("title ~ 'walled' && author.name = 'Ada'");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing matches").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByText("The walled garden").first().click();
  const edit = page.getByRole("dialog");
  await edit.getByLabel("title").fill("The open garden");
  await edit.getByRole("button", { name: "Save" }).click();
  await saved(/The record \w+ is changed\./);
  await page.getByText("The open garden").first().waitFor();
});

test("a rule says why it refuses", async () => {
  await open("/schema/posts");
  await page.getByRole("tab", { name: "Rules" }).click();
  await page.getByRole("region", { name: "List and search" }).getByRole("button", { name: "Test" }).click();
  const tester = page.getByRole("dialog");
  await tester.getByRole("textbox", { name: "Rule" }).fill("status = 'draft' || author.name = 'Mary'");
  await tester.getByRole("combobox", { name: "Record" }).click();
  await page.getByRole("option", { name: /The open garden/ }).click();
  await tester.getByRole("button", { name: "Test" }).click();
  await tester.getByText("The rule allows it").waitFor();
  await tester.getByText("status = 'draft'", { exact: true }).waitFor();
  await shot("rule-tester");
});

test("a create rule is asked about a record that is not there yet", async () => {
  await open("/schema/posts?part=rules");
  const section = page.getByRole("region", { name: "Create" });
  await section.getByRole("button", { name: "Unlock" }).click();
  await section.getByRole("textbox", { name: "Rule: Create" }).fill("@request.auth.id != '' && status = 'draft'");
  await section.getByRole("textbox", { name: "Rule: Create" }).press("Escape");
  await section.getByRole("button", { name: "Test" }).click();
  const tester = page.getByRole("dialog");
  await tester.getByRole("button", { name: "Fill in all fields" }).click();
  const record = tester.getByLabel("The record that would be created");
  assert.deepEqual(JSON.parse(await record.inputValue()), { status: "", title: "", author: "" });
  await record.fill('{"status": "draft"');
  await tester.getByText("This is not JSON.").waitFor();
  assert.ok(await tester.getByRole("button", { name: "Test" }).isDisabled());
  await record.fill('{"status": "draft"}');
  await tester.getByRole("button", { name: "Test" }).click();
  await tester.getByText("The rule refuses it").waitFor();
  await tester.getByText("Judged by the record as it would be.").waitFor();
  await shot("create-rule-tester");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Undo" }).click();
});

test("a place is chosen on the map, by keyboard as well", async () => {
  await open("/schema?type=base");
  await page.getByLabel("Name", { exact: true }).fill("places");
  await addField("Place", "spot");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await saved("The collection places is saved.");
  await open("/records/places?record=new");
  const form = page.getByRole("dialog");
  const map = form.getByRole("button", { name: /^spot on the map: no place yet/ });
  await map.waitFor();
  const { width, height } = await map.boundingBox();
  await map.click({ position: { x: width / 4, y: height / 4 } });
  const moved = form.getByRole("button", { name: /^spot on the map: 4\d(\.\d)?° N, (89|90)(\.\d)?° W/ });
  await moved.waitFor();
  await form.getByLabel("spot: latitude").fill("-33");
  await form.getByLabel("spot: longitude").fill("-71");
  await form.getByRole("button", { name: /^spot on the map: 33° S, 71° W/ }).press("ArrowUp");
  await shot("place");
  await form.getByRole("button", { name: "Create" }).click();
  await saved(/The record \w+ is created\./);
  await page.getByText("29° S, 71° W").waitFor();
});

test("collections are exported and imported with a look at what changes", async () => {
  await open("/collections/transfer");
  await page.getByRole("tab", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Save \d+ as JSON/ }).click();
  const exported = JSON.parse(await readFile(await (await download).path(), "utf8"));
  const posts = exported.find(({ name }) => name === "posts");
  posts.fields.push({ name: "extra", type: "json" });
  await page.getByRole("tab", { name: "Import" }).click();
  await page.getByLabel("Collections, in JSON").fill(JSON.stringify([posts]));
  await page.getByText("extra: json").waitFor();
  await shot("import");
  await page.getByRole("button", { name: "Import 1" }).click();
  await saved("The collections are imported.");
  await open("/schema/posts");
  await page.getByRole("textbox", { name: "Name of the field extra" }).waitFor();
});

test("SQL is run, and a statement that writes is asked about", async () => {
  await open("/sql");
  await page.getByLabel("Statement", { exact: true }).fill("select title from posts");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("cell", { name: "The open garden" }).waitFor();
  await page.getByLabel("Statement", { exact: true }).fill("update posts set title = 'by hand'");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run it" }).click();
  await page.getByText("1 row changed").waitFor();
  await page.getByLabel("Statement", { exact: true }).fill("selec");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run it" }).click();
  await page.getByRole("alert").first().waitFor();
  await shot("sql");
});

test("settings are changed, refused where they are wrong, and logs and tasks are shown", async () => {
  await open("/settings");
  await page.getByLabel("Name").fill("");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Cannot be blank.").first().waitFor();
  await page.getByLabel("Name").fill("Garden");
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved("The settings are saved.");

  await open("/logs");
  await page.getByRole("img", { name: "Lines in each hour" }).waitFor();
  await page.getByText("No requests yet").waitFor();
  await page.getByLabel("Requests of this panel").check();
  await page.getByText(/\/api\//).first().waitFor();
  await shot("logs");
  await open("/crons");
  await page.getByRole("button", { name: /^Run now: / }).first().click();
  await saved(/: started\./);
});

test("a backup is made and can be saved", async () => {
  await open("/backups");
  await page.getByRole("button", { name: "Back up now" }).click();
  await saved("The backup is made.");
  await page.getByRole("button", { name: /^Actions for / }).first().click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Download" }).click();
  const bytes = await readFile(await (await download).path());
  assert.equal(bytes.subarray(0, 2).toString(), "PK", "it is a zip file");
  await shot("backups");
});

test("an account is made, its session ended, its address confirmed by mail", async () => {
  await open("/schema?type=auth");
  await page.getByLabel("Name", { exact: true }).fill("members");
  await page.getByRole("tab", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Create the collection" }).click();
  await saved("The collection members is saved.");

  await open("/records/members?record=new");
  const form = page.getByRole("dialog");
  await form.getByRole("textbox", { name: "email", exact: true }).fill("ada@example.com");
  await form.getByLabel(/^password/).fill("correct horse battery");
  await form.getByLabel("Password again").fill("correct horse battery");
  await form.getByRole("button", { name: "Create" }).click();
  await saved(/The record \w+ is created\./);

  const api = `http://${platform.ready.services.api}/api/collections/members`;
  const post = (route, body, headers = {}) =>
    fetch(`${api}/${route}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": "walker/1.0", ...headers },
      body: JSON.stringify(body),
    });
  const answer = await post("auth-with-password", { identity: "ada@example.com", password: "correct horse battery" });
  const { token } = await answer.json();

  await open("/accounts?collection=members");
  await page.getByRole("link", { name: "ada@example.com" }).click();
  await page.getByText("not verified").waitFor();
  await page.getByRole("button", { name: "End the session of walker" }).click();
  await page.getByText("Not signed in anywhere").waitFor();
  assert.equal((await post("auth-refresh", {}, { Authorization: token })).status, 401, "the session is over");

  await page.getByRole("button", { name: "Act as" }).click();
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText(/^ey[\w-]+\.[\w-]+\.[\w-]+$/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText(/^by /).waitFor();
  await shot("account");

  await page.getByRole("button", { name: "Send verification" }).click();
  await saved(/is on its way/);
  const link = await mailedLink(/auth\/confirm-verification\/[\w.-]+/);
  const stranger = await browser.newPage();
  await stranger.goto(`${origin}/${link}`);
  await stranger.getByRole("button", { name: "Yes, confirm it" }).click();
  await stranger.getByText("ada@example.com is confirmed").waitFor();
  await stranger.close();
  await page.reload();
  await page.getByText("verified", { exact: true }).first().waitFor();
});

/** The address in the newest mail that has one, as soon as it has come. */
async function mailedLink(pattern) {
  for (let tries = 0; tries < 60; tries += 1) {
    const found = await page.evaluate(async (source) => {
      const read = async (path) => (await fetch(`/_mito/api/notifications/mailbox${path}`)).json();
      for (const { id } of (await read("")).items) {
        const link = new RegExp(source).exec(JSON.stringify(await read(`/${encodeURIComponent(id)}`)));
        if (link) return link[0];
      }
      return null;
    }, pattern.source);
    if (found) return found;
    await page.waitForTimeout(500);
  }
  throw new Error("no mail came");
}

test("records are deleted by selection, and a collection by typing its name", async () => {
  await open("/records/posts");
  await page.getByLabel("Select all records of this page").check();
  await page.getByRole("group", { name: "Selected records" }).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("No records yet").waitFor();
  await page.getByRole("button", { name: "Actions for posts" }).click();
  await page.getByRole("menuitem", { name: "Delete the collection" }).click();
  const question = page.getByRole("dialog");
  const button = question.getByRole("button", { name: "Delete" });
  assert.ok(await button.isDisabled());
  await question.getByRole("textbox").fill("posts");
  await button.click();
  await saved("The collection posts is deleted.");
});

test("nothing sticks out on a narrow screen, in the dark as well", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  const places = ["/records", "/records/authors", "/schema/authors", "/collections/transfer", "/accounts", "/sql", "/logs", "/crons", "/backups", "/settings"];
  for (const place of places) {
    await open(place);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${place} is ${width} pixels wide`);
    await shot(`narrow${place.replaceAll("/", "-")}`);
  }
  assert.deepEqual(problems, [], "no script failed and no policy was violated");
});
