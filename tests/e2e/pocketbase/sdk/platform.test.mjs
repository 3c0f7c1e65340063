// Settings, logs, crons, backups and SQL by the unmodified SDK.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { eventually } from "../oracle.mjs";
import { forEachServer } from "./harness.mjs";

forEachServer("platform", (server) => {
  let admin;
  before(() => {
    admin = server.adminClient();
  });

  test("settings are kept, secrets are not shown", async () => {
    const changed = await admin.settings.update({ meta: { appName: "Chat", senderName: "Chat", senderAddress: "chat@example.com" } });
    assert.equal(changed.meta.appName, "Chat");
    const shown = await admin.settings.getAll();
    assert.equal(shown.meta.senderAddress, "chat@example.com");
    assert.equal(shown.smtp.password ?? "", "");
    await assert.rejects(admin.settings.update({ meta: { senderAddress: "nowhere" } }), (error) => {
      assert.ok(error.response.data.meta.senderAddress.code);
      return true;
    });
    await assert.rejects(server.client().settings.getAll(), (error) => error.status === 401);
  });

  test("a test mail arrives", async () => {
    await admin.settings.testEmail("_superusers", "test@example.com", "verification");
    const mail = await server.mailbox.mailTo("test@example.com");
    assert.ok(mail.subject);
  });

  test("requests are logged", async () => {
    await admin.settings.update({ logs: { minLevel: 0, maxDays: 5 } });
    await admin.collection("users").getList(1, 1, { filter: "verified = true", sort: "-id" }).catch(() => {});
    const [row] = await eventually("there is a row", async () => {
      const page = await admin.logs.getList(1, 10, { filter: "data.url ~ '/api/collections/users/records'", sort: "-created" });
      return page.items.length > 0 && page.items;
    });
    assert.equal(row.data.method, "GET");
    assert.equal((await admin.logs.getOne(row.id)).id, row.id);
    const stats = await admin.logs.getStats();
    assert.ok(stats.length > 0 && stats[0].total > 0 && stats[0].date);
  });

  test("crons are listed and run", async () => {
    const crons = await admin.crons.getFullList();
    const cleanup = crons.find((cron) => cron.id === "__pbLogsCleanup__");
    assert.ok(cleanup?.expression);
    assert.equal(await admin.crons.run(cleanup.id), true);
    await assert.rejects(admin.crons.run("nothing"), (error) => error.status === 404);
  });

  test("backups are made, downloaded, uploaded, restored and deleted", async () => {
    const kept = await admin.collections.create({ name: "keepsakes", type: "base", fields: [{ name: "what", type: "text" }] });
    await admin.collection("keepsakes").create({ what: "before" });
    assert.equal(await admin.backups.create("first.zip"), true);
    const [backup] = (await admin.backups.getFullList()).filter((backup) => backup.key === "first.zip");
    assert.ok(backup.size > 0 && backup.modified);
    const token = await admin.files.getToken();
    const answer = await fetch(admin.backups.getDownloadURL(token, "first.zip"));
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.equal(bytes.subarray(0, 2).toString(), "PK");
    assert.equal(await admin.backups.upload({ file: new File([bytes], "second.zip") }), true);
    await assert.rejects(admin.backups.upload({ file: new File(["no zip"], "third.zip") }), (error) => error.status === 400);

    await admin.collection("keepsakes").create({ what: "after" });
    assert.equal(await admin.backups.restore("second.zip"), true);
    await eventually("the platform is back as it was", async () => {
      const again = server.adminClient();
      const found = await again.collection("keepsakes").getFullList().catch(() => null);
      return found?.length === 1 && found[0].what === "before";
    });
    assert.equal((await admin.collections.getOne("keepsakes")).id, kept.id);
    assert.equal(await admin.backups.delete("first.zip"), true);
    await assert.rejects(admin.backups.delete("first.zip"), (error) => error.status >= 400);
  });

  test("SQL is answered", async () => {
    const answer = await admin.send("/api/sql", { method: "POST", body: { query: "SELECT 1 AS one, 'x' AS two" } });
    assert.deepEqual(answer.columns.map((column) => column.name), ["one", "two"]);
    assert.deepEqual(answer.rows.length, 1);
    await assert.rejects(admin.send("/api/sql", { method: "POST", body: { query: "SELEKT 1" } }), (error) => error.status === 400);
    await assert.rejects(server.client().send("/api/sql", { method: "POST", body: { query: "SELECT 1" } }), (error) => error.status === 401);
  });
});
