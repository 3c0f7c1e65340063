// Accounts by the unmodified SDK: one-time passwords, second factors, mails, impersonation.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { forEachServer } from "./harness.mjs";

const PASSWORD = "a good password";
const TOKEN = /(eyJ[\w-]+\.[\w-]+\.[\w-]+)/;

forEachServer("accounts", (server) => {
  let admin;
  before(async () => {
    admin = server.adminClient();
    await admin.collections.create({
      name: "members",
      type: "auth",
      listRule: "",
      viewRule: "",
      createRule: "",
      updateRule: "id = @request.auth.id",
      fields: [{ name: "nick", type: "text" }],
      indexes: ["CREATE UNIQUE INDEX idx_members_nick ON members (nick) WHERE nick != ''"],
      passwordAuth: { enabled: true, identityFields: ["email", "nick"] },
      otp: { enabled: true, duration: 180, length: 8 },
    });
  });

  const join = async (name, values = {}) => {
    const client = server.client();
    const account = { email: `${name}@example.com`, password: PASSWORD, passwordConfirm: PASSWORD, nick: name, ...values };
    const record = await client.collection("members").create(account);
    return { client, record, email: account.email };
  };

  test("any identity field signs in", async () => {
    const { client, record } = await join("nina");
    for (const identity of ["nina", "nina@example.com"]) {
      const session = await client.collection("members").authWithPassword(identity, PASSWORD);
      assert.equal(session.record.id, record.id);
    }
    await assert.rejects(client.collection("members").authWithPassword("nina", "wrong password"), (error) => error.status === 400);
    await assert.rejects(client.collection("members").authWithPassword("nobody", PASSWORD), (error) => error.status === 400);
    const methods = await client.collection("members").listAuthMethods();
    assert.deepEqual(methods.password, { enabled: true, identityFields: ["email", "nick"] });
    assert.equal(methods.otp.enabled, true);
  });

  test("a refreshed session goes on", async () => {
    const { client, email } = await join("rita");
    await client.collection("members").authWithPassword(email, PASSWORD);
    const refreshed = await client.collection("members").authRefresh({ fields: "token,record.id" });
    assert.ok(client.authStore.isValid);
    assert.deepEqual(Object.keys(refreshed.record), ["id"]);
    await client.collection("members").update(client.authStore.record.id, { nick: "rita2" });
  });

  test("a one-time password by mail", async () => {
    const { client, record, email } = await join("otto");
    const { otpId } = await client.collection("members").requestOTP(email);
    const mail = await server.mailbox.mailTo(email);
    const code = /\b(\d{8})\b/.exec(mail.text)[1];
    await assert.rejects(client.collection("members").authWithOTP(otpId, code === "12345678" ? "87654321" : "12345678"), (error) => error.status === 400);
    const session = await client.collection("members").authWithOTP(otpId, code);
    assert.equal(session.record.id, record.id);
    assert.equal(session.record.verified, true);
    await assert.rejects(client.collection("members").authWithOTP(otpId, code), (error) => error.status === 400);
    const nobody = await client.collection("members").requestOTP("nobody@example.com");
    assert.equal(typeof nobody.otpId, "string");
  });

  test("two factors", async () => {
    await admin.collections.update("members", { mfa: { enabled: true, duration: 600, rule: "" } });
    try {
      const { client, record, email } = await join("mia");
      const first = await client.collection("members").authWithPassword(email, PASSWORD).catch((error) => error);
      assert.equal(first.status, 401);
      const { mfaId } = first.response;
      assert.ok(mfaId);
      await assert.rejects(client.collection("members").authWithPassword(email, PASSWORD, { mfaId }), (error) => error.status === 400);
      const { otpId } = await client.collection("members").requestOTP(email);
      const code = /\b(\d{8})\b/.exec((await server.mailbox.mailTo(email)).text)[1];
      const session = await client.collection("members").authWithOTP(otpId, code, { mfaId });
      assert.equal(session.record.id, record.id);
      assert.ok(client.authStore.isValid);
    } finally {
      await admin.collections.update("members", { mfa: { enabled: false } });
    }
  });

  test("verification, a new address and a new password by mail", async () => {
    const { client, record, email } = await join("vera");
    assert.equal(await client.collection("members").requestVerification(email), true);
    const verification = TOKEN.exec((await server.mailbox.mailTo(email)).text)[1];
    assert.equal(await client.collection("members").confirmVerification(verification), true);
    assert.equal((await admin.collection("members").getOne(record.id)).verified, true);

    await client.collection("members").authWithPassword(email, PASSWORD);
    await client.collection("members").requestEmailChange("vera2@example.com");
    const change = TOKEN.exec((await server.mailbox.mailTo("vera2@example.com")).text)[1];
    await assert.rejects(client.collection("members").confirmEmailChange(change, "wrong password"), (error) => error.status === 400);
    assert.equal(await client.collection("members").confirmEmailChange(change, PASSWORD), true);
    await assert.rejects(client.collection("members").authWithPassword(email, PASSWORD), (error) => error.status === 400);
    await client.collection("members").authWithPassword("vera2@example.com", PASSWORD);

    await client.collection("members").requestPasswordReset("vera2@example.com");
    const reset = TOKEN.exec((await server.mailbox.mailTo("vera2@example.com", 1)).text)[1];
    assert.equal(await client.collection("members").confirmPasswordReset(reset, "another password", "another password"), true);
    await assert.rejects(client.collection("members").confirmPasswordReset(reset, "again another", "again another"), (error) => error.status === 400);
    await assert.rejects(client.collection("members").authRefresh(), (error) => error.status === 401);
    await client.collection("members").authWithPassword("vera2@example.com", "another password");
  });

  test("nobody learns who has an account", async () => {
    const client = server.client();
    assert.equal(await client.collection("members").requestPasswordReset("nobody@example.com"), true);
    assert.equal(await client.collection("members").requestVerification("nobody@example.com"), true);
  });

  test("an administrator acts as somebody", async () => {
    const { record } = await join("imke");
    const imke = await admin.collection("members").impersonate(record.id, 600);
    assert.equal(imke.authStore.record.id, record.id);
    await imke.collection("members").update(record.id, { nick: "imke2" });
    const expiry = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp;
    const ends = expiry(imke.authStore.token);
    const again = await imke.collection("members").authRefresh();
    assert.equal(expiry(again.token), ends, "such a session is not prolonged");
    await assert.rejects(imke.collection("members").impersonate(record.id, 600), (error) => error.status === 403);
  });

  test("addresses are shown only by their owners' will", async () => {
    const { record } = await join("hide");
    const shown = await join("show", { emailVisibility: true });
    const guest = server.client();
    assert.equal((await guest.collection("members").getOne(record.id)).email, undefined);
    assert.equal((await guest.collection("members").getOne(shown.record.id)).email, "show@example.com");
    assert.equal((await admin.collection("members").getOne(record.id)).email, "hide@example.com");
  });
});
