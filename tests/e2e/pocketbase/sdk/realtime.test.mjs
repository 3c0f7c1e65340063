// Realtime by the unmodified SDK over a real EventSource.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { eventually } from "../oracle.mjs";
import { forEachServer } from "./harness.mjs";

forEachServer("realtime", (server) => {
  let admin;
  before(async () => {
    admin = server.adminClient();
    await admin.collections.create({
      name: "messages",
      type: "base",
      listRule: "public = true || owner = @request.auth.id",
      viewRule: "public = true || owner = @request.auth.id",
      fields: [
        { name: "text", type: "text" },
        { name: "public", type: "bool" },
        { name: "secret", type: "text", hidden: true },
        { name: "owner", type: "relation", collectionId: "_pb_users_auth_", maxSelect: 1 },
      ],
    });
  });

  /** Subscribes, and keeps what comes as `action text`. */
  async function listen(client, topic, options) {
    const heard = [];
    const records = [];
    await client.collection("messages").subscribe(
      topic,
      (event) => {
        heard.push(`${event.action} ${event.record.text}`);
        records.push(event.record);
      },
      options,
    );
    return { heard, records };
  }

  const account = async (name) => {
    const client = server.client();
    const values = { email: `${name}@example.com`, password: "a good password", passwordConfirm: "a good password" };
    const record = await client.collection("users").create(values);
    await client.collection("users").authWithPassword(values.email, values.password);
    return { client, id: record.id };
  };

  test("each hears what they may see", async () => {
    const guest = server.client();
    const [ann, bob] = [await account("ann"), await account("bob")];
    const ears = {
      guest: await listen(guest, "*"),
      ann: await listen(ann.client, "*"),
      bob: await listen(bob.client, "*"),
      filtered: await listen(ann.client, "*", { filter: "text ~ 'two'", fields: "id,text" }),
      admin: await listen(server.adminClient(), "*"),
    };
    const messages = admin.collection("messages");
    await messages.create({ text: "one", public: true, secret: "s" });
    const two = await messages.create({ text: "two", owner: ann.id });
    await messages.update(two.id, { text: "two again", owner: bob.id });
    await messages.delete(two.id);
    await messages.create({ text: "end", public: true });
    for (const ear of [ears.guest, ears.ann, ears.bob, ears.admin]) {
      await eventually("the last one came", () => ear.heard.includes("create end"));
    }
    assert.deepEqual(ears.guest.heard, ["create one", "create end"]);
    assert.deepEqual(ears.ann.heard, ["create one", "create two", "create end"]);
    assert.deepEqual(ears.bob.heard, ["create one", "update two again", "delete two again", "create end"]);
    assert.deepEqual(ears.filtered.heard, ["create two"]);
    assert.deepEqual(Object.keys(ears.filtered.records[0]).sort(), ["id", "text"]);
    assert.equal(ears.guest.records[0].secret, undefined);
    assert.equal(ears.admin.records[0].secret, "s");
    for (const client of [guest, ann.client, bob.client]) await client.realtime.unsubscribe();
  });

  test("one record, until nobody listens any more", async () => {
    const guest = server.client();
    const one = await admin.collection("messages").create({ text: "first", public: true });
    const other = await admin.collection("messages").create({ text: "other", public: true });
    const ear = await listen(guest, one.id, { expand: "owner" });
    await admin.collection("messages").update(other.id, { text: "not heard" });
    await admin.collection("messages").update(one.id, { text: "heard" });
    await eventually("the change came", () => ear.heard.length > 0);
    assert.deepEqual(ear.heard, ["update heard"]);
    await guest.collection("messages").unsubscribe(one.id);
    await admin.collection("messages").update(one.id, { text: "into the void" });
    assert.equal(ear.heard.length, 1);
    assert.equal(guest.realtime.isConnected, false);
  });

  test("changes of a batch come one by one", async () => {
    const guest = server.client();
    const ear = await listen(guest, "*");
    const batch = admin.createBatch();
    batch.collection("messages").create({ text: "b1", public: true });
    batch.collection("messages").create({ text: "b2", public: true });
    await batch.send();
    await eventually("both came", () => ear.heard.length === 2);
    assert.deepEqual(ear.heard.toSorted(), ["create b1", "create b2"]);
    await guest.realtime.unsubscribe();
  });
});
