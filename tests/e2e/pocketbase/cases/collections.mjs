// Definitions of collections: created, changed, imported, removed; fields, indexes, rules and views.

const P = "/api/collections";
const words = ["data.indexes.*.message", "data.fields.*.pattern.message", "data.fields.*.autogeneratePattern.message", "data.viewQuery.message"];
const reasons = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule", "authRule", "manageRule"].map((rule) => `data.${rule}.message`);
// The texts of mails are each product's own.
const mails = ["authAlert.emailTemplate", "otp.emailTemplate", "verificationTemplate", "resetPasswordTemplate", "confirmEmailChangeTemplate"];
const ignore = [...words, ...reasons, ...mails, "created", "updated"];
const create = (body, more = {}) => ({ method: "POST", path: P, body, ignore, ...more });
const change = (name, body, more = {}) => ({ method: "PATCH", path: `${P}/${name}`, body, ignore, ...more });
const view = (name, more = {}) => ({ path: `${P}/${name}`, ignore, ...more });
const remove = (name, more = {}) => ({ method: "DELETE", path: `${P}/${name}`, ...more });
const bring = (collections, more = {}) => ({ method: "PUT", path: `${P}/import`, body: { collections, ...more.body }, ignore: ["data.collections.message", "data.indexes.*.message"], ...more, ...(more.body ? { body: { collections, ...more.body } } : {}) });
const record = (name, body) => ({ method: "POST", path: `${P}/${name}/records`, body, ignore: ["collectionId"] });
const records = (name, fields) => ({ path: `${P}/${name}/records?fields=${fields}&sort=id` });
const id = (letter) => letter.repeat(15);
const users = "_pb_users_auth_";

const wrongBodies = [
  {}, { name: "" }, { name: 5 }, { name: null, type: null }, { name: "a b" }, { name: "a-b" }, { name: "ünï" }, { name: "x".repeat(256) },
  { name: "users" }, { name: "USERS" }, { name: "a_via_b" }, { name: "pbc_3142635823" }, { name: "t", type: "zz" }, { name: "t", id: "abc def" },
  { name: "t", id: users }, { name: "t", id: "a".repeat(101) }, { name: "t", fields: 5 }, { name: "t", fields: [5] }, { name: "t", indexes: 5 },
  { name: "t", listRule: 5 }, { name: "t", type: "auth", passwordAuth: 5 }, { name: "t", viewQuery: 5 }, { name: "t", indexes: [null] },
];

const T = (type, options = {}) => [{ name: "f", type, ...options }];
const big = 2 ** 53;
const fieldLists = [
  ...["text", "editor", "number", "bool", "email", "url", "date", "autodate", "select", "file", "relation", "json", "geoPoint", "password", "zzz", ""].map((type) => T(type)),
  [{ name: "f" }], [{ type: "text" }], [{ name: "", type: "text" }], [{ name: "1 x", type: "text" }], [{ name: "1x", type: "text" }],
  ...["expand", "collectionId", "collectionName", "_rowid_", "null", "true", "false", "a_via_b", "_x", "__x", "a-b", "ü", "NULL", "passwordConfirm", "tokenKey", "created", "x".repeat(101)].map((name) => [{ name, type: "text" }]),
  [{ name: "id", type: "text" }], [{ name: "ID", type: "text" }], [{ name: "id", type: "number" }], [{ name: "id", type: "text", pattern: "^\\d+$", min: 3, max: 100, hidden: true, required: false }],
  [{ name: "x", type: "text", id: "text3208210256" }], [{ name: "a", type: "text" }, { name: "a", type: "text" }], [{ name: "a", type: "text" }, { name: "A", type: "text" }],
  [{ name: "a", type: "text", id: "x" }, { name: "b", type: "text", id: "x" }], [{ name: "a", type: "text", id: "x".repeat(101) }], [{ name: "a", type: "text", id: "a b ~" }],
  ...[{ min: -1 }, { max: -1 }, { min: 5, max: 2 }, { min: 2, max: 2 }, { min: 1.5 }, { min: "5" }, { min: null }, { min: big }, { pattern: "(" }, { pattern: "[a-z]+" },
    { autogeneratePattern: "(" }, { autogeneratePattern: "[a-z]{5}" }, { autogeneratePattern: "[a-z]{5}", min: 10 }, { autogeneratePattern: "[a-z]{5}", pattern: "^[0-9]+$" },
    { primaryKey: true }, { primaryKey: true, required: true }, { system: true }, { presentable: true, hidden: true }, { help: "x".repeat(300) }, { help: "x".repeat(301) }, { required: "yes" }, { unknown: 1 }].map((options) => T("text", options)),
  ...[{ maxSize: -1 }, { maxSize: big }, { maxSize: 5.5 }].flatMap((options) => [T("editor", options), T("json", options)]),
  ...[{ min: 5, max: 2 }, { min: 5, max: 5 }, { min: "a" }, { onlyInt: true, min: 1.5 }, { onlyInt: true, max: 1.5 }, { min: 0 }].map((options) => T("number", options)),
  ...[{ onlyDomains: ["a.com"], exceptDomains: ["b.com"] }, { onlyDomains: ["a.com"] }, { onlyDomains: ["invalid domain"] }, { exceptDomains: ["@x.com"] }, { exceptDomains: ["", ""] }, { onlyDomains: null }, { onlyDomains: "x.com" }].flatMap((options) => [T("email", options), T("url", options)]),
  ...[{ min: "x" }, { min: "2024-01-01" }, { min: "2024-01-02", max: "2024-01-01" }, { min: 5 }, { min: null }].map((options) => T("date", options)),
  ...[{ onCreate: true }, { onUpdate: true }, { onCreate: true, onUpdate: true, required: true }].map((options) => T("autodate", options)),
  ...[{ values: ["a"] }, { values: ["a", "a"] }, { values: ["a", ""] }, { values: ["a"], maxSelect: 2 }, { values: ["a", "b"], maxSelect: -1 }, { values: [5] }, { values: "a" }, { values: [] }, { values: ["a", "b"], maxSelect: 2 }].map((options) => T("select", options)),
  ...[{ maxSelect: -1 }, { maxSize: -1 }, { maxSize: big }, { thumbs: ["100x100"] }, { thumbs: ["100x100t", "0x50", "50x0", "0x0", "10x10z"] }, { mimeTypes: ["x"] }, { mimeTypes: null, thumbs: null }, { protected: true, maxSelect: 99, required: true }].map((options) => T("file", options)),
  ...[{ collectionId: "x" }, { collectionId: users }, { collectionId: "users" }, { collectionId: 5 }, { collectionId: users, minSelect: 2 }, { collectionId: users, maxSelect: 1, minSelect: 2 }, { collectionId: users, minSelect: -1 }, { collectionId: users, maxSelect: -1 }, { collectionId: users, maxSelect: 5, minSelect: 5, cascadeDelete: true }].map((options) => T("relation", options)),
  ...[{ min: -1 }, { min: 72 }, { max: 72 }, { max: 71 }, { min: 5, max: 3 }, { cost: 3 }, { cost: 4 }, { cost: 32 }, { pattern: "(" }].map((options) => T("password", options)),
];

const indexed = [{ name: "a", type: "text" }, { name: "b", type: "number" }];
const indexLists = [
  ["x"], [""], ["DROP TABLE users"], ["CREATE INDEX $1 ON $ (a)"], ["create unique index if not exists `$1` on `$` (`a` collate nocase desc, b asc) where a != '' and b > 5"],
  ["CREATE INDEX $1 ON other (a)"], ["CREATE INDEX $1 ON other (a, b) where a != ''"], ["CREATE INDEX $1 ON $ (lower(a))"], ["CREATE INDEX $1 ON $ (nope)"], ["CREATE INDEX $1 ON $ (a)", "CREATE INDEX $1 ON $ (b)"],
  ["CREATE INDEX $1 ON $ (a)", "CREATE INDEX $2 ON $ (a)"], ["CREATE INDEX ON $ (a)"], ["CREATE INDEX $1 ON $ ()"], ["CREATE INDEX sqlite_i ON $ (a)"], ["CREATE INDEX $1 ON $ (a); DROP TABLE users"],
  ["CREATE INDEX `i 9` ON $ (a)"], ["CREATE INDEX $1 ON `$` (json_extract(a, '$.b'), `b`) WHERE (a IS NOT NULL)"], ['CREATE INDEX\n  "$1"\nON [$]\n (  a  )  '], ["CREATE INDEX $1 ON $ (a) WHERE b IN (SELECT 1)"],
];

const authBodies = [
  {}, { fields: [{ name: "email", type: "text" }] }, { fields: [{ name: "password", type: "text" }] }, { fields: [{ name: "tokenKey", type: "text" }] }, { fields: [{ name: "oldPassword", type: "text" }] },
  { fields: [{ name: "Email", type: "text" }] }, { authRule: "nope = 1" }, { manageRule: "nope = 1" }, { manageRule: "" }, { passwordAuth: { enabled: true, identityFields: [] } },
  { passwordAuth: { enabled: true, identityFields: ["nope"] } }, { fields: [{ name: "u", type: "text" }], passwordAuth: { enabled: true, identityFields: ["email", "u"] } },
  { fields: [{ name: "email", type: "email", required: false, onlyDomains: ["x.com"], hidden: true }, { name: "password", type: "password", min: 3, hidden: false, required: false }, { name: "verified", type: "bool", hidden: true }] },
];

const queries = [
  "", "select 1", "select id from vsource", "SELECT id, t, n, b, sel, rel, f, j, geo, d, created, h FROM vsource", "select * from vsource", "select vsource.* from vsource",
  "select id, count(t) as c, count(*) c2, sum(n) as s, avg(n) a, max(n) m, total(n) tt, group_concat(t) g from vsource group by id",
  "select id, cast(t as int) ci, cast(t as integer) ci2, cast(t as real) cr, cast(t as text) ct, cast(t as bool) cb, cast(t as boolean) cb2, cast(n as decimal(8,2)) cd, cast(t as numeric) cn, cast(t as varchar) cv, cast(t as blob) cx, (cast(t as int)) cp from vsource",
  "select id, 1 as one, 'x' as txt, t||'x' as cc, (select count(*) from users) as sub, null as nn, coalesce(n,0) co, json_extract(j,'$.a') je, t as title, b as flag, (t) p, `t` q1, [t] q3, (case when n > 1 then 1 else 2 end) as cas, vsource.t as t9, `vsource`.`t` t11 from vsource",
  "select (ROW_NUMBER() OVER()) as id, t from vsource", "select t as id from vsource", "select cast(n as text) as id from vsource", "select t from vsource", "select id, id as id2 from vsource", "select id, t, t from vsource",
  "select vsource.id, u.id as uid, u.email as e, u.name un, vsource.rel from vsource left join users u on u.id = vsource.rel", "select vsource.id, email from vsource, users", "with x as (select id, t from vsource) select id, t from x",
  "select a.id, a.t from (select id,t from vsource) as a", "select distinct id from vsource", "delete from vsource", "select id from vsource; drop table vsource", "select id from vsource;", "select id /* c */ from vsource",
  "select id from nope", "select nope from vsource", "select id, from vsource", "insert into vsource(t) values('a') returning id", "select id, 1 as `expand` from vsource", "select id, count(*) from vsource", "select id, t from vsource where t = 'a;b'",
  "pragma table_info(vsource)", "explain select 1", "select id from vsource where t = ?1", "select load_extension('x') as id", "select id, t from vsource where (",
];
const source = create({ name: "vsource", fields: [
  { name: "t", type: "text", required: true, min: 2, presentable: true, help: "hh" }, { name: "n", type: "number" }, { name: "b", type: "bool" }, { name: "sel", type: "select", values: ["a", "b"], maxSelect: 2 },
  { name: "rel", type: "relation", collectionId: users, maxSelect: 1 }, { name: "f", type: "file", maxSelect: 3 }, { name: "j", type: "json" }, { name: "geo", type: "geoPoint" }, { name: "d", type: "date" },
  { name: "created", type: "autodate", onCreate: true }, { name: "h", type: "text", hidden: true },
] });
const inferred = ["fields.*.id", ...ignore];

const a = { id: "text_a", name: "a", type: "text" };
const s = { id: "select_s", name: "s", type: "select", values: ["x", "y", "z"], maxSelect: 1 };
const m = { id: "select_m", name: "m", type: "select", values: ["x", "y", "z"], maxSelect: 2 };

export const cases = [
  { name: "bodies that cannot be collections", steps: wrongBodies.map((body) => create(body)) },
  {
    name: "bodies that cannot be read",
    steps: ["", "[]", "{", "5"].flatMap((raw) => [
      { method: "POST", path: P, raw, headers: { "content-type": "application/json" } },
      { method: "PATCH", path: `${P}/users`, raw, headers: { "content-type": "application/json" }, ignore },
      { method: "PUT", path: `${P}/import`, raw, headers: { "content-type": "application/json" } },
      { method: "POST", path: `${P}/meta/dry-run-view`, raw, headers: { "content-type": "application/json" } },
    ]),
  },
  {
    name: "who may",
    steps: [["GET", P], ["POST", P], ["GET", `${P}/users`], ["PATCH", `${P}/users`], ["DELETE", `${P}/users`], ["DELETE", `${P}/users/truncate`], ["PUT", `${P}/import`], ["GET", `${P}/meta/scaffolds`], ["POST", `${P}/meta/dry-run-view`]]
      .map(([method, path]) => ({ method, path, as: "guest" })),
  },
  { name: "fields", steps: fieldLists.flatMap((fields, n) => [create({ name: `field_${n}`, fields }), { ...remove(`field_${n}`), only: [] }]) },
  {
    name: "indexes",
    steps: indexLists.flatMap((list, n) => [create({ name: `index_${n}`, fields: indexed, indexes: list.map((text) => text.replaceAll("$1", `one_${n}`).replaceAll("$2", `two_${n}`).replaceAll("$", `index_${n}`)) }), { ...remove(`index_${n}`), only: [] }]),
  },
  {
    name: "rules",
    steps: ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"].flatMap((rule) => ["nope = 1", "a = 1 &&", "  ", "@collection.nope.id = 1"].map((text) => create({ name: "ruled", fields: indexed, [rule]: text }))),
  },
  { name: "auth collections", steps: authBodies.flatMap((body, n) => [create({ name: `auth_${n}`, type: "auth", ...body }), { ...remove(`auth_${n}`), only: [] }]) },
  {
    name: "changes keep what they can",
    steps: [
      create({ name: "changed", fields: [a, s, m], indexes: ["CREATE INDEX changed_1 ON changed (a)"] }),
      record("changed", { id: id("a"), a: "one", s: "x", m: ["x", "y"] }), record("changed", { id: id("b"), a: "two", s: "y", m: [] }), record("changed", { id: id("c"), a: "three", m: ["z"] }),
      change("changed", {}), change("changed", { type: "auth" }, { only: ["status"] }), change("changed", { id: "x" }), change("changed", { system: true }), change("changed", { name: "" }), change("nope", { name: "x" }),
      change("changed", { fields: [{ ...a, name: "aa" }, s, m] }),
      change("changed", { fields: [{ ...a, name: "aa" }, { ...s, maxSelect: 2 }, { ...m, maxSelect: 1 }], indexes: [] }), records("changed", "id,aa,s,m"),
      change("changed", { fields: [a, s, m] }), records("changed", "id,a,s,m"),
      change("changed", { fields: [a, { ...s, name: "m" }, { ...m, name: "s" }] }), records("changed", "id,a,s,m"),
      change("changed", { fields: [a, s, m], indexes: ["CREATE UNIQUE INDEX changed_2 ON other (a)"] }), record("changed", { a: "one" }),
      change("changed", { fields: [{ ...a, type: "number" }, s, m] }), change("changed", { fields: [s, m] }), change("changed", { fields: [s, m], indexes: [] }), records("changed", "id,a,s,m"),
      change("changed", { fields: [{ ...s, system: true }, m] }), change("changed", { fields: [m] }), change("changed", { fields: [{ ...s, system: true, name: "q" }, m] }), change("changed", { fields: [s, m] }),
      change("changed", { fields: [{ name: "n", type: "number" }, s, m], indexes: ["CREATE UNIQUE INDEX changed_3 ON changed (n)"] }),
      change("changed", { name: "Changed" }), change("changed", { name: "renamed" }), records("renamed", "id,s,m"), change("renamed", { name: "users" }), view("RENAMED"), view("changed"),
      remove("renamed/truncate"), records("renamed", "id"), remove("renamed"), remove("renamed"),
    ],
  },
  {
    name: "system collections stay what they are",
    steps: [change("_superusers", { name: "x" }), change("_superusers", { listRule: "" }), change("_superusers", { system: false }), change("_superusers", { fields: [] }), remove("_superusers"), remove("_superusers/truncate"), remove("_mfas"), change("_mfas", { listRule: "" })],
  },
  {
    name: "references",
    steps: [
      create({ name: "ref_to" }, { save: { refTo: "id" } }), create({ name: "ref_from", fields: [{ id: "r", name: "r", type: "relation", collectionId: "{{refTo}}" }] }), remove("ref_to"),
      change("ref_from", { fields: [{ id: "r", name: "r", type: "relation", collectionId: users }] }), remove("nope"), remove("nope/truncate"), remove("ref_from"), remove("ref_to"),
    ],
  },
  {
    name: "imports",
    steps: [
      bring([]), bring(5), bring([5]), bring([{}]), bring([{ name: "im1" }]), view("im1"), bring([{ name: "im1", fields: [{ name: "t", type: "text" }] }]), view("im1"),
      bring([{ name: "im1", fields: [{ name: "u", type: "text" }], listRule: "" }]), view("im1"), bring([{ name: "im1", indexes: ["CREATE INDEX im_i ON im1 (u)"] }, { name: "im2", fields: [{ name: "1 x", type: "text" }] }]), view("im2"),
      bring([{ name: "im1", fields: [{ name: "x", type: "zzz" }] }]), bring([{ name: "im1", listRule: 5 }]), bring([{ name: "im1", listRule: "nope = 1" }]), bring([{ name: "a b" }]), bring([{ name: "im3", type: "zz" }]), bring([{ name: "imd" }, { name: "imd" }]),
      bring([{ id: "im_a_id", name: "im_a", fields: [{ name: "r", type: "relation", collectionId: "im_b_id" }] }, { id: "im_b_id", name: "im_b", fields: [{ name: "r", type: "relation", collectionId: "im_a_id" }] }]), view("im_a"),
      bring([{ name: "ok1", listRule: "@collection.ok3.x = 1" }, { name: "vv", type: "view", viewQuery: "select id from ok2" }, { name: "ok2" }, { name: "ok3", fields: [{ name: "x", type: "text" }] }]), view("vv"),
      bring([{ name: "_superusers", type: "auth", listRule: "" }]), bring([{ name: "ok4", indexes: ["CREATE INDEX ok4_i on ok4 (nope)"] }]),
      ...["vv", "im_a", "ok1", "ok2", "ok3", "im1"].map((name) => ({ ...remove(name), only: [] })),
    ],
  },
  {
    name: "views",
    steps: [source, ...queries.flatMap((viewQuery, n) => [create({ name: `view_${n}`, type: "view", viewQuery }, { ignore: [...inferred, "data.fields"] }), { ...remove(`view_${n}`), only: [] }])],
  },
  {
    name: "views are looked at",
    steps: [
      create({ name: "base_of", fields: [{ id: "t", name: "t", type: "text" }, { id: "n", name: "n", type: "number" }] }), record("base_of", { id: id("a"), t: "tt", n: 1.5 }),
      create({ name: "seen", type: "view", viewQuery: "select id, t, count(id) as c, sum(n) as s from base_of group by id", listRule: "", viewRule: "" }, { ignore: inferred }),
      { path: `${P}/seen/records`, ignore: ["items.*.collectionId"] }, { path: `${P}/seen/records?filter=t='tt'%26%26c=1%26%26s=1.5`, ignore: ["items.*.collectionId"] }, { path: `${P}/seen/records/${id("a")}`, ignore: ["collectionId"] },
      { method: "POST", path: `${P}/seen/records`, body: { t: "x" } }, { method: "PATCH", path: `${P}/seen/records/${id("a")}`, body: {} }, remove(`seen/records/${id("a")}`), remove("seen/truncate"),
      create({ name: "wrong_view", type: "view", viewQuery: "select id from base_of", createRule: "" }, { ignore: inferred }), create({ name: "wrong_view", type: "view", viewQuery: "select id from base_of", indexes: ["CREATE INDEX x ON base_of (id)"] }, { ignore: inferred }),
      change("seen", { type: "base" }), change("seen", { viewQuery: "select id, t from base_of" }, { ignore: inferred }), change("seen", { fields: [] }, { ignore: inferred }), change("seen", { viewQuery: "select id from nope" }, { ignore: inferred }),
      change("base_of", { fields: [{ id: "t", name: "t", type: "text", max: 77 }, { id: "n", name: "n", type: "number" }] }), view("seen", { ignore: inferred }), change("base_of", { fields: [{ id: "n", name: "n", type: "number" }] }, { ignore: ["message"] }), remove("base_of", { differs: { reason: "the view that is in the way is named", status: 400 } }),
      change("base_of", { name: "base_new" }), { path: `${P}/seen/records`, ignore: ["items.*.collectionId"] }, remove("seen"), remove("base_new"),
    ],
  },
  {
    name: "tried queries",
    steps: [record("vsource", { t: "tt", n: 1.5, b: true, sel: ["a"], j: { a: [1] }, geo: { lon: 1, lat: 2 }, d: "2024-01-01", h: "hid" }), ...["", "x", "select id,t,n,b,sel,rel,f,j,geo,d,h from vsource", "select (row_number() over()) as id, 5 as five, 'x' as y, '[1]' as z from vsource"]
      .map((query) => ({ method: "POST", path: `${P}/meta/dry-run-view`, body: { query }, ignore: ["fields.*.id", "message", "sample.*.collectionId", "sample.*.collectionName"] }))],
  },
  {
    name: "lists",
    steps: [
      "?page=x", "?sort=nope", "?filter=nope=1", "?filter=(", "?filter=fields~'t'", "?filter=name='users'&fields=id", "?filter=type='auth'%26%26system=true&fields=name", "?filter=name~'_superus'&fields=name", "?sort=name&perPage=1&fields=name", "?perPage=6&fields=name&skipTotal=1", "?page=0&perPage=2&fields=name&skipTotal=1", "?sort=@rowid&perPage=2&fields=name&skipTotal=1", "?fields=name,fields.name&perPage=1&skipTotal=1",
    ].map((query) => ({ path: P + query, ignore: ["message", "totalItems", "totalPages"] })),
  },
  { name: "scaffolds", steps: [{ path: `${P}/meta/scaffolds`, ignore: ["auth.indexes", ...mails.map((mail) => `auth.${mail}`)] }, view("users"), view("_superusers"), view("_mfas"), view("_otps"), view("_externalAuths"), view("_authOrigins"), view("nope"), { path: `${P}/users?fields=name,type` }] },
];
