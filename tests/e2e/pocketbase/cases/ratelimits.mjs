// Rate limits by the rules in the settings: what rules match, whom they count, and the refusal.
//
// Windows are an hour unless a case is about their end, so no answer depends on how fast the requests
// come; and a little more for each rule, so that none goes on with what another has counted.

const HOUR = 3600;
let rules = 0;
const open = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };

function rule(label, maxRequests, more = {}) {
  rules += 1;
  return { label, maxRequests, duration: HOUR + rules, audience: "", ...more };
}
const limit = (rules, more = {}) => ({
  method: "PATCH",
  path: "/api/settings",
  body: { rateLimits: { enabled: true, excludedIPs: [], rules, ...more } },
  only: ["rateLimits"],
});
const unlimited = limit([], { enabled: false });
const collection = (name, type = "base") => ({
  method: "POST",
  path: "/api/collections",
  body: { name, type, ...open, ...(type === "base" ? { fields: [{ name: "title", type: "text" }, { name: "paper", type: "file" }] } : {}) },
  save: { [`${name}Id`]: "id" },
  only: ["name"],
});
const records = (name, id = "") => `/api/collections/${name}/records${id && `/${id}`}`;
const guest = (method, path, more = {}) => ({ as: "guest", method, path, ignore: ["collectionId", "items.*.collectionId"], ...more });
const get = (path, more) => guest("GET", path, more);
const create = (name, more) => guest("POST", records(name), { body: { title: "x" }, ...more });
const times = (count, step) => Array(count).fill(step);

const refused = (step) => ({ ...step, status: 429, compareHeaders: ["content-type"] });
/** The same, with when to come back. */
const refusedFor = (seconds, step) => ({
  ...step,
  status: 429,
  compareHeaders: ["retry-after"],
  differs: {
    reason: "whoever comes too often is told when to come back (`Retry-After`)",
    headers: { "retry-after": seconds },
    body: { status: 429, message: "Too Many Requests." },
  },
});

const together = {
  reason: "the requests that a rule is for are counted together, not those of every route for themselves",
  status: 429,
};
const AN_HOUR = /^3[56]\d\d$/;
const A_MOMENT = /^[123]$/;
const PASSWORD = "a good password";
const account = (name, key) => [
  { method: "POST", path: records(name), body: { email: `${key}@example.com`, password: PASSWORD, passwordConfirm: PASSWORD }, only: ["collectionName"] },
  { ...signIn(name, key), save: { [key]: "token" }, only: ["record.collectionName"] },
];
function signIn(name, key, password = PASSWORD) {
  return guest("POST", `/api/collections/${name}/auth-with-password`, { body: { identity: `${key}@example.com`, password }, only: ["record.email", "message"] });
}
const by = (key, step) => ({ ...step, as: key });
const upload = (name) => guest("POST", records(name), {
  form: () => {
    const form = new FormData();
    form.append("paper", new File(["hello"], "paper.txt"));
    return form;
  },
  save: { record: "id", file: "paper" },
  only: ["collectionName"],
});
const batch = (more, ...requests) => ({ as: "guest", method: "POST", path: "/api/batch", body: { requests }, only: ["status", "message", "data"], ...more });
const add = (name) => ({ method: "POST", url: records(name), body: { title: "x" } });

export const cases = [
  {
    name: "rules hold once they are enabled",
    steps: [
      limit([rule("/api/health", 1)], { enabled: false }),
      ...times(3, get("/api/health")),
      limit([rule("/api/health", 2)]),
      ...times(2, get("/api/health", { status: 200 })),
      refusedFor(AN_HOUR, get("/api/health")),
      refused(get("/api/health?page=1")),
      refused(get("/api/health", { headers: { "X-Forwarded-For": "203.0.113.5", "X-Real-IP": "203.0.113.5", Forwarded: "for=203.0.113.5" } })),
      refused(get("/api/health", { headers: { Authorization: "Bearer nonsense" } })),
      { ...refused(get("/api/health", { headers: { Origin: "http://elsewhere.example" } })), compareHeaders: ["access-control-allow-origin"] },
      { ...guest("HEAD", "/api/health"), status: 429 },
      { path: "/api/health", only: ["code"], status: 200 },
      get("/api/collections/users/auth-methods", { only: ["password"], status: 200 }),
      unlimited,
      ...times(2, get("/api/health", { status: 200 })),
    ],
  },
  {
    name: "a window ends so long after the last request that was let through",
    steps: [
      collection("windows"),
      limit([rule("windows:list", 2, { duration: 3 })]),
      ...times(2, get(records("windows"), { status: 200 })),
      refusedFor(A_MOMENT, get(records("windows"))),
      get(records("windows"), { until: 200 }),
      get(records("windows"), { status: 200 }),
      refused(get(records("windows"))),
    ],
  },
  {
    name: "a rule that allows more begins anew",
    steps: [
      collection("anew"),
      limit([rule("anew:list", 1, { duration: HOUR })]),
      get(records("anew"), { status: 200 }),
      refused(get(records("anew"))),
      limit([rule("anew:list", 3, { duration: HOUR })]),
      ...times(3, get(records("anew"), { status: 200 })),
      refused(get(records("anew"))),
    ],
  },
  {
    name: "labels of paths",
    steps: [
      collection("paths"),
      limit([rule(`POST ${records("paths")}`, 1)]),
      create("paths", { status: 200 }),
      refused(create("paths")),
      ...times(2, get(records("paths"), { status: 200 })),
      limit([rule(records("paths"), 2)]),
      get(records("paths"), { status: 200 }),
      get(records("paths"), { status: 200 }),
      refused(get(records("paths"))),
      get(`${records("paths")}/`, { only: ["status"] }),
      get(records("PATHS"), { only: ["status"] }),
      get(records("{{pathsId}}"), { status: 200 }),
      limit([rule("/api/nothing/", 1)]),
      get("/api/nothing/here", { status: 404, only: ["status"] }),
      refused(get("/api/nothing/there")),
      refused(get("/api/nothing")),
      get("/api/nothings", { status: 404, only: ["status"] }),
    ],
  },
  {
    name: "labels of what is done with records",
    steps: [
      collection("done"),
      collection("undone"),
      { ...upload("done"), status: 200 },
      limit([rule("done:create", 1), rule("done:view", 1), rule("done:update", 1), rule("done:list", 1), rule("done:file", 1), rule("done:delete", 1)]),
      create("done", { status: 200 }),
      refused(create("done")),
      get(records("done", "{{record}}"), { status: 200 }),
      refused(get(records("done", "{{record}}"))),
      guest("PATCH", records("done", "{{record}}"), { body: { title: "y" }, status: 200 }),
      refused(guest("PATCH", records("done", "{{record}}"), { body: { title: "y" } })),
      get(records("done"), { only: ["totalItems"], status: 200 }),
      refused(get(records("done"))),
      get("/api/files/done/{{record}}/{{file}}", { status: 200 }),
      refused(get("/api/files/done/{{record}}/{{file}}")),
      guest("DELETE", records("done", "{{record}}"), { status: 204 }),
      refused(guest("DELETE", records("done", "{{record}}"))),
      refused(guest("POST", records("{{doneId}}"), { body: {} })),
      ...times(2, create("undone", { status: 200 })),
      ...times(2, { method: "POST", path: records("done"), body: {}, ignore: ["collectionId"], status: 200 }),
    ],
  },
  {
    name: "labels of what is done with any collection's records",
    steps: [
      collection("any_a"),
      collection("any_b"),
      limit([rule("*:create", 1), rule("any_b:create", 2)]),
      create("any_a", { status: 200 }),
      refused(create("any_a")),
      ...times(2, create("any_b", { status: 200 })),
      refused(create("any_b")),
      guest("POST", records("nowhere"), { body: {}, status: 404 }),
      guest("POST", records("nowhere"), { body: {}, status: 404 }),
    ],
  },
  {
    name: "each collection of a label for all is counted for itself",
    steps: [
      collection("each_a"),
      collection("each_b"),
      limit([rule("*:list", 1)]),
      get(records("each_a"), { status: 200 }),
      refused(get(records("each_a"))),
      get(records("each_b"), { status: 200 }),
      refused(get(records("each_b"))),
    ],
  },
  {
    name: "the most specific rule holds",
    steps: [
      collection("specific"),
      limit([rule("/api/", 100), rule("GET /api/", 100), rule(records("specific"), 3), rule(`GET ${records("specific")}`, 2), rule("*:list", 1)]),
      get(records("specific"), { status: 200 }),
      refused(get(records("specific"))),
      ...times(3, create("specific", { status: 200 })),
      refused(create("specific")),
    ],
  },
  {
    name: "signing in",
    steps: [
      collection("guarded", "auth"),
      ...account("guarded", "gus"),
      limit([rule("guarded:auth", 3)]),
      ...times(2, { ...signIn("guarded", "gus", "a wrong guess"), status: 400 }),
      { ...signIn("guarded", "nobody"), status: 400 },
      refused(signIn("guarded", "gus")),
      get("/api/collections/guarded/auth-methods", { status: 200, only: ["password.enabled"] }),
      limit([rule("guarded:authWithPassword", 1), rule("guarded:auth", 5)]),
      { ...signIn("guarded", "gus"), status: 200 },
      refused(signIn("guarded", "gus")),
      limit([rule("*:auth", 1), rule("*:requestOTP", 1), rule("*:requestPasswordReset", 1), rule("*:authRefresh", 1), rule("*:listAuthMethods", 1)]),
      { ...signIn("guarded", "gus"), status: 200 },
      refused(signIn("guarded", "gus")),
      ...["request-password-reset", "request-verification"].map((path) => guest("POST", `/api/collections/guarded/${path}`, { body: { email: "nobody@example.com" }, status: 204 })),
      refused(guest("POST", "/api/collections/guarded/request-password-reset", { body: { email: "gus@example.com" } })),
      guest("POST", "/api/collections/guarded/request-verification", { body: { email: "nobody@example.com" }, status: 204 }),
      by("gus", { method: "POST", path: "/api/collections/guarded/auth-refresh", only: ["record.email"], status: 200 }),
      refused(by("gus", { method: "POST", path: "/api/collections/guarded/auth-refresh" })),
      get("/api/collections/guarded/auth-methods", { status: 200, only: ["password.enabled"] }),
      refused(get("/api/collections/guarded/auth-methods")),
    ],
  },
  {
    name: "new accounts",
    steps: [
      limit([rule("users:create", 1)]),
      { ...create("users", { body: {} }), status: 400 },
      refused(create("users", { body: { email: "late@example.com", password: PASSWORD, passwordConfirm: PASSWORD } })),
    ],
  },
  {
    name: "guests, members and administrators",
    steps: [
      collection("audience"),
      collection("members", "auth"),
      ...account("members", "mia"),
      limit([rule("audience:list", 1, { audience: "@guest" })]),
      get(records("audience"), { status: 200 }),
      refused(get(records("audience"))),
      ...times(3, by("mia", get(records("audience"), { status: 200 }))),
      ...times(3, { path: records("audience"), status: 200, only: ["totalItems"] }),
      limit([rule("audience:list", 1, { audience: "@auth" })]),
      ...times(3, get(records("audience"), { status: 200 })),
      by("mia", get(records("audience"), { status: 200 })),
      refused(by("mia", get(records("audience")))),
      ...times(2, { path: records("audience"), status: 200, only: ["totalItems"] }),
      limit([rule("audience:list", 2, { audience: "@auth" }), rule("audience:list", 1, { audience: "@guest" })]),
      get(records("audience"), { status: 200 }),
      refused(get(records("audience"))),
      ...times(2, by("mia", get(records("audience"), { status: 200 }))),
      refused(by("mia", get(records("audience")))),
      limit([rule("/api/", 1, { audience: "@guest" }), rule(records("audience"), 3, { audience: "@auth" })]),
      get(records("audience"), { status: 200 }),
      refused(get(records("audience"))),
      ...times(3, by("mia", get(records("audience"), { status: 200 }))),
      refused(by("mia", get(records("audience")))),
    ],
  },
  {
    name: "addresses that are not counted",
    steps: [
      collection("excluded"),
      limit([rule("excluded:list", 1)], { excludedIPs: ["127.0.0.1"] }),
      ...times(3, get(records("excluded"), { status: 200 })),
      limit([rule("excluded:list", 1)], { excludedIPs: ["203.0.113.5", "10.0.0.0/8"] }),
      get(records("excluded"), { status: 200 }),
      refused(get(records("excluded"))),
      limit([rule("excluded:list", 2)], { excludedIPs: ["127.0.0.0/8"] }),
      ...times(3, get(records("excluded"), { status: 200 })),
    ],
  },
  {
    name: "batches",
    steps: [
      collection("batched"),
      collection("batched_too"),
      limit([rule("POST /api/batch", 1)]),
      batch({ status: 200 }, add("batched")),
      refused(batch({}, add("batched"))),
      limit([rule("batched:create", 2)]),
      batch({ status: 400 }, add("batched_too"), add("batched"), add("batched"), add("batched")),
      get(records("batched_too"), { status: 200, only: ["totalItems"] }),
      batch({ status: 400 }, add("batched")),
      create("batched", {
        differs: { reason: "what a batch creates, changes and deletes counts with what is asked for alone", status: 429 },
      }),
      limit([rule("*:create", 2)]),
      batch({ status: 200 }, add("batched"), add("batched_too"), add("batched"), add("batched_too")),
      batch({ status: 400 }, add("batched_too")),
      limit([rule(records("batched"), 2)]),
      batch({ status: 400 }, add("batched_too"), add("batched"), add("batched"), add("batched")),
    ],
  },
  {
    name: "what one rule counts together",
    steps: [
      collection("shared_a"),
      collection("shared_b"),
      limit([rule("/api/", 2)]),
      ...times(2, get(records("shared_a"), { status: 200 })),
      refused(get(records("shared_a"))),
      get(records("shared_b"), { differs: together }),
      create("shared_a", { differs: together }),
      get("/api/health", { differs: together }),
      limit([rule("shared_a:auth", 5), rule("*:auth", 2)]),
      ...["otp", "oauth2"].map((way) => guest("POST", `/api/collections/users/auth-with-${way}`, { body: {}, status: 403 })),
      guest("POST", "/api/collections/users/auth-with-password", { body: {}, differs: together }),
      limit([rule("/api/collections/", 1)]),
      get(records("nowhere"), { status: 404 }),
      get(records("nowhere"), {
        differs: { reason: "whoever asks for what there is not is counted, too", status: 429 },
      }),
    ],
  },
  {
    name: "the longest of the rules that end with a slash holds",
    steps: [
      collection("longest"),
      limit([rule("/api/collections/", 2), rule("/api/", 1)]),
      ...times(2, get(records("longest"), { status: 200 })),
      refused(get(records("longest"))),
      limit([rule("/api/", 1), rule("GET /api/", 2)]),
      ...times(2, get(records("longest"), { status: 200 })),
      refused(get(records("longest"))),
      limit([rule("/api/", 1), rule("/api/collections/", 2)]),
      get(records("longest"), { status: 200 }),
      get(records("longest"), {
        differs: { reason: "of rules that end with a slash the longest holds, in whatever order they are", status: 200 },
      }),
      refused(get(records("longest"))),
    ],
  },
  {
    name: "everything else that can be asked for",
    steps: [
      limit([rule("/api/files/", 1), rule("POST /api/realtime", 1), rule("/api/oauth2-redirect", 1), rule("POST /api/files/token", 1)]),
      ...[
        get("/api/files/users/nobody/nothing.txt"),
        guest("POST", "/api/realtime", { body: { clientId: "nobody" } }),
        get("/api/oauth2-redirect", { only: ["status"] }),
        guest("POST", "/api/files/token"),
      ].flatMap((step) => [step, refused(step)]),
      ...["authWithOTP auth-with-otp", "authWithOAuth2 auth-with-oauth2", "requestOTP request-otp", "requestVerification request-verification", "confirmVerification confirm-verification",
        "confirmPasswordReset confirm-password-reset", "requestEmailChange request-email-change", "confirmEmailChange confirm-email-change"].flatMap((given) => {
        const [tag, path] = given.split(" ");
        const step = guest("POST", `/api/collections/users/${path}`, { body: {} });
        return [limit([rule(`users:${tag}`, 1)]), step, refused(step)];
      }),
    ],
  },
];
