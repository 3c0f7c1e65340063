// Every route of accounts, asked well and badly.

const PASSWORD = "password123";
const users = "/api/collections/amembers";
const post = (where, body, more = {}) => ({ as: "guest", method: "POST", path: `${users}/${where}`, body, ...more });
const each = (where, bodies, more) => bodies.map((body) => post(where, body, more));
const long = "a".repeat(300);
const collection = (more) => ({ method: "PATCH", path: users, body: more, only: ["name"] });

const setup = [
  {
    method: "POST",
    path: "/api/collections",
    only: ["name", "authToken", "otp.duration", "otp.length", "mfa", "passwordAuth", "oauth2", "authRule", "manageRule"],
    body: {
      name: "amembers", type: "auth", listRule: "", viewRule: "", createRule: "", updateRule: "id = @request.auth.id",
      fields: [{ name: "nick", type: "text" }, { name: "role", type: "text" },
        { name: "friend", type: "relation", collectionId: "_pb_users_auth_", maxSelect: 1 }],
      indexes: ["CREATE UNIQUE INDEX idx_amembers_nick ON amembers (nick COLLATE NOCASE) WHERE nick != ''"],
      passwordAuth: { enabled: true, identityFields: ["email", "nick"] },
    },
  },
  {
    as: "guest", method: "POST", path: `${users}/records`,
    body: { email: "anna@x.co", nick: "Anna", password: PASSWORD, passwordConfirm: PASSWORD }, only: ["nick"],
  },
  {
    as: "guest", method: "POST", path: `${users}/records`,
    body: { email: "ben@x.co", nick: "ben", password: PASSWORD, passwordConfirm: PASSWORD }, only: ["nick"],
  },
];

const signIn = (save = "token", identity = "anna@x.co", password = PASSWORD) =>
  post("auth-with-password", { identity, password }, { save: { [save]: "token", account: "record.id" }, ignore: ["record.updated", "token"] });

const wrongCollections = ["nowhere", "_mfas"].flatMap((name) =>
  ["auth-with-password", "request-otp", "auth-with-otp", "request-verification", "confirm-verification",
    "request-password-reset", "confirm-password-reset", "confirm-email-change"].map((where) => (
    { as: "guest", method: "POST", path: `/api/collections/${name}/${where}`, body: {} })));

export const cases = [
  {
    name: "methods",
    steps: [
      ...setup,
      { as: "guest", path: `${users}/auth-methods` },
      { as: "guest", path: `${users}/auth-methods?fields=mfa,password.enabled` },
      { as: "guest", path: "/api/collections/nowhere/auth-methods" },
      { as: "guest", path: "/api/collections/_mfas/auth-methods" },
      { as: "guest", path: "/api/collections/_superusers/auth-methods" },
      ...wrongCollections,
    ],
  },
  {
    name: "passwords",
    steps: [
      signIn(), signIn("other", "anna"), signIn("other", "ANNA"),
      ...each("auth-with-password", [
        {}, { identity: "anna@x.co" }, { password: "x" }, { identity: "anna@x.co", password: "wrong" },
        { identity: "nobody@x.co", password: "wrong" }, { identity: "anna@x.co", password: PASSWORD, identityField: "role" },
        { identity: "anna@x.co", password: PASSWORD, identityField: "nick" },
        { identity: long, password: long }, { identity: 5, password: "x" }, [],
      ]),
      post("auth-with-password", { identity: "anna", password: PASSWORD, identityField: "nick" }, { only: ["record.nick"] }),
      post("auth-with-password?fields=record.nick", { identity: "anna", password: PASSWORD }),
      collection({ authRule: "role = 'x'" }),
      post("auth-with-password", { identity: "ben", password: PASSWORD }),
      collection({ authRule: null }),
      post("auth-with-password", { identity: "ben", password: PASSWORD }),
      collection({ authRule: "", passwordAuth: { enabled: false } }),
      post("auth-with-password", { identity: "ben", password: PASSWORD }),
      { as: "guest", path: `${users}/auth-methods` },
      post("request-password-reset", { email: "ben@x.co" }),
      collection({ passwordAuth: { enabled: true } }),
    ],
  },
  {
    name: "refresh",
    steps: [
      signIn(),
      { as: "token", method: "POST", path: `${users}/auth-refresh`, ignore: ["record.updated", "token"] },
      { as: "guest", method: "POST", path: `${users}/auth-refresh` },
      { as: "guest", method: "POST", path: `${users}/auth-refresh`, headers: { Authorization: "a.b.c" } },
      { as: "token", method: "POST", path: "/api/collections/users/auth-refresh" },
      { as: "admin", method: "POST", path: `${users}/auth-refresh` },
      { as: "token", method: "POST", path: "/api/collections/nowhere/auth-refresh" },
    ],
  },
  {
    name: "one-time passwords",
    steps: [
      ...each("request-otp", [{}, { email: "anna@x.co" }]),
      post("auth-with-otp", {}),
      collection({ otp: { enabled: true } }),
      ...each("request-otp", [{}, { email: "x" }, { email: `${long}@x.co` }, { email: 5 }]),
      post("request-otp", { email: "anna@x.co" }, { save: { otpId: "otpId" }, ignore: ["otpId"] }),
      post("request-otp", { email: "nobody@x.co" }, { ignore: ["otpId"] }),
      ...each("auth-with-otp", [
        {}, { otpId: "x" }, { otpId: "x", password: "y" }, { otpId: long, password: long }, { otpId: "{{otpId}}", password: "00000000x" },
      ]),
      { mailTo: "anna@x.co", find: /\b(\d{8})\b/, saveAs: "code" },
      post("auth-with-otp", { otpId: "{{otpId}}", password: "{{code}}" }, { ignore: ["record.updated", "token"] }),
      post("auth-with-otp", { otpId: "{{otpId}}", password: "{{code}}" }),
    ],
  },
  {
    name: "two methods",
    steps: [
      collection({ otp: { enabled: true }, mfa: { enabled: true } }),
      { as: "guest", path: `${users}/auth-methods` },
      post("auth-with-password", { identity: "ben", password: PASSWORD }, { save: { mfaId: "mfaId" }, ignore: ["mfaId"] }),
      post("auth-with-password", { identity: "ben", password: PASSWORD, mfaId: "{{mfaId}}" }),
      post("auth-with-password", { identity: "ben", password: PASSWORD, mfaId: "nope" }),
      post("request-otp", { email: "ben@x.co" }, { save: { otpId: "otpId" }, ignore: ["otpId"] }),
      { mailTo: "ben@x.co", find: /\b(\d{8})\b/, saveAs: "code" },
      post("auth-with-otp", { otpId: "{{otpId}}", password: "{{code}}", mfaId: "{{mfaId}}" }, { only: ["record.nick"] }),
      collection({ mfa: { enabled: false } }),
    ],
  },
  {
    name: "links",
    steps: [
      ...["request-verification", "request-password-reset"].flatMap((where) =>
        each(where, [{}, { email: "x" }, { email: "nobody@x.co" }, { email: 5 }, { email: `${long}@x.co` }])),
      ...each("confirm-verification", [{}, { token: "x" }, { token: 5 }]),
      ...each("confirm-password-reset", [
        {}, { token: "x", password: "a", passwordConfirm: "b" }, { token: "x", password: "password123", passwordConfirm: "password123" },
      ]),
      ...each("confirm-email-change", [{}, { token: "x" }, { token: "x", password: "y" }, { token: "x", password: long }]),
      post("request-password-reset", { email: "ben@x.co" }),
      { mailTo: "ben@x.co", skip: 1, find: /(eyJ[\w-]+\.[\w-]+\.[\w-]+)/, saveAs: "reset" },
      ...each("confirm-password-reset", [
        { token: "{{reset}}", password: "short", passwordConfirm: "short" },
        { token: "{{reset}}", password: "password124", passwordConfirm: "other" },
        { token: "{{reset}}", password: "password124", passwordConfirm: "password124" },
        { token: "{{reset}}", password: "password124", passwordConfirm: "password124" },
      ]),
      signIn("ben", "ben", "password124"),
      ...[{}, { newEmail: "x" }, { newEmail: "ben@x.co" }, { newEmail: "anna@x.co" }, { newEmail: "new@x.co" }].map((body) => (
        { as: "ben", method: "POST", path: `${users}/request-email-change`, body })),
      { as: "guest", method: "POST", path: `${users}/request-email-change`, body: { newEmail: "v@x.co" } },
      { as: "admin", method: "POST", path: `${users}/request-email-change`, body: { newEmail: "v@x.co" } },
      { mailTo: "new@x.co", find: /(eyJ[\w-]+\.[\w-]+\.[\w-]+)/, saveAs: "change" },
      ...each("confirm-email-change", [
        { token: "{{change}}", password: "wrong" }, { token: "{{reset}}", password: "wrong" },
        { token: "{{change}}", password: "password124" }, { token: "{{change}}", password: "password124" },
      ]),
      { as: "ben", method: "POST", path: `${users}/auth-refresh` },
      signIn("ben", "new@x.co", "password124"),
    ],
  },
  {
    name: "impersonation",
    steps: [
      signIn(),
      ...[undefined, {}, { duration: 100 }, { duration: 0 }].map((body) => (
        { method: "POST", path: `${users}/impersonate/{{account}}`, body, ignore: ["token", "record.updated"], save: { acting: "token" } })),
      { method: "POST", path: `${users}/impersonate/{{account}}`, body: { duration: -1 } },
      {
        method: "POST", path: `${users}/impersonate/{{account}}`, body: { duration: "x" },
        differs: { reason: "a duration that is no number is told as such, not as a missing account", status: 400 },
      },
      { method: "POST", path: `${users}/impersonate/nobody` },
      { method: "POST", path: "/api/collections/nowhere/impersonate/x" },
      { as: "guest", method: "POST", path: `${users}/impersonate/{{account}}` },
      { as: "token", method: "POST", path: `${users}/impersonate/{{account}}` },
      { as: "acting", method: "POST", path: `${users}/auth-refresh`, ignore: ["token", "record.updated"] },
    ],
  },
  {
    name: "options",
    steps: [
      ...[
        { manageRule: "" }, { authToken: { duration: 0 } }, { authToken: { duration: 5 } },
        { authToken: { duration: 94670857 } }, { authToken: { duration: "x" } }, { authToken: { secret: "abc" } },
        { fileToken: { duration: 1 }, verificationToken: { duration: 1 } }, { mfa: { enabled: true } },
        { mfa: { enabled: true, duration: 0 }, otp: { enabled: true } },
        { mfa: { enabled: true, duration: 100000 }, otp: { enabled: true, duration: 5, length: 2 } },
        { otp: { enabled: true, emailTemplate: { subject: "", body: "" } } }, { verificationTemplate: { subject: "" } },
        { authAlert: { enabled: false, emailTemplate: { body: "" } } }, { passwordAuth: { identityFields: [] } },
        { passwordAuth: { identityFields: ["nope"] } }, { passwordAuth: { identityFields: ["name"] }, fields: [{ name: "name", type: "text" }] },
        { oauth2: { enabled: true, providers: [{ name: "nope" }] } },
        { oauth2: { enabled: true, providers: [{ name: "google", clientId: "a", clientSecret: "b" }, { name: "google", clientId: "a", clientSecret: "b" }] } },
        { oauth2: { enabled: true, providers: [{ name: "oidc", clientId: "a", clientSecret: "b", authURL: "nourl" }] } }, { mfa: "x" },
      ].map((options) => ({ method: "POST", path: "/api/collections", body: { name: "aoptions", type: "auth", ...options } })),
      { method: "POST", path: "/api/collections", body: { name: "aoptions", type: "auth", authRule: "nope = 1" }, only: ["data.authRule.code"] },
      { method: "PATCH", path: "/api/collections/_superusers", body: { authRule: "id = '1'", manageRule: "id = '1'" } },
      { method: "PATCH", path: "/api/collections/_mfas", body: { listRule: "" } },
      ...["_mfas", "_otps", "_externalAuths", "_authOrigins", "_superusers", "users"].map((name) => (
        { path: `/api/collections/${name}`, only: ["id", "name", "type", "system", "fields", "indexes", "listRule", "viewRule", "createRule",
          "updateRule", "deleteRule", "authToken", "passwordAuth", "mfa", "oauth2"] })),
    ],
  },
];
