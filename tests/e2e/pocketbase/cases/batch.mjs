// `POST /api/batch`.

const rules = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };
const U = "/api/collections/bt/records";
const collection = (name, fields, more = {}) => ({
  method: "POST",
  path: "/api/collections",
  body: { name, type: "base", fields, ...rules, ...more },
  only: ["name"],
});
const ignore = ["0", "1", "2"].flatMap((number) => [`${number}.body.collectionId`]);
const body = (body, more = {}) => ({ method: "POST", path: "/api/batch", body, ignore, ...more });
const batch = (requests, more = {}) => body({ requests }, more);
const post = (body, more = {}) => ({ method: "POST", url: U, body, ...more });
const id = "abcdefghijklmno";

function form(parts) {
  return () => {
    const data = new FormData();
    for (const [name, value] of parts) {
      if (value.startsWith("file:")) data.append(name, new Blob(["hello"]), value.slice(5));
      else data.append(name, value);
    }
    return data;
  };
}
const files = (parts, more = {}) => ({
  method: "POST",
  path: "/api/batch",
  form: form(parts),
  ignore: [...ignore, "0.body.fl.*", "1.body.fl.*"],
  ...more,
});
const payload = (...requests) => ["@jsonPayload", JSON.stringify({ requests })];

export const cases = [
  {
    name: "requests are done together or not at all",
    steps: [
      collection("bt", [{ name: "t", type: "text", required: true }, { name: "n", type: "number" }, { name: "fl", type: "file", maxSelect: 2 }], {
        indexes: ["CREATE UNIQUE INDEX `bti` ON `bt` (`t`)"],
      }),
      collection("priv", [{ name: "t", type: "text" }], { createRule: null, updateRule: "t='x'", deleteRule: "t='x'", viewRule: "t='x'" }),
      batch([post({ t: "a" })]),
      batch([post({ t: "b" }), post({ t: "" })]),
      batch([post({ t: "a" })]),
      { path: U, only: ["totalItems"] },
      batch([{ method: "PUT", url: U, body: { t: "u", id } }, { method: "PUT", url: U, body: { n: 5, id } }, { method: "PUT", url: U, body: { t: "v" } }]),
      batch([{ method: "PATCH", url: `${U}/${id}?fields=n`, body: { "n+": 5 } }, { method: "DELETE", url: `${U}/${id}` }]),
      batch([{ method: "PATCH", url: `${U}/nobody`, body: { "n+": 5 } }]),
      batch([post({ t: "x1" }), post({ t: "x1" }), post({ t: "" })]),
      batch([post({ t: "ex" }, { url: `${U}?expand=x&fields=id,t`, headers: { Authorization: "x", "X-Y": "1" } })]),
      { path: U, only: ["totalItems"] },
    ],
  },
  {
    name: "what is wrong with a batch",
    steps: [
      batch([{ method: "GET", url: U }]),
      batch([{ method: "POST", url: "/api/collections" }]),
      batch([{ method: "POST", url: "/api/collections/nope/records" }]),
      batch([{ url: U }]),
      batch([{ method: "POST" }]),
      batch([{}]),
      batch([]),
      body({}),
      body({ requests: "x" }),
      body([]),
      body({ requests: [1] }),
      body({ requests: null }),
      batch([post({ t: "lower" }, { method: "post" })]),
      batch([post("x")]),
      batch([post(null)]),
      batch([post({ t: "h" }, { headers: { x: 1 } })]),
      ...["http://evil.co", "/api/..", "x"].map((before) => batch([post({ t: "z" }, { url: before + U })])),
      batch([post({ t: "z" }, { url: `${U}/` })]),
      batch([post({ t: "z" }, { url: U.slice(1) })]),
      batch([post({ t: "z" }, { url: "/api/collections/%62t/records" })]),
      batch([post({ t: "z" }, { url: `${U}#x` })]),
      batch([post({ t: "z" }, { url: `${U}?${"a".repeat(3000)}` })]),
      batch([{ method: "PUT", url: U, body: { t: "badid", id: "no" } }]),
      batch([{ method: "PUT", url: U, body: { t: "badid2", id: 5 } }]),
      batch([{ method: "PUT", url: `${U}/abc`, body: { t: "badid2", id: 5 } }]),
      batch(Array.from({ length: 51 }, (_, number) => post({ t: `m${number}` }))),
      { method: "POST", path: "/api/batch", raw: "requests=x", headers: { "Content-Type": "application/x-www-form-urlencoded" } },
      { path: U, only: ["totalItems"] },
    ],
  },
  {
    name: "rules hold for each request",
    steps: [
      batch([{ method: "POST", url: "/api/collections/priv/records", body: {} }], { as: "guest" }),
      batch([{ method: "POST", url: "/api/collections/priv/records", body: { t: "q", id: "privprivprivpri" } }]),
      batch([{ method: "PATCH", url: "/api/collections/priv/records/privprivprivpri", body: {} }], { as: "guest" }),
      batch([{ method: "DELETE", url: "/api/collections/priv/records/privprivprivpri" }], { as: "guest" }),
      batch([{ method: "PUT", url: "/api/collections/priv/records", body: { id: "privprivprivpri", t: "z" } }], { as: "guest" }),
      batch([{ method: "PUT", url: "/api/collections/priv/records", body: { id: "privprivprivprx", t: "z" } }], { as: "guest" }),
    ],
  },
  {
    name: "files in a batch",
    steps: [
      files([payload(post({ t: "f1" })), ["requests.0.fl", "file:a.txt"], ["requests.0.fl", "file:b.txt"]]),
      files([payload(post({ t: "f2" })), ["requests[0].fl", "file:a.txt"]]),
      files([payload(post({ t: "f3" })), ["requests.5.fl", "file:a.txt"], ["x", "file:y.txt"]]),
      files([["@jsonPayload", '{"requests":'], ["requests.0.fl", "file:a.txt"]]),
      files([
        payload({ method: "PUT", url: U, body: { t: "f4", id: "filefilefilefil" } }, { method: "PATCH", url: `${U}/filefilefilefil`, body: {} }),
        ["requests.0.fl", "file:a.txt"],
        ["requests.1.fl+", "file:b.txt"],
      ]),
      files([["requests.0.method", "POST"], ["requests.0.url", U]]),
    ],
  },
];
