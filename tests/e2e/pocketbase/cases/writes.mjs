// Creating, changing and deleting records: modifiers, ids, unique values, rules, accounts, cascades.

const rules = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };
const collection = (name, fields, more = {}) => ({
  method: "POST",
  path: "/api/collections",
  body: { name, type: "base", fields, ...rules, ...more },
  save: { [name]: "id" },
  only: ["name"],
});
const create = (name, body, more = {}) => ({ method: "POST", path: `/api/collections/${name}/records`, body, ignore: ["collectionId"], ...more });
const change = (name, id, body, more = {}) => ({ method: "PATCH", path: `/api/collections/${name}/records/${id}`, body, ignore: ["collectionId"], ...more });
const remove = (name, id, more = {}) => ({ method: "DELETE", path: `/api/collections/${name}/records/${id}`, ...more });
const view = (name, id, more = {}) => ({ path: `/api/collections/${name}/records/${id}`, ignore: ["collectionId"], ...more });
const id = (letter) => letter.repeat(15);

const start = { n: 10, m: ["a", "b"], s: "a", t: "zzz", rs: [id("a"), id("b")], r: id("a") };
const changes = [
  { "n+": 5 }, { "n-": 5 }, { "+n": 5 }, { "n+": "x" }, { "n+": "5" }, { n: 1, "n+": 5 }, { "n+": 5, n: 1 }, { "n+": 5, "n-": 2 }, { "n+": null },
  { "n+": [5] }, { "-n": 5 }, { "m+": "c" }, { "m+": ["c", "1"] }, { "m+": "a" }, { "+m": "c" }, { "+m": "b" }, { "m-": "a" }, { "m-": ["a", "b"] },
  { "m-": "z" }, { "m+": "z" }, { m: ["c"], "m+": "a" }, { "m+": "c", "m-": "a" }, { "m-": null }, { m: [] }, { "-m": "a" }, { "m++": "c" },
  { "s+": "b" }, { "+s": "b" }, { "s-": "a" }, { "s-": "b" }, { "s+": "" }, { "rs+": id("c") }, { "rs+": [id("c"), id("d")] }, { "+rs": id("c") },
  { "rs-": id("a") }, { "rs-": [id("a"), id("b")] }, { "rs+": "zz" }, { "rs-": "zz" }, { "r+": id("b") }, { "+r": id("b") }, { "r-": id("a") },
  { "t:autogenerate": "" }, { "t:autogenerate": "x-" }, { "t:autogenerate": 5 }, { "t+": "x" }, { "t:isset": 1 }, { t: null }, { e: "a", "e+": "x" },
  { nope: 1, "": 2 }, { id: id("z") }, { id: "" }, { id: null }, {},
];

const modifiers = {
  name: "modifiers",
  steps: [
    collection("mod_to", []),
    ...["a", "b", "c", "d"].map((letter) => create("mod_to", { id: id(letter) })),
    collection("modified", [
      { name: "n", type: "number" },
      { name: "m", type: "select", values: ["a", "b", "c", "1"], maxSelect: 3 },
      { name: "s", type: "select", values: ["a", "b"], maxSelect: 1 },
      { name: "t", type: "text", autogeneratePattern: "q{3}" },
      { name: "e", type: "editor" },
      { name: "r", type: "relation", collectionId: "{{mod_to}}", maxSelect: 1 },
      { name: "rs", type: "relation", collectionId: "{{mod_to}}", maxSelect: 3 },
    ]),
    ...changes.flatMap((body, number) => {
      const one = `record${String(number).padStart(9, "0")}`;
      return [create("modified", { id: one, ...start }), change("modified", one, body)];
    }),
    ...[{ "n+": 5 }, { "n-": 5 }, { "m+": ["a"] }, { "m-": "a" }, { "s+": "a" }, { "rs+": id("a") }, { "t:autogenerate": "pre" }, { "id:autogenerate": "pre" }].map(
      (body) => create("modified", body),
    ),
  ],
};

const keys = {
  name: "ids and unique values",
  steps: [
    collection("uq", [{ name: "a", type: "text" }, { name: "b", type: "text" }, { name: "n", type: "number" }], {
      indexes: ["CREATE UNIQUE INDEX `i1` ON `uq` (`a`)", "CREATE UNIQUE INDEX `i2` ON `uq` (`b`,`n`)"],
    }),
    ...["", "short", "abcdefghijklmno", "ABCDEFGHIJKLMNO", "abcdefghijklmn!", "abcdefghijklmnop", 5, 123456789012345, true, "../../etc/passw"].map((one, number) =>
      create("uq", { id: one, a: `a${number}`, b: `b${number}` }),
    ),
    create("uq", { a: "x", b: "1" }),
    create("uq", { a: "x", b: "2" }),
    create("uq", { a: "y", b: "1" }),
    create("uq", { id: "abcdefghijklmno", a: "p", b: "p" }),
    change("uq", "abcdefghijklmno", { id: "abcdefghijklmnx" }),
    change("uq", "abcdefghijklmno", { id: "abcdefghijklmno" }),
    change("uq", "abcdefghijklmno", { a: "x" }),
    change("uq", "nobody", { a: "x" }),
  ],
};

const ruled = {
  name: "rules decide about writes",
  steps: [
    collection(
      "rul",
      [
        { name: "t", type: "text", required: true, min: 3 },
        { name: "n", type: "number" },
        { name: "h", type: "text", hidden: true },
      ],
      { createRule: "t='abc' && @request.body.n:isset=true", updateRule: "t='abc' && @request.body.n!=7", deleteRule: "t='zzz'", viewRule: "t='abc'" },
    ),
    create("rul", {}, { as: "guest" }),
    create("rul", { t: "x", n: 1 }, { as: "guest" }),
    create("rul", { t: "abc" }, { as: "guest" }),
    create("rul", { id: id("r"), t: "abc", n: 1, h: "H" }, { as: "guest" }),
    view("rul", id("r")),
    change("rul", id("r"), { n: 7 }, { as: "guest" }),
    change("rul", id("r"), { n: 8, h: "H2" }, { as: "guest" }),
    view("rul", id("r")),
    change("rul", id("r"), { t: "x" }, { as: "guest" }),
    change("rul", id("r"), { t: "abcd" }, { as: "guest" }),
    change("rul", id("r"), { t: "abc" }, { as: "guest" }),
    remove("rul", id("r"), { as: "guest" }),
    change("rul", "zz", { t: "x" }, { as: "guest" }),
    collection("nodel", [{ name: "t", type: "text" }], { listRule: null, viewRule: null, createRule: null, updateRule: null, deleteRule: null }),
    create("nodel", { id: id("n") }),
    ...[remove("nodel", id("n")), change("nodel", id("n"), {}), create("nodel", {}), view("nodel", id("n")), remove("nodel", "zz")].map((step) => ({
      ...step,
      as: "guest",
    })),
    remove("nodel", id("n")),
    remove("nodel", id("n")),
    remove("nothing", id("n")),
    create("nothing", {}),
    change("nothing", "x", {}),
    { method: "PUT", path: "/api/collections/rul/records", body: {} },
    { method: "POST", path: "/api/collections/rul/records/x", body: {} },
  ],
};

const cascades = {
  name: "deleting a record settles what points at it",
  steps: [
    collection("par", []),
    ...[
      ["k_req", { maxSelect: 1, required: true }],
      ["k_casc", { maxSelect: 1, required: true, cascadeDelete: true }],
      ["k_opt", { maxSelect: 1 }],
      ["k_multi", { maxSelect: 3 }],
      ["k_mreq", { maxSelect: 3, required: true }],
      ["k_mcasc", { maxSelect: 3, cascadeDelete: true }],
    ].map(([name, options]) => collection(name, [{ name: "r", type: "relation", collectionId: "{{par}}", ...options }])),
    collection("k_deep", [{ name: "r", type: "relation", collectionId: "{{k_casc}}", maxSelect: 1, cascadeDelete: true }]),
    create("par", { id: id("a") }),
    create("par", { id: id("b") }),
    create("k_req", { id: id("1"), r: id("a") }),
    remove("par", id("a")),
    remove("k_req", id("1")),
    create("k_casc", { id: id("1"), r: id("a") }),
    create("k_deep", { id: id("1"), r: id("1") }),
    create("k_opt", { id: id("1"), r: id("a") }),
    create("k_multi", { id: id("1"), r: [id("a"), id("b")] }),
    create("k_mreq", { id: id("1"), r: [id("a"), id("b")] }),
    create("k_mcasc", { id: id("1"), r: [id("a"), id("b")] }),
    create("k_mcasc", { id: id("2"), r: [id("a")] }),
    remove("par", id("a")),
    ...["k_casc", "k_deep", "k_opt", "k_multi", "k_mreq", "k_mcasc"].map((name) => view(name, id("1"))),
    view("k_mcasc", id("2")),
    remove("par", id("b")),
    view("k_mreq", id("1")),
    view("k_multi", id("1")),
  ],
};

const good = { password: "12345678", passwordConfirm: "12345678" };
const forms = [
  {}, { email: "x" }, { password: "short", passwordConfirm: "short" }, { password: "12345678", passwordConfirm: "1234567" }, good,
  { ...good, email: "bad", verified: true, emailVisibility: true }, { ...good, email: "v{{n}}@b.co", verified: true },
  { ...good, email: "t{{n}}@b.co", tokenKey: "y" }, { ...good, email: "w{{n}}@b.co", tokenKey: "z{{n}}".repeat(20) },
  { password: 12345678, passwordConfirm: "12345678", email: "n{{n}}@b.co" }, { ...good, email: "w{{n}}@b.co" },
];
const updates = [
  { email: "new@b.co" }, { email: "own@b.co" }, { email: "" }, { email: null }, { verified: true }, { verified: false }, { verified: "false" },
  { password: "87654321" }, { passwordConfirm: "87654321" }, { oldPassword: "12345678" }, { password: "87654321", passwordConfirm: "87654321" },
  { password: "87654321", passwordConfirm: "87654321", oldPassword: "bad" }, { password: "8", passwordConfirm: "8", oldPassword: "12345678" },
  { password: "", passwordConfirm: "" }, { tokenKey: "q".repeat(40) }, { tokenKey: "" }, { name: "N", emailVisibility: true },
];

const accounts = {
  name: "accounts",
  steps: [
    collection("acc", [{ name: "name", type: "text" }], { type: "auth", updateRule: "@request.auth.id = id" }),
    ...["admin", "guest"].flatMap((as, number) => forms.map((body) => create("acc", JSON.parse(JSON.stringify(body).replaceAll("{{n}}", number)), { as }))),
    create("acc", { id: id("o"), ...good, email: "own@b.co" }),
    {
      method: "POST",
      path: "/api/collections/acc/auth-with-password",
      body: { identity: "own@b.co", password: "12345678" },
      as: "guest",
      save: { own: "token" },
      only: ["record.id"],
    },
    ...updates.map((body) => change("acc", id("o"), body, { as: "own" })),
    ...updates.map((body) => change("acc", id("o"), body, { as: "guest" })),
    ...updates.filter((body) => body.email !== "new@b.co").map((body) => change("acc", id("o"), body)),
    remove("acc", id("o")),
  ],
};

const managed = {
  name: "accounts that others manage",
  steps: [
    collection("mg", [{ name: "t", type: "text" }], { type: "auth", manageRule: "@request.auth.id != '' && t='m'" }),
    create("mg", { id: id("m"), ...good, email: "m@b.co", t: "m" }, { as: "guest" }),
    create("mg", { id: id("n"), ...good, email: "n@b.co", t: "n" }, { as: "guest" }),
    {
      method: "POST",
      path: "/api/collections/mg/auth-with-password",
      body: { identity: "n@b.co", password: "12345678" },
      as: "guest",
      save: { other: "token" },
      only: ["record.id"],
    },
    ...[{ email: "x@b.co" }, { verified: true }, { password: "123456789", passwordConfirm: "123456789" }, { emailVisibility: true }].flatMap((body) => [
      change("mg", id("n"), body, { as: "other" }),
      change("mg", id("m"), body.email ? { email: "y@b.co" } : body, { as: "other" }),
    ]),
    create("mg", { ...good, email: "c1@b.co", verified: true, t: "m" }, { as: "other" }),
    create("mg", { ...good, email: "c2@b.co", verified: true, t: "x" }, { as: "other" }),
    create("mg", { ...good, email: "c3@b.co", verified: true, t: "m" }, { as: "guest" }),
  ],
};

export const cases = [modifiers, keys, ruled, cascades, accounts, managed];
