// What every type of field makes of a value: one collection for each definition, one record for each
// value, generated from tables.

const STRICT = "PostgreSQL cannot hold a NUL, so no text of a record has one";
const DOMAINS = "domains are compared without regard to case, so that a list of refused ones cannot be passed by";
const LINKS = "mito's rule for addresses of pages is simpler: it takes hosts of one letter before a dot";

const ZERO = "minus zero is zero";

const any = [null, "", "a", " a ", 5, 5.5, 1e21, 1e-7, true, false, [], ["a"], {}, { a: 1 }, "\u{1F600}"];

const tables = [
  [{ type: "text" }, [...any, "x".repeat(5001)]],
  [{ type: "text", required: true, min: 3, max: 5, pattern: "^[a-z]+$" }, [null, "", 0, "ab", "abcdef", "ABC", "abc", 5, "ab ", "ééé"]],
  [{ type: "text", min: 2 }, ["", "a", "ab"]],
  [{ type: "text", autogeneratePattern: "x{4}" }, [null, "", "zz"]],
  [{ type: "editor" }, any],
  [{ type: "editor", required: true, maxSize: 5 }, [null, "", "abcdef", "abcde", "ééé"]],
  [
    { type: "number" },
    [null, "", "a", "5", " 5", "5 ", "+5", "1e3", "0x10", "1_000", "Infinity", "NaN", "-inf", "5,5", "1.", "007", ".5", "1.5000", 5, 5.5,
      1e308, 1e21, 123456789012345680, true, false, "true", [], [5], {}, "99999999999999999999", "1e400", [ZERO, "-0"]],
  ],
  [{ type: "number", required: true, min: 1, max: 5, onlyInt: true }, [null, 0, -1, "-1", 9, 1.5, "3", 0.5, 5.0, 6.5]],
  [{ type: "number", min: -1.5, max: 2.5 }, [null, 0, -2, 3, 1.25]],
  [{ type: "number", min: 1 }, [null, 0, 0.5]],
  [
    { type: "bool" },
    [null, "", "true", "TRUE", "True", "tRUE", "t", "T", "1", "yes", "on", "0", "false", 1, 0, 2, -1, 0.5, true, false, [], [true], {}, " true"],
  ],
  [{ type: "bool", required: true }, [null, false, true, "x"]],
  [
    { type: "email" },
    [null, "", "a@b.co", "a", "@b.co", "a@b", "a b@c.co", "a@b..co", "a@b.co\n", "<a@b.co>", "A@B.CO", "a.@b.co", ".a@b.co", "a..b@c.co",
      '"a b"@c.co', "a@[127.0.0.1]", "a@127.0.0.1", "é@b.co", "a@é.co", "a@b.c", "a@-b.co", "a@b-.co", "a@b_c.co", "a+b@c.co", "a@b.co.",
      "a@b.123", "a%b@c.co", "a/b@c.co", 5, true, ["a@b.co"], {}],
  ],
  [{ type: "email", required: true }, ["", null]],
  [{ type: "email", onlyDomains: ["x.co", "y.co"] }, ["", "a@x.co", "a@z.co", "a@a.x.co", [DOMAINS, "a@X.co"]]],
  [{ type: "email", exceptDomains: ["x.co"] }, ["", "a@x.co", "a@z.co", "a@a.x.co", [DOMAINS, "a@X.co"]]],
  [
    { type: "url" },
    [null, "", "x", "x.y", "x.yz", "http://x", "http://x.y", "https://x.y/z?q#h", "HTTP://X.Y", "ftp://x.y", "javascript:alert(1)",
      "javascript://x.y/%0aalert(1)", "http://", "http://a b", "http://u:p@x.y:80/", "http://[::1]:80/", "http://1.2.3.4",
      "http://localhost:3000/x", "http://x.y:99999", "mailto:a@b.co", "//x.y", "/x", "http://é.co", "http://x_y.co", "http://-x.co",
      "http://x.y/<script>", "http://x..y", "rtmp://x.y", "tcp://x.y", "wss://x.y", "custom://x.y", "http://.x.y", "http://x.y.",
      "data:text/html,x", "file:///etc/passwd", "www.x.y", "http://x.y/%zz", "http://x.y:", "localhost", "abcd", "http://1.2.3",
      "http://256.1.1.1", `http://x.co/${"y".repeat(3000)}`, 5, [LINKS, "http://a.x.co"]],
  ],
  [{ type: "url", required: true }, [""]],
  [{ type: "url", onlyDomains: ["xx.co"] }, ["http://xx.co", "http://aa.xx.co", "http://xx.co:80", "http://u@xx.co", [DOMAINS, "https://XX.co/"]]],
  [{ type: "url", exceptDomains: ["xx.co"] }, ["http://xx.co", "http://yy.co"]],
  [
    { type: "date" },
    [null, "", "2024-01-02", "2024-01-02 03:04", "2024-01-02 03:04:05", "2024-01-02T03:04:05+02:00", "2024-01-02 03:04:05 +0200 CEST",
      "2024-01-02 03:04:05 UTC", "Tue, 02 Jan 2024 03:04:05 GMT", "Tue Jan  2 03:04:05 2024", "02 Jan 2006", "2 Jan 2024", "2024-02-30",
      "20240102", "01/02/2024", "yesterday", "1704164645", 1704164645, true, ["2024-01-02"], {}, "0001-01-01", "9999-12-31", "10000-01-01"],
  ],
  [{ type: "date", required: true }, [null, "", "x"]],
  [
    { type: "date", min: "2024-01-01 00:00:00.500Z", max: "2024-12-31 00:00:00.000Z" },
    ["", "2023-01-01", "2025-01-01", "2024-01-02", "2024-12-31", "2023-12-31 23:59:59.999Z"],
  ],
  [{ type: "autodate", onCreate: true }, [null, "2024-01-02"]],
  [{ type: "autodate", onCreate: false, onUpdate: true }, [null, "2024-01-02"]],
  ...[1, 2].map((maxSelect) => [
    { type: "select", values: ["a", "b", "c"], maxSelect },
    [null, "", "a", "z", " a ", ["a"], ["a", "b"], ["a", "a", "b"], ["b", "a"], ["a", "b", "c"], [], ["z"], ["z", "a"], '["a","b"]', "a,b", 5,
      true, {}, { a: 1 }, [null], [""], ["", 1], [["a"]], "[]", "{}", "null", "[1,2]", "["],
  ]),
  [{ type: "select", values: ["a", "b", "1"], maxSelect: 3, required: true }, ["", [], null, [1]]],
  [
    { type: "json" },
    [null, "", "a", 5, "5", "5.50", true, "true", "null", "[]", "{}", [], {}, { b: 1, a: 2 }, '{"b":1,  "a":2}', "{x", "[1,2", '"x"', " 5 ", "-1",
      "1e5", "0x1", [1, 2], 1.5, "<b>&", 0, false, "false", "undefined", "01", "+5", "tru", " ", "\n{}", "{}x", "\u0000"],
  ],
  [{ type: "json", required: true }, [null, "", "a", "null", "[]", "{}", [], {}, 0, false]],
  [{ type: "json", maxSize: 5 }, ["abc", "abcd", 123456, [1, 2], { a: 1 }]],
  [
    { type: "geoPoint" },
    [null, "", {}, { lon: 1, lat: 2 }, { lon: "1", lat: "2" }, { lat: 2 }, { lon: 181, lat: 0 }, { lon: -181, lat: 0 }, { lon: 0, lat: 91 },
      { lon: 200, lat: 100 }, { lon: 180, lat: 90 }, '{"lon":1,"lat":2}', "x", [1, 2], 5, true, { lon: null, lat: 1 }, { lon: [1], lat: 1 }],
  ],
  [{ type: "geoPoint", required: true }, [null, {}, { lon: 0, lat: 0 }, { lon: 1, lat: 0 }]],
  [{ type: "text" }, [[STRICT, "a\u0000b"]]],
];

const rules = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };

function table([definition, values], number) {
  const name = `fields_${number}`;
  const steps = [
    { method: "POST", path: "/api/collections", body: { name, type: "base", fields: [{ name: "f", ...definition }], ...rules }, only: ["name"] },
  ];
  for (const value of values) {
    const step = { method: "POST", path: `/api/collections/${name}/records`, body: { f: value }, ignore: ["collectionId"] };
    if (Array.isArray(value) && value.length === 2 && [STRICT, DOMAINS, LINKS, ZERO].includes(value[0])) {
      step.body = { f: value[1] };
      step.differs = { reason: value[0] };
    }
    steps.push(step);
  }
  return { name: `${definition.type} ${JSON.stringify(definition)}`, steps };
}

const targets = ["t00000000000001", "t00000000000002", "t00000000000003", "t00000000000004"];

const relations = [
  { maxSelect: 1 },
  { maxSelect: 3, minSelect: 2 },
  { maxSelect: 3, minSelect: 2, required: true },
  { maxSelect: 1, required: true },
].map((options, number) => {
  const [one, two, three, four] = targets;
  const values = [null, "", one, "nobody", [one], [one, two], [one, one], [two, one], [one, two, three, four], [], [one, "nobody"],
    `["${one}"]`, 5, true, {}, ["", one], "[]", "["];
  const name = `related_${number}`;
  return {
    name: `relation ${JSON.stringify(options)}`,
    steps: [
      { method: "POST", path: "/api/collections", body: { name: `${name}_to`, type: "base", ...rules }, save: { target: "id" }, only: ["name"] },
      ...targets.map((id) => ({ method: "POST", path: `/api/collections/${name}_to/records`, body: { id }, only: ["id"] })),
      {
        method: "POST",
        path: "/api/collections",
        body: { name, type: "base", fields: [{ name: "f", type: "relation", collectionId: "{{target}}", ...options }], ...rules },
        only: ["name"],
      },
      ...values.map((f) => ({ method: "POST", path: `/api/collections/${name}/records`, body: { f }, ignore: ["collectionId"] })),
    ],
  };
});

const ids = {
  name: "ids that a pattern lets through",
  steps: [
    {
      method: "POST",
      path: "/api/collections",
      body: {
        name: "loose",
        type: "base",
        fields: [{ name: "id", type: "text", primaryKey: true, system: true, required: true, pattern: "[\\s\\S]+", min: 0, max: 0, autogeneratePattern: "" }],
        ...rules,
      },
      only: ["name"],
    },
    ...["", "a", "A", "a/b", "a b", "..", "a\\b", ".", '"', "é", "nul", "CON", "a\tb", "a\nb", "<x>", "a?b", "a%b", "a:b", "$", "a|b", "*", "a.",
      "a'b", "a`b", "a;b", "(a)", "a@b", "a#b", "a&b", "a=b", "a+b", "a,b", "con", "lpt1", "a-b", "a_b", "__x"].map((id) => ({
      method: "POST",
      path: "/api/collections/loose/records",
      body: { id },
      ignore: ["collectionId"],
    })),
  ],
};

const invalid = {
  text: "x", pattern: "x", editor: "x".repeat(20), number: 5, whole: 1.5, email: "nobody", url: "nowhere", date: "2020-01-01", choice: "c", choices: ["a", "c"],
  json: { much: "x".repeat(20) }, point: { lon: 500, lat: 0 }, file: "nothing.txt", relation: "nobody", id: "../x",
};
const required = ["text", "number", "bool", "email", "url", "date", "select", "json", "editor", "file", "geoPoint", "autodate"];
const together = {
  name: "every invalid field is told of at once",
  steps: [
    {
      method: "POST",
      path: "/api/collections",
      body: {
        name: "together",
        type: "base",
        fields: [
          { name: "text", type: "text", min: 2 },
          { name: "pattern", type: "text", pattern: "^[0-9]+$" },
          { name: "editor", type: "editor", maxSize: 10 },
          { name: "number", type: "number", max: 4 },
          { name: "whole", type: "number", onlyInt: true },
          { name: "email", type: "email" },
          { name: "url", type: "url" },
          { name: "date", type: "date", min: "2021-01-01 00:00:00.000Z" },
          { name: "choice", type: "select", values: ["a", "b"], maxSelect: 1 },
          { name: "choices", type: "select", values: ["a", "b"], maxSelect: 2 },
          { name: "json", type: "json", maxSize: 10 },
          { name: "point", type: "geoPoint" },
          { name: "file", type: "file" },
          { name: "relation", type: "relation", collectionId: "_pb_users_auth_", maxSelect: 1 },
        ],
        ...rules,
      },
      only: ["name"],
    },
    { method: "POST", path: "/api/collections/together/records", body: invalid, status: 400 },
    {
      method: "POST",
      path: "/api/collections",
      body: {
        name: "needed",
        type: "base",
        fields: required.map((type) => ({ name: `f_${type}`, type, required: true, ...(type === "select" ? { values: ["a"], maxSelect: 1 } : {}), ...(type === "autodate" ? { onCreate: true } : {}) })),
        ...rules,
      },
      only: ["name"],
    },
    { method: "POST", path: "/api/collections/needed/records", body: {}, status: 400 },
    { method: "POST", path: "/api/collections/needed/records", raw: "f_text=&f_number=0", headers: { "Content-Type": "application/x-www-form-urlencoded" }, status: 400 },
  ],
};

export const cases = [...tables.map(table), ...relations, ids, together];
