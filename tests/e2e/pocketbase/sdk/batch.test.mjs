// Batches with files by the unmodified SDK.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { forEachServer } from "./harness.mjs";

forEachServer("batch", (server) => {
  let admin;
  before(async () => {
    admin = server.adminClient();
    await admin.collections.create({
      name: "notes",
      type: "base",
      createRule: "text != 'forbidden'",
      updateRule: "",
      deleteRule: "",
      viewRule: "",
      listRule: "",
      fields: [
        { name: "text", type: "text", required: true },
        { name: "papers", type: "file", maxSelect: 3, maxSize: 100_000 },
      ],
      indexes: ["CREATE UNIQUE INDEX idx_notes_text ON notes (text)"],
    });
  });

  const file = (name, content) => new File([content], name, { type: "text/plain" });
  const content = async (record, name) => (await fetch(server.client().files.getURL(record, name))).text();

  test("several writes with files in one", async () => {
    const client = server.client();
    const batch = client.createBatch();
    batch.collection("notes").create({ text: "one", papers: [file("a.txt", "first"), file("b.txt", "second")] });
    batch.collection("notes").create({ text: "two" });
    batch.collection("notes").upsert({ id: "upsert000000001", text: "three", papers: file("c.txt", "third") });
    const answers = await batch.send();
    assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200]);
    const [one, two, three] = answers.map((answer) => answer.body);
    assert.equal(one.papers.length, 2);
    assert.deepEqual([await content(one, one.papers[0]), await content(one, one.papers[1])], ["first", "second"]);
    assert.equal(await content(three, three.papers[0]), "third");

    const change = client.createBatch();
    change.collection("notes").update(one.id, { "papers-": [one.papers[0]] });
    change.collection("notes").upsert({ id: "upsert000000001", text: "four", "papers+": file("d.txt", "fourth") });
    change.collection("notes").delete(two.id);
    const changed = await change.send();
    assert.deepEqual(changed.map((answer) => answer.status), [200, 200, 204]);
    assert.deepEqual(changed[0].body.papers, [one.papers[1]]);
    assert.deepEqual([changed[1].body.text, changed[1].body.papers.length], ["four", 2]);
    await assert.rejects(client.collection("notes").getOne(two.id), (error) => error.status === 404);
  });

  test("one that fails takes all back, and is named", async () => {
    const client = server.client();
    const before = (await client.collection("notes").getFullList()).length;
    const batch = client.createBatch();
    batch.collection("notes").create({ text: "good" });
    batch.collection("notes").create({ text: "" });
    batch.collection("notes").create({ text: "also good" });
    await assert.rejects(batch.send(), (error) => {
      assert.equal(error.status, 400);
      const failed = error.response.data.requests["1"];
      assert.equal(failed.code, "batch_request_failed");
      assert.equal(failed.response.data.text.code, "validation_required");
      return true;
    });
    assert.equal((await client.collection("notes").getFullList()).length, before);
  });

  test("rules hold inside", async () => {
    const batch = server.client().createBatch();
    batch.collection("notes").create({ text: "forbidden" });
    await assert.rejects(batch.send(), (error) => error.response.data.requests["0"].response.status === 400);
  });

  test("too many, and none", async () => {
    const batch = server.client().createBatch();
    for (let number = 0; number < 51; number++) batch.collection("notes").create({ text: `many ${number}` });
    await assert.rejects(batch.send(), (error) => error.status === 400);
    await assert.rejects(server.client().createBatch().send(), (error) => error.status === 400);
  });
});
