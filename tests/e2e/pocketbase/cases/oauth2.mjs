// Signing in with other sites, as far as no site is asked.

const site = (name, more = {}) => ({ name, clientId: "client", clientSecret: "a secret", ...more });
const provider = { authURL: "http://127.0.0.1:9/auth", tokenURL: "http://127.0.0.1:9/token", userInfoURL: "http://127.0.0.1:9/me" };
const configure = (providers, enabled = true) => ({
  method: "PATCH",
  path: "/api/collections/users",
  body: { oauth2: { enabled, providers, mappedFields: { name: "name" } } },
  only: ["oauth2"],
});
const signIn = (body, collection = "users") => ({
  as: "guest",
  method: "POST",
  path: `/api/collections/${collection}/auth-with-oauth2`,
  body,
});
const KEY = "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----";
const apple = (body, as = "admin") => ({ as, method: "POST", path: "/api/settings/apple/generate-client-secret", body });
const secret = { clientId: "a", teamId: "t".repeat(10), keyId: "k".repeat(10), privateKey: KEY, duration: 100 };

export const cases = [
  {
    name: "sign-ins with other sites are refused",
    steps: [
      configure([], false),
      signIn({}),
      signIn({}, "_superusers"),
      signIn({}, "nothing"),
      configure([site("oidc", provider)]),
      signIn({}),
      signIn({ provider: 5 }),
      signIn({ provider: "oidc" }),
      signIn({ provider: "google", code: "c", redirectURL: "http://127.0.0.1/" }),
      signIn({ provider: "nothing", code: "c", redirectURL: "http://127.0.0.1/" }),
      signIn({ provider: "oidc", code: "c", redirectURL: "http://127.0.0.1/" }),
    ],
  },
  {
    name: "sites are configured",
    steps: [
      configure([site("google"), site("google")]),
      configure([site("google", { clientId: "" })]),
      configure([site("nothing")]),
      configure([]),
      configure([site("oidc")]),
      { path: "/api/collections/meta/oauth2-providers", ignore: ["*.logo"] },
      { as: "guest", path: "/api/collections/meta/oauth2-providers" },
    ],
  },
  {
    name: "Apple's secrets are checked",
    steps: [
      apple({}, "guest"),
      apple({}),
      apple({ ...secret, clientId: "" }),
      apple({ ...secret, teamId: "t" }),
      apple({ ...secret, keyId: "k".repeat(11) }),
      apple({ ...secret, privateKey: "none" }),
      apple({ ...secret, duration: -1 }),
      apple({ ...secret, duration: 15_777_001 }),
      apple({ ...secret, duration: "x" }),
    ],
  },
];
