// A real OpenID provider on this machine (`oidc-provider`), and the browser of a person who has
// accounts there.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import Provider from "oidc-provider";

/** Clients that the provider knows: one names itself in a header, the other in the form. */
export const CLIENT = { clientId: "client", clientSecret: "a secret & more" };
export const FORM_CLIENT = { clientId: "form client", clientSecret: "another secret" };
/** More hops than any sign-in takes. */
const MAX_HOPS = 10;

/**
 * Starts a provider that insists on PKCE with S256 and sends people back to `redirectURIs` alone.
 * `people` holds what it knows of them: claims by subject.
 */
export async function startProvider(redirectURIs) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const people = new Map();
  const client = ({ clientId, clientSecret }, method) => ({
    client_id: clientId,
    client_secret: clientSecret,
    token_endpoint_auth_method: method,
    redirect_uris: redirectURIs,
  });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const openid = new Provider(url, {
    clients: [client(CLIENT, "client_secret_basic"), client(FORM_CLIENT, "client_secret_post")],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomUUID()] },
    pkce: { methods: ["S256"], required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username", "picture"] },
    // The identity token has all claims, for clients that ask nowhere else.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 60, Interaction: 60, Grant: 60, Session: 60 },
    findAccount: (_, id) => people.has(id) && { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) },
    // Who signs in agrees to what is asked for.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(" "));
      await grant.save();
      return grant;
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  const answer = openid.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    if (request.method === "GET") return response.end("Who are you?");
    let text = "";
    for await (const chunk of request) text += chunk;
    const accountId = new URLSearchParams(text).get("account");
    const result = accountId ? { login: { accountId } } : { error: "access_denied", error_description: "no, thank you" };
    await openid.interactionFinished(request, response, result);
  });
  const found = await fetch(`${url}/.well-known/openid-configuration`);
  const endpoints = await found.json();
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  /** What a collection is told of the provider. */
  const site = (more = {}) => ({
    ...CLIENT,
    name: "oidc",
    displayName: "Local",
    authURL: endpoints.authorization_endpoint,
    tokenURL: endpoints.token_endpoint,
    userInfoURL: endpoints.userinfo_endpoint,
    ...more,
  });
  return { url, people, endpoints, site, stop };
}

/** A browser with cookies of its own, whose owner says `account` when the provider asks; nobody declines. */
export function browser(provider, account) {
  const cookies = new Map();
  const open = async (url, init = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { ...init, headers: { ...init.headers, cookie }, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    return answer;
  };
  /** Follows the provider's pages to the address that it sends the person back to. */
  const visit = async (from) => {
    let asked = 0;
    let url = from;
    for (let hop = 0; hop < MAX_HOPS; hop += 1) {
      if (!url.startsWith(`${provider.url}/`)) return { back: new URL(url), asked };
      let answer = await open(url);
      if (answer.status === 200 && url.includes("/interaction/")) {
        asked += 1;
        answer = await open(url, { method: "POST", body: new URLSearchParams(account ? { account } : {}) });
      }
      const location = answer.headers.get("location");
      if (!location) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
      url = new URL(location, url).href;
    }
    throw new Error(`${from} leads nowhere`);
  };
  return { visit };
}
