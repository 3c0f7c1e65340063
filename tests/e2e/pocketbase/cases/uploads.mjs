// Files in forms: names, limits, kinds, and what updates do with them.

const rules = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };
const path = "/api/collections/uploads/records";
const collection = {
  method: "POST",
  path: "/api/collections",
  body: {
    name: "uploads",
    type: "base",
    fields: [
      { name: "t", type: "text" },
      { name: "one", type: "file", maxSelect: 1, maxSize: 10 },
      { name: "many", type: "file", maxSelect: 3 },
      { name: "img", type: "file", maxSelect: 1, mimeTypes: ["image/png", "text/plain"] },
    ],
    ...rules,
  },
  only: ["name"],
};
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...Array(20).fill(0)];

/** `[name, text]` or `[name, file name, bytes]`. Names made up for files are compared without what is random. */
function form(parts) {
  return (saved) => {
    const data = new FormData();
    for (const [name, value, content = "hello"] of parts) {
      if (value.startsWith("file:")) data.append(name, new Blob([typeof content === "string" ? content : Uint8Array.from(content)]), value.slice(5));
      else data.append(name, value.replace(/\{\{(\w+)\}\}/g, (_, key) => saved.get(key) ?? ""));
    }
    return data;
  };
}
// Short names are lengthened by ten random characters, so only their number is compared.
const counted = { ignore: ["collectionId", "one", "many.0", "many.1", "many.2", "img", "data.img.message"] };
const send = (parts, more = {}) => ({ method: "POST", path, form: form(parts), ...counted, ...more });
const change = (parts, more = {}) => ({ method: "PATCH", path: `${path}/{{record}}`, form: form(parts), ...counted, ...more });
const save = { record: "id", first: "many.0", second: "many.1", single: "one" };

const names = ["../../etc/passwd.txt", "a b.txt", "Ünï cödé.TXT", `${"a".repeat(300)}.txt`, "longer.tar.gz", "a.b.c.d", "C:\\x\\y.txt", "a;b.txt",
  "<script>.html", "a%2f.txt", "..", "/", ".", "日本.png"];

export const cases = [
  {
    name: "files are taken in",
    steps: [
      collection,
      send([["one", "file:a.txt"]]),
      send([["one", "file:a.txt", "x".repeat(11)]]),
      send([["one", "file:a.txt"], ["one", "file:b.txt"]]),
      send([["many", "file:a.txt"], ["many", "file:b.txt"]]),
      send([0, 1, 2, 3].map((number) => ["many", `file:${number}.txt`])),
      send([["img", "file:a.png", PNG]]),
      send([["img", "file:a.png"]]),
      send([["img", "file:a.gif", "GIF89a\0\0\0\0"]]),
      send([["one", "file:e.txt", ""]]),
      send([["one", "nope.txt"]]),
      send([["many", "nope.txt"], ["t", "x"]]),
      { method: "POST", path, body: { one: "nope.txt" } },
      { method: "POST", path, body: { many: ["a", "b"] } },
      { method: "POST", path, body: { one: { a: 1 } }, ignore: ["collectionId"] },
      send([["nofield", "file:a.txt"]]),
      send([["t", "file:a.txt"]]),
      send([["@jsonPayload", '{"t":"x"}'], ["one", "file:a.txt"]]),
      ...names.map((name) => send([["many", `file:${name}`]])),
    ],
  },
  {
    name: "updates add, replace and remove",
    steps: [
      send([["many", "file:a.txt"], ["many", "file:b.txt"], ["one", "file:o.txt"]], { save }),
      change([["many+", "file:c.txt"]]),
      change([["+many", "file:d.txt"]]),
      change([["many-", "{{first}}"]]),
      change([["+many", "file:d.txt"]]),
      change([["many", "file:z.txt"]], { save }),
      change([["many", "file:y.txt"], ["many", "{{first}}"]], { save }),
      { method: "PATCH", path: `${path}/{{record}}`, body: { many: ["{{first}}"] }, ...counted },
      { method: "PATCH", path: `${path}/{{record}}`, body: { many: ["{{first}}", "nope.txt"] }, ...counted },
      { method: "PATCH", path: `${path}/{{record}}`, body: { "many+": "nope" }, ...counted },
      { method: "PATCH", path: `${path}/{{record}}`, body: { many: [] }, ...counted },
      { method: "PATCH", path: `${path}/{{record}}`, body: { one: "" }, ...counted, ignore: ["collectionId"] },
      change([["one", "file:o2.txt"]], { save }),
      { method: "PATCH", path: `${path}/{{record}}`, body: { "one-": "{{single}}" }, ignore: ["collectionId"] },
      change([["many", "file:a.txt"], ["many", "file:b.txt"]], { save }),
      change([["many+", "file:c.txt"], ["many-", "{{first}}"]]),
      change([["id", "zzzzzzzzzzzzzzz"], ["many+", "file:c.txt"]]),
      { method: "DELETE", path: `${path}/{{record}}` },
    ],
  },
];
