// Files, thumbnails and protected files by the unmodified SDK.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { deflateSync, crc32 } from "node:zlib";

import { forEachServer } from "./harness.mjs";

/** A PNG of one colour. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(checksum(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0x7f)]);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** CRC-32 (ISO-HDLC), for versions of Node whose zlib has none. */
function checksum(bytes) {
  if (crc32) return crc32(bytes);
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}

/** Width and height of a PNG. */
const sizeOf = (bytes) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];

forEachServer("files", (server) => {
  let admin;
  before(async () => {
    admin = server.adminClient();
    await admin.collections.create({
      name: "pictures",
      type: "base",
      listRule: "",
      viewRule: "@request.auth.id != ''",
      createRule: "",
      fields: [
        { name: "image", type: "file", maxSelect: 1, mimeTypes: ["image/png"], thumbs: ["40x20", "30x30t", "30x30b", "30x20f", "0x25", "25x0"], maxSize: 1_000_000 },
        { name: "secret", type: "file", maxSelect: 1, protected: true },
        { name: "loose", type: "file", maxSelect: 99 },
      ],
    });
  });

  const get = async (url, headers = {}) => {
    const answer = await fetch(url, { headers });
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
  };

  test("a picture and its thumbnails", async () => {
    const bytes = png(120, 80);
    const record = await admin.collection("pictures").create({ image: new File([bytes], "My Picture.png", { type: "image/png" }) });
    assert.match(record.image, /^my_picture_[a-z0-9]{10}\.png$/i);
    const url = (thumb) => admin.files.getURL(record, record.image, thumb ? { thumb } : {});
    const whole = await get(url());
    assert.deepEqual([whole.status, whole.headers.get("content-type")], [200, "image/png"]);
    assert.ok(whole.bytes.equals(bytes));
    const sizes = { "40x20": [40, 20], "30x30t": [30, 30], "30x30b": [30, 30], "30x20f": [30, 20], "0x25": [38, 25], "25x0": [25, 17], "100x100": [100, 100], "77x77": [120, 80] };
    for (const [thumb, expected] of Object.entries(sizes)) {
      const found = await get(url(thumb));
      assert.equal(found.status, 200, thumb);
      assert.deepEqual(sizeOf(found.bytes), expected, thumb);
    }
    const part = await get(url(), { Range: "bytes=1-3" });
    assert.deepEqual([part.status, part.bytes.toString()], [206, "PNG"]);
    const gone = await get(admin.files.getURL(record, "nothing.png"));
    assert.equal(gone.status, 404);
  });

  test("what the field does not take is refused", async () => {
    const text = new File(["text"], "fake.png", { type: "image/png" });
    await assert.rejects(admin.collection("pictures").create({ image: text }), (error) => {
      assert.equal(error.response.data.image.code, "validation_invalid_mime_type");
      return true;
    });
    const large = new File([Buffer.alloc(1_000_001)], "large.png");
    await assert.rejects(admin.collection("pictures").create({ image: large }), (error) => {
      assert.equal(error.response.data.image.code, "validation_file_size_limit");
      return true;
    });
  });

  test("a protected file needs a token of somebody who may see it", async () => {
    const record = await admin.collection("pictures").create({ secret: new File(["hush"], "secret.txt") });
    const client = server.client();
    const url = (options) => client.files.getURL(record, record.secret, options);
    assert.equal((await get(url())).status, 404);
    const account = { email: "viewer@example.com", password: "a good password", passwordConfirm: "a good password" };
    await client.collection("users").create(account);
    await client.collection("users").authWithPassword(account.email, account.password);
    const token = await client.files.getToken();
    const found = await get(url({ token }));
    assert.deepEqual([found.status, found.bytes.toString()], [200, "hush"]);
    assert.equal((await get(url({ token: `${token}x` }))).status, 404);
    await assert.rejects(server.client().files.getToken(), (error) => error.status === 401);
  });

  test("files are added, taken away and replaced", async () => {
    const file = (name) => new File([name], name);
    const record = await admin.collection("pictures").create({ loose: [file("a.txt"), file("b.txt")] });
    const [a, b] = record.loose;
    const more = await admin.collection("pictures").update(record.id, { "loose+": [file("c.txt")] });
    assert.deepEqual(more.loose.slice(0, 2), [a, b]);
    const fewer = await admin.collection("pictures").update(record.id, { "loose-": [a] });
    assert.deepEqual(fewer.loose, [b, more.loose[2]]);
    assert.equal((await get(admin.files.getURL(record, a))).status, 404);
    const none = await admin.collection("pictures").update(record.id, { loose: [] });
    assert.deepEqual(none.loose, []);
    assert.equal((await get(admin.files.getURL(record, b))).status, 404);
  });

  test("what a browser would run is not run here", async () => {
    const script = new File(["<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"], "../../x.svg", { type: "image/svg+xml" });
    const record = await admin.collection("pictures").create({ loose: [script] });
    assert.doesNotMatch(record.loose[0], /[/\\]|\.\./);
    const found = await get(admin.files.getURL(record, record.loose[0]));
    assert.match(found.headers.get("content-security-policy"), /sandbox/);
  });
});
