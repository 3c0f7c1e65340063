// The unmodified SDK signs in with a real OpenID provider: authorization code and PKCE with S256.
// The person's browser is played by `fetch`.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { CLIENT, FORM_CLIENT, browser, startProvider } from "../openid.mjs";
import { forEachServer } from "./harness.mjs";

/** Where applications that do without realtime are sent back to; nothing needs to be there. */
const APPLICATION = "http://127.0.0.1/signed-in";
const PASSWORD = "a good password";

forEachServer("oauth2", (server) => {
  let provider;
  const users = (client = server.client()) => client.collection("users");
  before(async () => {
    provider = await startProvider([`${server.url}/api/oauth2-redirect`, APPLICATION]);
    await server.adminClient().collections.update("users", { createRule: "" });
  });
  beforeEach(() => configureWith());
  after(() => provider?.stop());

  /** Tells the collection of the provider, in the usual way but for `more`. */
  function configureWith(more = {}) {
    const oauth2 = { enabled: true, providers: [provider.site(more)], mappedFields: { name: "name" } };
    return server.adminClient().collections.update("users", { oauth2 });
  }

  /** A person whom the provider knows. Her address is proved unless `claims` says otherwise. */
  function person(subject, claims = {}) {
    const known = { email: `${subject}@example.com`, email_verified: true, name: subject, ...claims };
    provider.people.set(subject, known);
    return known;
  }

  /** The way of an application that keeps the verifier itself: what `authWithOAuth2Code` needs. */
  async function fetchCode(subject, window = browser(provider, subject)) {
    const { oauth2 } = await users().listAuthMethods();
    const [method] = oauth2.providers;
    const { back, asked } = await window.visit(method.authURL + encodeURIComponent(APPLICATION));
    assert.equal(back.origin + back.pathname, APPLICATION);
    assert.equal(back.searchParams.get("state"), method.state);
    const code = back.searchParams.get("code");
    return { ...method, code, asked, error: back.searchParams.get("error") };
  }

  const withCode = ({ code, codeVerifier }, createData, client) =>
    users(client).authWithOAuth2Code("oidc", code, codeVerifier, APPLICATION, createData);
  const signIn = async (subject, createData, client) => withCode(await fetchCode(subject), createData, client);

  /**
   * A popup of the all-in-one sign-in. The client hears of the code before the popup has its page, so
   * what the popup saw is awaited apart.
   */
  function openPopup(window) {
    const visit = async (url) => {
      const { back, asked } = await window.visit(url);
      const answer = await fetch(back, { redirect: "manual" });
      return { asked, page: answer.headers.get("location") };
    };
    const popup = { visited: null };
    popup.open = (url) => {
      popup.visited = visit(url);
      return popup.visited;
    };
    return popup;
  }

  const accounts = async () => (await users(server.adminClient()).getFullList()).length;

  /** A sign-in that must fail; what the server said. */
  async function refused(attempt) {
    const before = await accounts();
    let said;
    await assert.rejects(attempt, (error) => {
      said = error.response;
      return error.status === 400;
    });
    assert.equal(await accounts(), before, "no account is made");
    return said;
  }

  test("the way to the provider has a challenge that its verifier answers", async () => {
    const { oauth2 } = await users().listAuthMethods();
    const [method] = oauth2.providers;
    const url = new URL(method.authURL);
    assert.equal(url.origin + url.pathname, provider.endpoints.authorization_endpoint);
    const query = Object.fromEntries(url.searchParams);
    assert.equal(query.code_challenge_method, "S256");
    assert.equal(query.code_challenge, createHash("sha256").update(method.codeVerifier).digest("base64url"));
    assert.equal(query.client_id, CLIENT.clientId);
    assert.equal(query.state, method.state);
    const [other] = (await users().listAuthMethods()).oauth2.providers;
    assert.notEqual(other.codeVerifier, method.codeVerifier);
    assert.notEqual(other.state, method.state);
  });

  test("a popup signs a person in, and again", async () => {
    person("ann", { name: "Ann" });
    const window = browser(provider, "ann");
    const popup = openPopup(window);
    const client = server.client();
    const first = await users(client).authWithOAuth2({ provider: "oidc", urlCallback: popup.open });
    assert.equal(first.meta.isNew, true);
    assert.equal(first.meta.email, "ann@example.com");
    assert.equal(first.record.name, "Ann");
    assert.equal(first.record.verified, true);
    assert.match((await popup.visited).page, /auth\/oauth2-redirect-success$/);
    assert.equal((await popup.visited).asked, 1);
    assert.equal(client.authStore.record.id, first.record.id);
    // The token of the provider is the client's to use.
    const authorization = `Bearer ${first.meta.accessToken}`;
    const me = await fetch(provider.endpoints.userinfo_endpoint, { headers: { authorization } });
    assert.equal((await me.json()).sub, "ann");
    assert.deepEqual(first.meta.rawUser, { sub: "ann", ...provider.people.get("ann") });

    const again = await users().authWithOAuth2({ provider: "oidc", urlCallback: popup.open });
    assert.equal(again.meta.isNew, false);
    assert.equal(again.record.id, first.record.id);
    assert.equal((await popup.visited).asked, 0, "the provider remembers who is there");
  });

  test("whoever declines is not signed in", async () => {
    const before = await accounts();
    const popup = openPopup(browser(provider, null));
    const attempt = users().authWithOAuth2({ provider: "oidc", urlCallback: popup.open });
    await assert.rejects(attempt, (error) => /access_denied/.test(String(error.originalError)));
    assert.match((await popup.visited).page, /auth\/oauth2-redirect-failure$/);
    assert.equal(await accounts(), before);
  });

  test("nobody is told of a state that is not theirs", async () => {
    const { code } = await fetchCode((person("stray"), "stray"));
    const stray = `${server.url}/api/oauth2-redirect?state=nobody&code=${code}`;
    const answer = await fetch(stray, { redirect: "manual" });
    assert.match(answer.headers.get("location"), /auth\/oauth2-redirect-failure$/);
  });

  test("a code signs a person in, and the same account again", async () => {
    person("bob");
    const client = server.client();
    const first = await signIn("bob", { name: "Given" }, client);
    assert.equal(first.meta.isNew, true);
    assert.equal(first.record.name, "Given", "what the client gives comes first");
    assert.equal(first.record.verified, true);
    // The account is the subject's, whatever address the provider tells by now.
    person("bob", { email: "robert@example.com" });
    const again = await signIn("bob");
    assert.equal(again.meta.isNew, false);
    assert.equal(again.record.id, first.record.id);
    const own = users(client);
    const links = await own.listExternalAuths(first.record.id);
    assert.deepEqual(links.map((link) => [link.provider, link.providerId]), [["oidc", "bob"]]);
    assert.deepEqual(await users().listExternalAuths(first.record.id), [], "links are shown to their owner");
  });

  test("a code is good with its verifier, its address and once", async () => {
    person("carl");
    const other = await fetchCode("carl");
    for (const codeVerifier of ["x".repeat(43), other.codeVerifier, ""]) {
      const given = await fetchCode("carl");
      const said = await refused(() => withCode({ ...given, codeVerifier }));
      assert.equal(said.message, "Failed to fetch OAuth2 token.");
    }
    const elsewhere = await fetchCode("carl");
    const address = `${server.url}/api/oauth2-redirect`;
    await refused(() => users().authWithOAuth2Code("oidc", elsewhere.code, elsewhere.codeVerifier, address));
    await refused(() => withCode({ ...other, code: "invented" }));
    const good = await fetchCode("carl");
    assert.equal((await withCode(good)).meta.isNew, true);
    const said = await refused(() => withCode(good));
    assert.equal(said.message, "Failed to fetch OAuth2 token.");
  });

  test("a client with the wrong secret gets nothing", async () => {
    person("dora");
    await configureWith({ clientSecret: "a guess" });
    await refused(() => signIn("dora"));
  });

  test("a provider that wants the client in the form is served", async () => {
    person("erik");
    await configureWith(FORM_CLIENT);
    assert.equal((await signIn("erik")).meta.isNew, true);
  });

  test("what the client adds is checked like any new record", async () => {
    person("fred");
    const said = await refused(() => signIn("fred", { verified: true, email: "other@example.com" }));
    assert.ok(said.data.verified, JSON.stringify(said));
  });

  test("an address links only where the provider vouches for it", async () => {
    const values = { email: "gina@example.com", password: PASSWORD, passwordConfirm: PASSWORD };
    const gina = await users(server.adminClient()).create({ ...values, verified: true });
    person("mallory", { email: values.email, email_verified: false });
    const said = await refused(() => signIn("mallory"));
    assert.equal(said.data.email.code, "validation_required");
    person("gina");
    const linked = await signIn("gina");
    assert.equal(linked.meta.isNew, false);
    assert.equal(linked.record.id, gina.id);
    const signedIn = await users().authWithPassword(values.email, PASSWORD);
    assert.equal(signedIn.record.id, gina.id, "who had proved the address keeps the password");
  });

  test("whoever made an account with another's address is out", async () => {
    const values = { email: "hugo@example.com", password: PASSWORD, passwordConfirm: PASSWORD };
    const squatter = server.client();
    await users(squatter).create(values);
    await users(squatter).authWithPassword(values.email, PASSWORD);
    person("hugo");
    const made = await signIn("hugo");
    assert.equal(made.meta.isNew, false);
    assert.equal(made.record.verified, true);
    await assert.rejects(users().authWithPassword(values.email, PASSWORD), { status: 400 });
    await assert.rejects(users(squatter).authRefresh(), { status: 401 });
  });

  test("who is signed in links another address, and unlinks it", async () => {
    const values = { email: "own@example.com", password: PASSWORD, passwordConfirm: PASSWORD };
    const client = server.client();
    await users(client).create(values);
    const { record } = await users(client).authWithPassword(values.email, PASSWORD);
    person("ida");
    const linked = await signIn("ida", undefined, client);
    assert.equal(linked.record.id, record.id);
    assert.equal(linked.record.verified, false, "that address is another");
    const again = server.client();
    assert.equal((await signIn("ida", undefined, again)).record.id, record.id);
    await users(again).unlinkExternalAuth(record.id, "oidc");
    assert.deepEqual(await users(again).listExternalAuths(record.id), []);
    const fresh = await signIn("ida");
    assert.equal(fresh.meta.isNew, true);
    assert.notEqual(fresh.record.id, record.id);
  });

  test("an identity token is enough, if the provider's keys signed it", async () => {
    person("jana", { name: "Jana" });
    const keys = { jwksURL: provider.endpoints.jwks_uri, issuers: [provider.url] };
    await configureWith({ userInfoURL: "", extra: keys });
    const made = await signIn("jana");
    assert.equal(made.record.name, "Jana");
    assert.equal(made.meta.id, "jana");
    await configureWith({ userInfoURL: "", extra: { ...keys, issuers: ["https://issuer.example.com"] } });
    assert.equal((await refused(() => signIn("jana"))).message, "Failed to fetch OAuth2 user.");
    const stranger = await startProvider([APPLICATION]);
    try {
      await configureWith({ userInfoURL: "", extra: { ...keys, jwksURL: stranger.endpoints.jwks_uri } });
      assert.equal((await refused(() => signIn("jana"))).message, "Failed to fetch OAuth2 user.");
    } finally {
      stranger.stop();
    }
  });

  test("a provider that misbehaves makes no account", async () => {
    const good = { access_token: "access", token_type: "Bearer" };
    const kathy = { sub: "kathy", email: "kathy@example.com", email_verified: true };
    const answers = {};
    const rogue = createServer((request, response) => {
      const { status = 200, type = "application/json", body } = answers[request.url];
      response.writeHead(status, { "content-type": type });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    rogue.listen(0, "127.0.0.1");
    await once(rogue, "listening");
    const url = `http://127.0.0.1:${rogue.address().port}`;
    const attempt = (token, user) => {
      Object.assign(answers, { "/token": { body: good, ...token }, "/me": { body: kathy, ...user } });
      return users().authWithOAuth2Code("oidc", "code", "verifier", APPLICATION);
    };
    try {
      await configureWith({ authURL: `${url}/auth`, tokenURL: `${url}/token`, userInfoURL: `${url}/me` });
      const html = { type: "text/html", body: "<p>busy</p>" };
      for (const token of [{ status: 500 }, html, { body: {} }, { body: [] }, { body: "{" }, { body: { access_token: "" } }, { body: { error: "invalid_grant" } }]) {
        const said = await refused(() => attempt(token));
        assert.equal(said.message, "Failed to fetch OAuth2 token.", JSON.stringify(token));
      }
      for (const user of [{ status: 401 }, { status: 500 }, html, { body: "{" }]) {
        const said = await refused(() => attempt({}, user));
        assert.equal(said.message, "Failed to fetch OAuth2 user.", JSON.stringify(user));
      }
      const { sub, ...nobody } = kathy;
      for (const body of [[], [kathy], "null", nobody, { ...kathy, sub: "" }, { ...kathy, sub: { id: sub } }]) {
        await refused(() => attempt({}, { body }));
      }
      assert.equal((await attempt({}, {})).meta.id, sub);
    } finally {
      rogue.closeAllConnections();
      rogue.close();
    }
  });
});
