// Settings, logs, crons, backups and the SQL console.

const GUEST = [
  ["GET", "/api/settings"],
  ["PATCH", "/api/settings"],
  ["GET", "/api/logs"],
  ["GET", "/api/logs/stats"],
  ["GET", "/api/logs/nothing"],
  ["DELETE", "/api/logs"],
  ["GET", "/api/crons"],
  ["POST", "/api/crons/__pbDBOptimize__"],
  ["GET", "/api/backups"],
  ["POST", "/api/backups"],
  ["POST", "/api/backups/upload"],
  ["DELETE", "/api/backups/nothing.zip"],
  ["POST", "/api/backups/nothing.zip/restore"],
  ["GET", "/api/backups/nothing.zip"],
  ["POST", "/api/sql"],
];

const settings = (body, more = {}) => ({ method: "PATCH", path: "/api/settings", body, ...more });
// What a change answers with is the settings as a whole, of which the step looks at what it changed.
// (An administrator who is not among `superuserIPs` is locked out of PocketBase for good, so that is not
// asked of it: mito refuses such a list, see the tests of `settings`.)
const changed = (body, ...only) => settings(body, { only });
const sql = (query, more = {}) => ({ method: "POST", path: "/api/sql", body: { query }, ignore: ["execTime"], ...more });
const backup = (name, more = {}) => ({ method: "POST", path: "/api/backups", body: { name }, ...more });
const rules = (...given) => settings({ rateLimits: { rules: given } });
const rule = (label, more = {}) => ({ label, duration: 1, maxRequests: 1, ...more });
const upload = (name, content) => ({
  method: "POST",
  path: "/api/backups/upload",
  form: () => {
    const form = new FormData();
    form.append("file", new File([content], name));
    return form;
  },
});

export const cases = [
  { name: "guests run nothing", steps: GUEST.map(([method, path]) => ({ as: "guest", method, path })) },
  {
    name: "settings have the same shape",
    steps: [
      { path: "/api/settings", only: ["smtp", "s3", "rateLimits.excludedIPs", "superuserIPs"], ignore: ["smtp.*"] },
      { path: "/api/settings?fields=batch.timeout,logs.maxDays,nothing" },
      { path: "/api/settings", only: ["meta.hideControls", "backups", "trustedProxy"] },
    ],
  },
  {
    name: "settings that cannot be read",
    steps: [
      settings({ meta: 5 }),
      settings([]),
      settings({ smtp: { enabled: "yes" } }),
      settings({ smtp: { port: "25" } }),
      settings({ smtp: { port: 1.5 } }),
      settings({ smtp: { tls: 1 } }),
      { method: "PATCH", path: "/api/settings", raw: "{", headers: { "content-type": "application/json" } },
    ],
  },
  {
    name: "settings that are wrong",
    steps: [
      settings({ meta: { appName: "", appURL: "x", senderName: "", senderAddress: "nope", accentColor: "red" } }),
      settings({ meta: { appName: null } }),
      settings({ meta: { appName: "x".repeat(300), senderName: "x".repeat(256) } }),
      settings({ meta: { accentColor: "#12345z" } }),
      settings({ smtp: { enabled: true, host: "", port: -1, authMethod: "x", localName: "a b" } }),
      settings({ smtp: { enabled: true, host: "ht tp", port: 0 } }),
      settings({ smtp: { enabled: false, host: "a b", localName: "a b" } }),
      settings({ backups: { cron: "bad", cronMaxKeep: 0, s3: { enabled: true } } }),
      settings({ backups: { cron: "* * * * *", cronMaxKeep: -1 } }),
      settings({ backups: { cron: "", cronMaxKeep: -1 } }),
      settings({ s3: { enabled: true, endpoint: "zz z", bucket: "" } }),
      settings({ s3: { endpoint: "zz z" } }),
      settings({ batch: { enabled: true, maxRequests: 0, timeout: 0, maxBodySize: -1 } }),
      settings({ batch: { enabled: false, maxRequests: -1, timeout: -1 } }),
      settings({ logs: { maxDays: -1, minLevel: -100, maxDataSize: -1 } }),
      settings({ superuserIPs: ["0.0.0.0/0", "x", "1.1.1.1/99"] }),
      settings({ meta: { appURL: "" } }, {
        differs: { reason: "an empty address means where the platform is", status: 200 },
      }),
      settings(
        { s3: { enabled: true, endpoint: "http://s3.example.com", bucket: "b", region: "r", accessKey: "a", secret: "s" } },
        { differs: { reason: "where files are kept is configuration (`objects.endpoint`), and the setting says so instead of doing nothing", status: 400 } },
      ),
      settings({ trustedProxy: { headers: ["X-Real-IP"] } }, {
        differs: { reason: "the gateway alone decides who the client is; a header is never believed", status: 400 },
      }),
      settings({ trustedProxy: { headers: [] } }, { only: ["trustedProxy"] }),
    ],
  },
  {
    name: "cron expressions",
    steps: [
      "60 * * * *", "*/0 * * * *", "1-60 * * * *", "5-1 * * * *", "70-80 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 7",
      "1/2 * * * *", "*  * * * *", "*/60 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "* */24 * * *", " @daily", "@DAILY", "* * * *",
    ]
      .map((cron) => settings({ backups: { cron, cronMaxKeep: 3 } }))
      .concat(
        ["a * * * *", "1,,2 * * * *", "* * * JAN *"].map((cron) =>
          settings({ backups: { cron, cronMaxKeep: 3 } }, {
            differs: { reason: "a segment that is no number is told in words, not in those of Go's library", status: 400, body: { data: { backups: { cron: { code: "validation_invalid_cron" } } } } },
          }),
        ),
        ["*/5 * * * *", "0-5/2 1,2 * * 0", "@weekly", "@annually", "+5 * * * *", "0 0 30 2 *"].map((cron) =>
          changed({ backups: { cron, cronMaxKeep: 3 } }, "backups"),
        ),
        [{ path: "/api/crons", only: ["4"] }, changed({ backups: { cron: "" } }, "backups.cron")],
      ),
  },
  {
    name: "labels of rate limits",
    steps: [
      ...["a", "ab:c", "post /a", "a_b", "/", "POST /", "*:x"].map((label) => changed({ rateLimits: { rules: [rule(label)] } }, "rateLimits.rules")),
      ...["*", "ab:", "a.b", "a-b", "POST /a.b", "/a/{x}", "*:*", "/a?b", "a:b-c", "POST  /a", "PO-ST /a", ":x", "@a", ""].map((label) => rules(rule(label))),
      rules(rule("x", { audience: "q", duration: 0, maxRequests: 0 }), rule("*:create", { duration: -1, maxRequests: -1 })),
      rules(rule("a"), rule("a")),
      rules(rule("a", { audience: "@auth" }), rule("a")),
      changed({ rateLimits: { rules: [rule("a", { audience: "@auth" }), rule("a", { audience: "@guest" })] } }, "rateLimits.rules"),
      settings({ rateLimits: { enabled: true, rules: [] } }),
      settings({ rateLimits: { excludedIPs: ["x", "1.2.3.4", "10.0.0.0/8"] } }),
      changed({ rateLimits: { enabled: false, rules: [] } }, "rateLimits"),
    ],
  },
  {
    name: "secrets are kept and not shown",
    steps: [
      changed({ smtp: { username: "u", password: "hush" }, s3: { secret: "hush" } }, "smtp.username", "smtp.password", "s3.secret"),
      changed({ smtp: { username: "" } }, "smtp.username", "smtp.password"),
      changed({ nothing: 5, logs: { nothing: 1, maxDays: 5 } }, "logs.maxDays", "logs.nothing"),
    ],
  },
  {
    name: "crons",
    steps: [
      { path: "/api/crons", unordered: "" , only: ["0"] },
      { path: "/api/crons?fields=id", only: ["0"] },
      { method: "POST", path: "/api/crons/nothing" },
      { method: "POST", path: "/api/crons/__pbLogsCleanup__" },
      { method: "POST", path: "/api/crons/__pbOTPCleanup__" },
      { method: "POST", path: "/api/crons/__pbMFACleanup__" },
    ],
  },
  {
    name: "logs that cannot be asked for",
    steps: [
      { path: "/api/logs?filter=nope%3D1" },
      { path: "/api/logs?filter=(" },
      { path: "/api/logs?filter=rowid%3E0" },
      { path: "/api/logs?filter=updated%3E%222020%22" },
      { path: "/api/logs?sort=nope" },
      { path: "/api/logs?sort=rowid" },
      { path: "/api/logs?sort=updated" },
      { path: "/api/logs?page=x" },
      { path: "/api/logs?perPage=1&skipTotal=1&fields=nothing" , ignore: ["items"] },
      { path: "/api/logs/nothing" },
      { path: "/api/logs/stats?filter=zz%3E0" },
      { path: "/api/logs?filter=data.status%3D999&sort=-%40rowid,level,data.status,created,message,id" },
      { path: "/api/logs/stats?filter=data.status%3D999" },
      { path: "/api/logs?filter=data.status%3D999%26%26created%3E%40todayStart" },
      { method: "DELETE", path: "/api/logs" },
    ],
  },
  {
    name: "backups",
    steps: [
      { path: "/api/backups" },
      backup("test.zip"),
      backup("test.zip"),
      backup("te st"),
      backup("../te.zip"),
      backup("TEST.zip"),
      backup(`${"x".repeat(160)}.zip`),
      backup(5),
      { path: "/api/backups?fields=key" },
      // PocketBase says it of a name with something random in it.
      { ...upload("bad.zip", "hi"), ignore: ["data.file.message"] },
      { method: "POST", path: "/api/backups/upload", body: {} },
      { method: "POST", path: "/api/backups/nothing.zip/restore" },
      { method: "DELETE", path: "/api/backups/nothing.zip", differs: { reason: "the answer names no path of the server", status: 400 } },
      { path: "/api/backups/nothing.zip?token=bad", as: "guest" },
      { path: "/api/backups/test.zip?token=bad", as: "guest" },
      { method: "POST", path: "/api/files/token", save: { fileToken: "token" } },
      { path: "/api/backups/nothing.zip?token={{fileToken}}", as: "guest" },
      { path: "/api/backups/..%2fdata.db?token={{fileToken}}", as: "guest" },
      { method: "HEAD", path: "/api/backups/test.zip?token={{fileToken}}", as: "guest", compareHeaders: ["content-type", "content-disposition", "accept-ranges"] },
      { method: "DELETE", path: "/api/backups/test.zip" },
      { path: "/api/backups" },
    ],
  },
  {
    name: "SQL",
    steps: [
      sql("select 1 as a, null b, 1.5 c, x'4142' d, 't' e"),
      sql("select id, created from users where id = 'nothing'"),
      sql(""),
      { method: "POST", path: "/api/sql", body: {} },
      sql(5),
      sql("select 1; select 2"),
      sql("-- nothing"),
      sql("select 1 as a, 2 as a"),
      sql("select 9223372036854775807 big, 1e300, true, 3.0, 0.1, 1e21, 1e-7"),
      sql("with x as (select 1 a) select * from x"),
      sql("selec", { differs: { reason: "the engine's message comes without the number of its code", status: 400 } }),
      sql("create table zz (a int not null, b text, c real, primary key(a))", {
        differs: { reason: "PocketBase repeats the count of an earlier statement after one that changes no rows", body: { affectedRows: 0 } },
      }),
      sql("insert into zz values (1,2,3),(2,3,4)"),
      sql("select * from zz"),
      sql("insert into zz values (3,2,3); select * from zz"),
      sql("update zz set b=9 where a=1 returning *"),
      sql("update zz set b=8; insert into zz values (1,1,1)", {
        differs: { reason: "the engine's message comes without the number of its code", status: 400 },
      }),
      sql("select * from zz"),
      sql("delete from zz where a=99"),
      sql("pragma table_info(zz)"),
      sql("explain query plan select a from zz", { only: ["columns"] }),
      sql("select count(*), max(a) m from zz"),
      sql("begin; select 1; commit", { differs: { reason: "transactions belong to the engine", status: 400 } }),
      sql("attach database ':memory:' as x", { differs: { reason: "no other file is opened", status: 400 } }),
      sql("drop table zz"),
    ],
  },
];
