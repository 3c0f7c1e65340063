// Records by the unmodified SDK.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { ClientResponseError } from "pocketbase";

import { forEachServer } from "./harness.mjs";

forEachServer("crud", (server) => {
  let admin;
  before(async () => {
    admin = server.adminClient();
    await admin.collections.create({
      name: "posts",
      type: "base",
      listRule: "",
      viewRule: "",
      createRule: "@request.auth.id != ''",
      updateRule: "author = @request.auth.id",
      deleteRule: "author = @request.auth.id",
      fields: [
        { name: "title", type: "text", required: true, max: 40 },
        { name: "views", type: "number" },
        { name: "author", type: "relation", collectionId: "_pb_users_auth_", maxSelect: 1 },
        { name: "created", type: "autodate", onCreate: true },
      ],
    });
  });

  test("a person's records", async () => {
    const client = server.client();
    const account = { email: "ann@example.com", password: "a good password", passwordConfirm: "a good password" };
    const ann = await client.collection("users").create(account);
    await client.collection("users").authWithPassword("ann@example.com", "a good password");
    assert.equal(client.authStore.record.id, ann.id);
    assert.ok(client.authStore.isValid);

    const post = await client.collection("posts").create({ title: "One", author: ann.id, views: 3 });
    assert.equal(post.collectionName, "posts");
    const updated = await client.collection("posts").update(post.id, { "views+": 2 });
    assert.equal(updated.views, 5);
    const expanded = await client.collection("posts").getOne(post.id, { expand: "author", fields: "title,expand.author.id" });
    assert.deepEqual(expanded, { title: "One", expand: { author: { id: ann.id } } });

    for (let number = 0; number < 5; number++) {
      await client.collection("posts").create({ title: `Post ${number}`, author: ann.id, views: number });
    }
    const page = await client.collection("posts").getList(1, 2, { filter: client.filter("views >= {:least}", { least: 2 }), sort: "-views" });
    assert.deepEqual(page.items.map((item) => item.title), ["One", "Post 4"]);
    assert.equal(page.totalItems, 4);
    const all = await client.collection("posts").getFullList({ batch: 2 });
    assert.equal(all.length, 6);
    const first = await client.collection("posts").getFirstListItem("title = 'Post 3'");
    assert.equal(first.views, 3);

    await client.collection("posts").delete(post.id);
    await assert.rejects(client.collection("posts").getOne(post.id), (error) => error instanceof ClientResponseError && error.status === 404);
  });

  test("what is refused, with its reasons", async () => {
    const client = server.client();
    await assert.rejects(client.collection("posts").create({ title: "x" }), (error) => error.status === 400);
    await assert.rejects(admin.collection("posts").create({ title: "x".repeat(41) }), (error) => {
      assert.equal(error.response.data.title.code, "validation_max_text_constraint");
      return true;
    });
    await assert.rejects(client.collection("posts").getFirstListItem("title = 'nothing like it'"), (error) => error.status === 404);
  });
});
