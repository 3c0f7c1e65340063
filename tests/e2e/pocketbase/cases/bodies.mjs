// Bodies: JSON, forms and forms with files; what is malformed, too large or of another type.

const rules = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };
const path = "/api/collections/bodies/records";
const collection = {
  method: "POST",
  path: "/api/collections",
  body: {
    name: "bodies",
    type: "base",
    fields: [
      { name: "f", type: "json" },
      { name: "t", type: "text" },
      { name: "n", type: "number" },
      { name: "b", type: "bool" },
      { name: "m", type: "select", values: ["a", "b", "c", "1"], maxSelect: 3 },
      { name: "s", type: "select", values: ["a", "b"], maxSelect: 1 },
      { name: "g", type: "geoPoint" },
    ],
    ...rules,
  },
  only: ["name"],
};
const send = (raw, type, more = {}) => ({
  method: "POST",
  path,
  raw,
  headers: type === undefined ? {} : { "Content-Type": type },
  ignore: ["collectionId"],
  ...more,
});
const json = (raw, more) => send(raw, "application/json", more);
const form = (raw, more) => send(raw, "application/x-www-form-urlencoded", more);
const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

const trailing = { reason: "what follows the JSON of a body is an error, not left unread", status: 400 };
const unsupported = { reason: "a body of another type is answered with 415", status: 415 };
const shallow = { reason: "JSON is read to a depth of 128, not of 10,000", status: 400 };
const noNul = { reason: "PostgreSQL cannot hold a NUL, so no text of a record has one", status: 400 };
const anyCase = { reason: "media types have no case (RFC 9110 §8.3.1)", status: 200 };

export const cases = [
  {
    name: "JSON",
    steps: [
      collection,
      ...["", "null", "[]", '"x"', "5", "{", '{"f":1,"f":2}', '{"f":{"a":1,"a":2}}', '{"t":"\\ud800"}', '{"":1}', '{"nope":1}', '{"t":1e999}', '{"T":"x"}',
        '{"t":"x",}', '{"expand":{"x":1},"collectionId":"x","collectionName":"y","t":"k"}', " "].map((raw) => json(raw)),
      json(bytes('{"t":"', [0xff], '"}')),
      json(bytes([0xef, 0xbb, 0xbf], "{}")),
      json('{"t":"a\\u0000b"}', { differs: noNul }),
      json("{}x", { differs: trailing }),
      json('{"t":"a"} {"t":"b"}', { differs: trailing }),
      json(`{"f":${"[".repeat(500)}${"]".repeat(500)}}`, { differs: shallow }),
      json(`{"f":${"[".repeat(10001)}${"]".repeat(10001)}}`),
      json(`{"f":${"[".repeat(100)}${"]".repeat(100)}}`),
    ],
  },
  {
    name: "content types",
    steps: [
      ...["text/plain", "application/octet-stream", "json", "text/json", "application/vnd.api+json", "application/xml"].map((type) =>
        send('{"t":"x"}', type, { differs: unsupported }),
      ),
      send('{"t":"x"}', "application/json; charset=utf-8"),
      send('{"t":"x"}', "APPLICATION/JSON", { differs: anyCase }),
      send('{"t":"x"}', "application/x-www-form-urlencoded"),
      send('{"t":"x"}', "multipart/form-data"),
      send('{"t":"x"}', "multipart/form-data; boundary=x"),
      ...["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"].map((type) => send("", type)),
    ],
  },
  {
    name: "forms",
    steps: ["t=x", "t=5", "t=true", "t=null", "t=1.50", "t=00123", "t=1e5", "t=a&t=b", "n=5", "n=a", "n=5&n=6", "n=1e3", "b=true", "b=1&b=0", "b=yes", "m=a", "m=a&m=b",
      "m[]=a&m[]=b", 'm=["a","b"]', "m=1", "s=a&s=b", "f=5", "f=a", 'f={"a":1}', "f=[1,2]", "f=a&f=b", "f=true&f=5", "f=null", "f=", 'f="x"', "f=1.50", "f=-5",
      "f=0x1", "f=1e5", "f=007", "f=Infinity", 'g={"lon":1,"lat":2}', "n%2B=5", "m%2B=a&m%2B=b", "t=%ff", "t=%zz", "=x", "t", "&&", "t=x;n=5",
      '@jsonPayload={"t":"p","n":5}', '@jsonPayload={"t":"p"}&t=q', '@jsonPayload={"t":"p"}&@jsonPayload={"n":7}', "@jsonPayload=xx", "@jsonPayload=[1]",
      "@jsonPayload=null", "@jsonPayload=", "f=12345678901234567890", "f=-", "f=.5", "f=5.", "f= 5", "f=TRUE", "f=a%00"].map((raw) => form(raw)),
  },
  {
    name: "rules see forms as typed",
    steps: [
      {
        method: "POST",
        path: "/api/collections",
        body: { name: "typed", type: "base", ...rules, createRule: "@request.body.x=true || @request.body.x=5" },
        only: ["name"],
      },
      ...["x=true", 'x="true"', "x=5", "x=a", "x=5&x=5"].map((raw) => ({ ...form(raw), path: "/api/collections/typed/records", as: "guest" })),
      ...[true, 5].map((x) => ({ method: "POST", path: "/api/collections/typed/records", body: { x }, as: "guest", ignore: ["collectionId"] })),
    ],
  },
];
