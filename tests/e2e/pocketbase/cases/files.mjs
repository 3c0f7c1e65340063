// Files of records: names, validation, replacing, thumbnails, tokens, ranges and headers.

import { deflateSync } from "node:zlib";

const collection = {
  name: "papers",
  type: "base",
  listRule: "",
  viewRule: "@request.auth.id != ''",
  createRule: "",
  updateRule: "",
  deleteRule: "",
  fields: [
    { name: "title", type: "text" },
    { name: "one", type: "file", maxSelect: 1, maxSize: 200_000, thumbs: ["40x20", "30x30t", "30x20f", "0x25", "25x0"] },
    { name: "many", type: "file", maxSelect: 3 },
    { name: "png", type: "file", maxSelect: 1, mimeTypes: ["image/png"] },
    { name: "secret", type: "file", maxSelect: 1, protected: true },
  ],
};

function png(width, height) {
  const table = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const crc = (bytes) => {
    let sum = 0xffffffff;
    for (const byte of bytes) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
    return (sum ^ 0xffffffff) >>> 0;
  };
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length);
    frame.writeUInt32BE(crc(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: height }, () => Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0x55)])));
  return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const records = "/api/collections/papers/records";
const form = (...parts) => () => {
  const form = new FormData();
  for (const [name, content, filename] of parts) {
    if (filename === undefined) form.append(name, content);
    else form.append(name, new File([content], filename));
  }
  return form;
};
const create = (parts, more = {}) => ({ method: "POST", path: records, form: form(...parts), ...more });
const change = (parts, more = {}) => ({ method: "PATCH", path: `${records}/{{id}}`, form: form(...parts), ...more });
const shown = ["content-type", "content-security-policy", "x-content-type-options", "accept-ranges", "content-length"];
const get = (path, more = {}) => ({ as: "guest", path: `/api/files/papers/{{id}}/${path}`, ...more });
const setup = [{ method: "POST", path: "/api/collections", body: collection, only: ["name"] }];
const withFile = [create([["one", "hello world", "hello.txt"]], { save: { id: "id", file: "one" } })];

// Shorter ones get a random part more.
const NAMES = [
  "hello.txt", "Hello World.TXT", "noext", "archive.tar.gz", "a.b.c.d.e", "HelloWorldABC.png", "ünïcödé näme.txt",
  "../../etc/passwd", "name..txt", "trailing.", "space .t xt", "file.ünï", "_x_y_.zip", `${"a".repeat(300)}.txt`,
  "a+b=c#d.t+x", "con", "abc.verylongextensionthatislongerthantwenty", "fooBar2Baz.x", "myHTTPServer.tar.bz2",
];

export const cases = [
  {
    name: "names of files become slugs",
    steps: [...setup, ...NAMES.map((name) => create([["one", "hello", name]], { name }))],
  },
  {
    name: "what a field does not take is refused",
    steps: [
      create([["one", "x".repeat(200_001), "large.bin"]]),
      create([["many", "x".repeat(5_242_881), "large.bin"]]),
      create([["png", "text", "fake.png"]]),
      create([["png", png(3, 3), "real.gif"]]),
      create([["many", "1", "1.txt"], ["many", "2", "2.txt"], ["many", "3", "3.txt"], ["many", "4", "4.txt"]]),
      { method: "POST", path: records, body: { one: "made-up.txt" } },
      { method: "POST", path: records, body: { many: ["made-up.txt"] } },
      { method: "POST", path: records, body: { one: 5 } },
      create([["one", "", "empty.txt"]]),
      create([["nope", "x", "unknown.txt"]]),
    ],
  },
  {
    name: "files are added, replaced and taken away",
    steps: [
      create([["many", "a", "alpha.txt"], ["many", "b", "beta.txt"]], { save: { id: "id", a: "many.0", b: "many.1" } }),
      change([["many+", "c", "gamma.txt"]], { save: { c: "many.2" } }),
      change([["many+", "d", "delta.txt"]]),
      { method: "PATCH", path: `${records}/{{id}}`, body: { "many-": ["{{a}}"] } },
      get("{{a}}"),
      get("{{b}}", { compareHeaders: shown }),
      { method: "PATCH", path: `${records}/{{id}}`, body: { many: ["{{c}}", "{{b}}"] } },
      change([["one", "1", "first.txt"]], { save: { first: "one" } }),
      change([["one", "2", "second.txt"]], { save: { second: "one" } }),
      get("{{first}}"),
      get("{{second}}"),
      { method: "PATCH", path: `${records}/{{id}}`, body: { one: "", many: [] } },
      get("{{second}}"),
      { method: "DELETE", path: `${records}/{{id}}` },
      get("{{b}}"),
    ],
  },
  {
    name: "files are found by their exact address alone",
    steps: [
      ...withFile,
      get("{{file}}", { compareHeaders: shown }),
      get("{{file}}", { method: "HEAD", compareHeaders: shown }),
      { as: "guest", path: "/api/files/nope/{{id}}/{{file}}" },
      { as: "guest", path: "/api/files/papers/nope/{{file}}" },
      get("nope.txt"),
      get("..%2F..%2Fdata.db"),
      get("%00", {
        differs: { reason: "a path with NUL is refused before any role sees it", status: 400, body: { status: 400 } },
      }),
      get("{{file}}?thumb=100x100", { compareHeaders: shown }),
      get("{{file}}?download=1", { compareHeaders: shown }),
      get("{{file}}", { method: "POST" }),
      get("{{file}}", { method: "DELETE" }),
    ],
  },
  {
    name: "ranges",
    steps: [
      ...withFile,
      ...["bytes=0-4", "bytes=-3", "bytes=6-", "bytes=0-999", "bytes=-999"].map((range) =>
        get("{{file}}", { headers: { range }, compareHeaders: ["content-range", "content-length", "content-type"] })),
      ...["bytes=11-", "bytes=9-0", "items=0-1"].map((range) =>
        get("{{file}}", {
          headers: { range },
          differs: { reason: "refused ranges are told in the envelope of errors", status: 416, body: { status: 416 } },
        })),
      get("{{file}}", { headers: { "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" } }),
      get("{{file}}", {
        headers: { "if-unmodified-since": "Wed, 01 Jan 2020 00:00:00 GMT" },
        differs: { reason: "unmet conditions are told in the envelope of errors", status: 412, body: { status: 412 } },
      }),
    ],
  },
  {
    name: "thumbnails that the field offers are made",
    steps: [
      create([["one", png(120, 80), "picture.png"]], { save: { id: "id", file: "one" } }),
      ...["40x20", "30x30t", "30x20f", "0x25", "25x0", "100x100", "77x77", "0x0", "40x20f"].map((thumb) =>
        get(`{{file}}?thumb=${thumb}`, { name: thumb, only: [], compareHeaders: ["content-type", "content-security-policy"] })),
    ],
  },
  {
    name: "protected files are shown to holders of a token",
    steps: [
      create([["secret", "hush", "secret.txt"]], { save: { id: "id", file: "secret" } }),
      { as: "guest", method: "POST", path: "/api/files/token" },
      { method: "POST", path: "/api/files/token", save: { token: "token" }, ignore: ["token"] },
      get("{{file}}"),
      get("{{file}}?token=nonsense"),
      get("{{file}}", { as: "admin" }),
      get("{{file}}?token={{token}}", { compareHeaders: shown }),
    ],
  },
];
