// The unmodified SDK's all-in-one sign-in with another site: the popup's part is played by `fetch`
// against an OpenID provider on this machine.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { forEachServer } from "./harness.mjs";

const CLIENT = { clientId: "client", clientSecret: "a secret" };

/** A provider that checks the client, the address and PKCE; a code is good once. */
async function startProvider() {
  const codes = new Map();
  const provider = { person: {} };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://provider");
    const json = (status, body) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (url.pathname === "/authorize") {
      const query = url.searchParams;
      const code = randomUUID();
      codes.set(code, { challenge: query.get("code_challenge"), back: query.get("redirect_uri") });
      const back = new URL(query.get("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", query.get("state"));
      response.writeHead(302, { location: back.href });
      response.end();
    } else if (url.pathname === "/token") {
      let text = "";
      for await (const chunk of request) text += chunk;
      const form = new URLSearchParams(text);
      const known = codes.get(form.get("code"));
      codes.delete(form.get("code"));
      const basic = Buffer.from("client:a+secret").toString("base64");
      const made = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      const good =
        known?.challenge === made &&
        known.back === form.get("redirect_uri") &&
        request.headers.authorization === `Basic ${basic}`;
      if (!good) return json(400, { error: "invalid_grant" });
      json(200, { access_token: "access", refresh_token: "refresh", token_type: "Bearer", expires_in: 60 });
    } else if (request.headers.authorization === "Bearer access") {
      json(200, provider.person);
    } else {
      json(401, {});
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  provider.url = `http://127.0.0.1:${server.address().port}`;
  provider.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return provider;
}

forEachServer("oauth2", (server) => {
  let provider;
  before(async () => {
    provider = await startProvider();
    const site = {
      ...CLIENT,
      name: "oidc",
      displayName: "Local",
      authURL: `${provider.url}/authorize`,
      tokenURL: `${provider.url}/token`,
      userInfoURL: `${provider.url}/me`,
    };
    const oauth2 = { enabled: true, providers: [site], mappedFields: { name: "name" } };
    await server.adminClient().collections.update("users", { createRule: "", oauth2 });
  });
  after(() => provider.stop());

  /** Goes where the popup would go; the page that the person ends on. */
  let page;
  const popup = async (url) => {
    const answer = await fetch(url, { redirect: "manual" });
    const back = await fetch(answer.headers.get("location"), { redirect: "manual" });
    page = back.headers.get("location");
  };
  const signIn = (client, more = {}) =>
    client.collection("users").authWithOAuth2({ provider: "oidc", urlCallback: popup, ...more });

  test("a person signs in, and again", async () => {
    provider.person = { sub: "1", name: "Ann", email: "ann@example.com", email_verified: true };
    const client = server.client();
    const first = await signIn(client);
    assert.equal(first.meta.isNew, true);
    assert.equal(first.record.name, "Ann");
    assert.equal(first.record.verified, true);
    assert.match(page, /auth\/oauth2-redirect-success$/);
    assert.equal(client.authStore.record.id, first.record.id);
    const again = await signIn(server.client());
    assert.equal(again.meta.isNew, false);
    assert.equal(again.record.id, first.record.id);
    const links = await client.collection("users").listExternalAuths(first.record.id);
    assert.deepEqual(links.map((link) => [link.provider, link.providerId]), [["oidc", "1"]]);
    await client.collection("users").unlinkExternalAuth(first.record.id, "oidc");
    assert.deepEqual(await client.collection("users").listExternalAuths(first.record.id), []);
  });

  test("what the client adds is checked like any new record", async () => {
    provider.person = { sub: "2", email: "bob@example.com", email_verified: true };
    const refused = signIn(server.client(), { createData: { verified: true, email: "other@example.com" } });
    const error = await refused.catch((reason) => reason);
    assert.equal(error.status || error.originalError?.status, 400);
    const made = await signIn(server.client(), { createData: { name: "Given" } });
    assert.equal(made.record.name, "Given");
  });

  test("whoever made an account with another's address is out", async () => {
    const users = server.client().collection("users");
    const values = { email: "eve@example.com", password: "a good password", passwordConfirm: "a good password" };
    await users.create(values);
    provider.person = { sub: "3", email: values.email, email_verified: true };
    const made = await signIn(server.client());
    assert.equal(made.meta.isNew, false);
    assert.equal(made.record.verified, true);
    await assert.rejects(users.authWithPassword(values.email, values.password), { status: 400 });
  });
});
