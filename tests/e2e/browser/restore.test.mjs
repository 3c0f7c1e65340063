// A backup is made, data is lost, and the backup brings it back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openPanel } from "./panel.mjs";

let panel;
let page;

before(async () => {
  panel = await openPanel("restore");
  page = panel.page;
});

after(() => panel?.stop());

test("what was deleted comes back with the backup, and what came later goes", async () => {
  await panel.open("/schema?type=base");
  await page.getByLabel("Name", { exact: true }).fill("notes");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await panel.said("The collection notes is saved.");
  await panel.open("/backups");
  await panel.said("No backups yet");
  await page.getByRole("button", { name: "Back up now" }).click();
  await panel.said("The backup is made.");

  await panel.open("/schema?type=base");
  await page.getByLabel("Name", { exact: true }).fill("later");
  await page.getByRole("button", { name: "Create the collection" }).click();
  await panel.said("The collection later is saved.");
  await panel.open("/records/notes");
  await page.getByRole("button", { name: "Actions for notes" }).click();
  await page.getByRole("menuitem", { name: "Delete the collection" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("notes");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await panel.said("The collection notes is deleted.");

  await panel.open("/backups");
  const actions = page.getByRole("button", { name: /^Actions for .*\.zip$/ });
  const name = (await actions.getAttribute("aria-label")).replace("Actions for ", "");
  await actions.click();
  await page.getByRole("menuitem", { name: "Restore" }).click();
  const question = page.getByRole("dialog");
  const button = question.getByRole("button", { name: "Restore" });
  assert.ok(await button.isDisabled(), "the name has to be typed first");
  await question.getByRole("textbox").fill(name);
  await panel.shot("question");
  await button.click();
  await page.getByRole("dialog", { name: "mito starts anew" }).waitFor();
  await panel.shot("restoring");
  await panel.said(`mito runs with the data of ${name}.`);

  await panel.open("/records");
  await page.getByRole("link", { name: "notes", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "later", exact: true }).count(), 0, "what came after the backup is gone");
});
