// expand and fields: what comes with a record, and what of it is sent.

const rel = (name, to, maxSelect = 1) => ({ name, type: "relation", collectionId: to, maxSelect });
const created = { name: "created", type: "autodate", onCreate: true };
const text = (name) => ({ name, type: "text" });
const base = (id, name, fields, more = {}) => ({
  method: "POST",
  path: "/api/collections",
  body: { id, name, type: "base", listRule: "", viewRule: "", createRule: "", updateRule: "", fields, ...more },
  only: ["name"],
});
const add = (collection, body) => ({ method: "POST", path: `/api/collections/${collection}/records`, body, ignore: ["created"] });
const look = (path, more = {}) => ({ as: "guest", path: `/api/collections/${path}`, ignore: ["created"], ...more });

const setup = [
  base("expeople0000001", "expeople", [text("name"), created]),
  base("extags000000001", "extags", [text("name"), { ...text("hid"), hidden: true }, created], { viewRule: "name != 'secret'" }),
  base("exposts00000001", "exposts", [text("name"), rel("author", "expeople0000001"), rel("tags", "extags000000001", 9), created]),
  base("excomments00001", "excomments", [text("name"), rel("post", "exposts00000001"), rel("posts", "exposts00000001", 5), created], {
    viewRule: "@request.context = 'expand'",
  }),
  base("exprofiles00001", "exprofiles", [text("name"), rel("user", "expeople0000001"), created], {
    indexes: ["CREATE UNIQUE INDEX `idx_exprofiles_user` ON `exprofiles` (`user`)"],
  }),
  base("exlocked0000001", "exlocked", [text("name"), rel("post", "exposts00000001"), created], { viewRule: null }),
  add("expeople", { id: "person000000001", name: "U" }),
  add("expeople", { id: "person000000002", name: "V" }),
  add("extags", { id: "tag000000000001", name: "one", hid: "h" }),
  add("extags", { id: "tag000000000002", name: "secret" }),
  add("extags", { id: "tag000000000003", name: "three" }),
  add("exposts", { id: "post00000000001", name: "p1", author: "person000000001", tags: ["tag000000000003", "tag000000000002", "tag000000000001"] }),
  add("exposts", { id: "post00000000002", name: "p2", author: "person000000002" }),
  add("exposts", { id: "post00000000003", name: "p3" }),
  add("exposts", { id: "post00000000004", name: "p4", tags: ["tag000000000002"] }),
  add("excomments", { id: "comment00000001", name: "c1", post: "post00000000001", posts: ["post00000000002", "post00000000001"] }),
  add("excomments", { id: "comment00000002", name: "c2", post: "post00000000001", posts: ["post00000000001"] }),
  add("exprofiles", { id: "profile00000001", name: "b", user: "person000000001" }),
  add("exlocked", { id: "locked000000001", name: "l", post: "post00000000001" }),
];

const FROM_P1 = [
  "author", "author,tags", " author , tags,", "tags", "excomments_via_post", "excomments_via_posts",
  "author.exprofiles_via_user", "author.nope", "author.nope,author.exprofiles_via_user", "tags.exposts_via_tags.nope",
  "nope", "name", "exlocked_via_post", "exprofiles_via_user", "nope_via_post", "excomments_via_nope", ".", "author.",
  "author . exprofiles_via_user", "excomments_via_post.post.excomments_via_post.posts.author.exprofiles_via_user.user",
];
const FROM_P3 = ["author", "tags", "author.nope", "excomments_via_post", "excomments_via_post.nope", "nope"];
const strip = (more) => ({ ...more, ignore: ["*.created", "created"] });

const PICKS = [
  "id", "name", "*", "id,expand.tags.name", "expand.author.name", "expand.*", "expand.tags.name,expand.author.id", "nope", "name.x",
  "*,name:excerpt(1)", "name:excerpt(1,true)", "name:excerpt(0)", "name:excerpt(a)", "name:nope(3)", "name:excerpt", "", ",",
];
const HTML = [
  "<p>Hello  <b>big</b> world.</p><p>Second &amp; more</p><script>alert(1)</script>line<ul><li>one</li><li>two</li></ul>",
  "a<br>b", "a<!-- c -->b", "a < b", "x<form>y</form>z", "日本語のテスト",
];

export const cases = [
  {
    name: "a record brings what it is related to",
    steps: [
      ...setup,
      ...FROM_P1.map((expand) => look(`exposts/records/post00000000001?expand=${encodeURIComponent(expand)}&fields=id,expand`, strip({ name: expand }))),
      ...FROM_P3.map((expand) => look(`exposts/records/post00000000003?expand=${expand}`, strip({ name: expand }))),
      look("exposts/records/post00000000004?expand=tags", strip()),
      look("exposts/records?sort=name&expand=author.exprofiles_via_user,tags&fields=id,expand.author.name,expand.tags.name,expand.author.expand.exprofiles_via_user.name"),
      { ...look("exposts/records/post00000000001?expand=exlocked_via_post,tags", strip()), as: "admin" },
      look("extags/records/tag000000000001?expand=exposts_via_tags.author", strip()),
    ],
  },
  {
    name: "writes expand too",
    steps: [
      { as: "guest", method: "POST", path: "/api/collections/exposts/records?expand=author&fields=name,expand.author.name", body: { name: "p5", author: "person000000001" } },
      { as: "guest", method: "PATCH", path: "/api/collections/exposts/records/post00000000003?expand=author&fields=name,expand.author.name", body: { author: "person000000002" } },
    ],
  },
  {
    name: "fields are picked",
    steps: PICKS.map((fields) => look(`exposts/records/post00000000001?expand=author,tags&fields=${encodeURIComponent(fields)}`, strip({ name: fields }))),
  },
  {
    name: "excerpts are the text of HTML",
    steps: HTML.flatMap((html) =>
      ["name:excerpt(5)", "name:excerpt(12,true)", "name:excerpt(200)"].map((fields) => ({
        as: "guest",
        method: "POST",
        path: `/api/collections/exposts/records?fields=${encodeURIComponent(fields)}`,
        body: { name: html },
      }))),
  },
  {
    name: "an excerpt leaves nothing out of its middle",
    steps: [
      {
        as: "guest",
        method: "POST",
        path: "/api/collections/exposts/records?fields=name:excerpt(5)",
        body: { name: "日本語<b>テスト</b>です" },
        differs: { reason: "PocketBase stops by bytes within an element, and goes on after it", body: { name: "日本語テス" } },
      },
    ],
  },
];
