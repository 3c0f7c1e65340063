// Collections by the unmodified SDK: schema changes, import, views.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { forEachServer } from "./harness.mjs";

forEachServer("collections", (server) => {
  let admin;
  before(() => {
    admin = server.adminClient();
  });

  test("a schema that changes keeps its data", async () => {
    const made = await admin.collections.create({
      name: "plants",
      type: "base",
      fields: [
        { name: "name", type: "text" },
        { name: "height", type: "number" },
        { name: "colours", type: "select", values: ["red", "green"], maxSelect: 1 },
      ],
    });
    const plant = await admin.collection("plants").create({ name: "Rose", height: 80, colours: "red" });
    const fields = made.fields.filter((field) => field.name !== "height");
    fields.find((field) => field.name === "name").name = "title";
    fields.find((field) => field.name === "colours").maxSelect = 2;
    const changed = await admin.collections.update("plants", { name: "flora", fields, indexes: ["CREATE INDEX idx_flora ON flora (title)"] });
    assert.equal(changed.id, made.id);
    const kept = await admin.collection("flora").getOne(plant.id);
    assert.deepEqual([kept.title, kept.height, kept.colours], ["Rose", undefined, ["red"]]);
    await assert.rejects(admin.collections.getOne("plants"), (error) => error.status === 404);
    await admin.collections.truncate("flora");
    assert.equal((await admin.collection("flora").getList()).totalItems, 0);
    await admin.collections.delete("flora");
    await assert.rejects(admin.collections.getOne("flora"), (error) => error.status === 404);
  });

  test("a collection that others point at stays", async () => {
    const target = await admin.collections.create({ name: "targets", type: "base", fields: [] });
    await admin.collections.create({ name: "arrows", type: "base", fields: [{ name: "at", type: "relation", collectionId: target.id, maxSelect: 1 }] });
    await assert.rejects(admin.collections.delete("targets"), (error) => error.status === 400);
    await admin.collections.delete("arrows");
    await admin.collections.delete("targets");
  });

  test("views show what their query says", async () => {
    await admin.collections.create({ name: "sales", type: "base", fields: [{ name: "shop", type: "text" }, { name: "sum", type: "number" }] });
    for (const [shop, sum] of [["north", 3], ["north", 4], ["south", 5]]) await admin.collection("sales").create({ shop, sum });
    const view = await admin.collections.create({
      name: "totals",
      type: "view",
      listRule: "",
      viewRule: "",
      viewQuery: "SELECT MAX(id) AS id, shop, SUM(sum) AS total, COUNT(id) AS many FROM sales GROUP BY shop",
    });
    assert.deepEqual(view.fields.map((field) => field.name), ["id", "shop", "total", "many"]);
    const totals = await server.client().collection("totals").getFullList({ sort: "shop" });
    assert.deepEqual(totals.map((row) => [row.shop, row.total, row.many]), [["north", 7, 2], ["south", 5, 1]]);
    await assert.rejects(admin.collection("totals").create({ shop: "x" }), (error) => error.status === 400);
    await assert.rejects(admin.collections.create({ name: "bad", type: "view", viewQuery: "DELETE FROM sales" }), (error) => error.status === 400);
  });

  test("collections are exported and imported", async () => {
    const wanted = [
      { name: "imported1", type: "base", fields: [{ name: "title", type: "text" }] },
      { name: "imported2", type: "auth", fields: [{ name: "age", type: "number" }] },
    ];
    assert.equal(await admin.collections.import(wanted), true);
    await admin.collection("imported1").create({ title: "kept" });
    const exported = (await admin.collections.getFullList()).filter((collection) => !collection.system);
    const changed = exported.filter((collection) => collection.name !== "imported2");
    changed.find((collection) => collection.name === "imported1").fields.push({ name: "more", type: "bool" });
    assert.equal(await admin.collections.import(changed, true), true);
    const [kept] = await admin.collection("imported1").getFullList();
    assert.deepEqual([kept.title, kept.more], ["kept", false]);
    await assert.rejects(admin.collections.getOne("imported2"), (error) => error.status === 404);
    await assert.rejects(admin.collections.import([{ name: "bad name!", type: "base" }]), (error) => error.status === 400);
  });

  test("scaffolds and what a new collection needs", async () => {
    const scaffolds = await admin.collections.getScaffolds();
    assert.deepEqual(Object.keys(scaffolds).sort(), ["auth", "base", "view"]);
    await assert.rejects(server.client().collections.getList(), (error) => error.status === 401);
    await assert.rejects(
      admin.collections.create({ name: "x", type: "base", fields: [{ name: "a", type: "nothing" }], listRule: "nothing = 1" }),
      (error) => error.status === 400,
    );
  });
});
