import assert from "node:assert/strict";
import { test } from "node:test";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { planZip } from "../../../src/packages/zip.ts";
import { LINK, type ZipEntry, zipOf } from "../../fixtures/zip.ts";

const CODE: ZipEntry = { name: "index.js", content: "exports.handler = async () => 1;" };

/** Hostile archives: what each says, and a part of the answer, which names archive, entry and a way out. */
const REFUSED: readonly (readonly [what: string, archive: () => Buffer, text: RegExp])[] = [
  [
    "a name that climbs out of its folder",
    () => zipOf([CODE, { name: "../escape.js" }]),
    /^orders\.zip, entry "\.\.\/escape\.js": its name leads out .* by \.\.\. Pack the archive anew/,
  ],
  [
    "a name that climbs in its middle",
    () => zipOf([CODE, { name: "a/../../b" }]),
    /"a\/\.\.\/\.\.\/b": its name leads out/,
  ],
  ["a name that ends by climbing", () => zipOf([CODE, { name: "a/.." }]), /leads out/],
  [
    "an absolute name",
    () => zipOf([CODE, { name: "/etc/cron.d/x" }]),
    /"\/etc\/cron\.d\/x": its name is an absolute/,
  ],
  ["a name on a drive", () => zipOf([CODE, { name: "C:evil.js" }]), /"C:evil\.js": its name is an absolute/],
  [
    "a name with a backslash",
    () => zipOf([CODE, { name: "..\\evil.js" }]),
    /has a backslash. Pack the archive with \//,
  ],
  ["a name with a NUL", () => zipOf([CODE, { name: "a\0.js" }]), /"a\\u0000\.js": its name has a NUL/],
  ["no name at all", () => zipOf([CODE, { name: "" }]), /it has no name/],
  ["a name of a dot", () => zipOf([CODE, { name: "./." }]), /it has no name/],
  [
    "a part of a name that is too long",
    () => zipOf([{ name: "a".repeat(256) }]),
    /longer than 1024 bytes in all, or 255/,
  ],
  [
    "a path that is too long",
    () => zipOf([{ name: `${"abcdefg/".repeat(140)}a` }]),
    /longer than 1024 bytes/,
  ],
  ["a block device", () => zipOf([CODE, { name: "sda", mode: 0o060_644 }]), /"sda": it is a device/],
  ["a character device", () => zipOf([CODE, { name: "tty", mode: 0o020_644 }]), /it is a device/],
  ["a pipe", () => zipOf([CODE, { name: "fifo", mode: 0o010_644 }]), /a pipe or a socket/],
  ["a socket", () => zipOf([CODE, { name: "sock", mode: 0o140_644 }]), /a pipe or a socket/],
  [
    "a link that leaves the root",
    () => zipOf([CODE, { name: "a/l", content: "../../etc", mode: LINK }]),
    /"a\/l": it is a link that leaves/,
  ],
  [
    "a link that leaves and comes back",
    () => zipOf([CODE, { name: "l", content: "../x/index.js", mode: LINK }]),
    /it is a link that leaves/,
  ],
  [
    "a link to an absolute path",
    () => zipOf([CODE, { name: "l", content: "/etc/passwd", mode: LINK }]),
    /absolute path/,
  ],
  ["a link to nothing", () => zipOf([CODE, { name: "l", content: "", mode: LINK }]), /a link to nothing/],
  [
    "a link by way of another link",
    () =>
      zipOf([
        CODE,
        { name: "d/up", content: "..", mode: LINK },
        { name: "l", content: "d/up/../../etc", mode: LINK },
      ]),
    /"l": it is a link that l/,
  ],
  [
    "a long link",
    () => zipOf([CODE, { name: "l", content: "a/".repeat(600), mode: LINK }]),
    /a link of 1200 bytes/,
  ],
  [
    "a file below a link",
    () => zipOf([{ name: "d", content: "e", mode: LINK }, { name: "d/x.js" }]),
    /"d\/x\.js": there are two entries for one name \("d"\)/,
  ],
  ["one name twice", () => zipOf([CODE, CODE]), /"index\.js": there are two entries for one name/],
  [
    "a name twice but for case",
    () => zipOf([CODE, { name: "INDEX.js" }]),
    /"INDEX\.js": there are two entries/,
  ],
  [
    "a name twice but for how its letters are composed",
    () => zipOf([{ name: "\u00e9.js" }, { name: "e\u0301.js" }]),
    /two entries/,
  ],
  ["a name twice but for a dot", () => zipOf([CODE, { name: "./index.js" }]), /two entries/],
  [
    "folders that differ in case",
    () => zipOf([{ name: "lib/a" }, { name: "Lib/b" }]),
    /"Lib\/b": there are two/,
  ],
  ["a file that is a folder too", () => zipOf([{ name: "a" }, { name: "a/b" }]), /two entries/],
  [
    "a bomb",
    () => zipOf([{ name: "zeros", content: Buffer.alloc(5_000_000) }]),
    /unpacks to 5000000 bytes, more than 100/,
  ],
  [
    "entries that have too many bytes together",
    () => zipOf(Array.from({ length: 40 }, (_, n) => ({ ...CODE, name: `${n}`, saidBytes: 10_000_000 }))),
    /262144000 is the most that is taken/,
  ],
  [
    "more bytes than it says",
    () => zipOf([CODE, { name: "l", content: "index.js", mode: LINK, saidBytes: 3 }]),
    /"l": it cannot be read as a zip/,
  ],
  ["more files than are taken", () => zipOf([CODE], 50_001), /50001 entries or more, and 50000 is the most/],
  [
    "an encrypted entry",
    () => zipOf([{ ...CODE, flags: 0x801 }]),
    /it is encrypted. Pack the archive without a pass/,
  ],
  ["an unknown compression", () => zipOf([{ ...CODE, method: 12 }]), /compression method 12 is not known/],
  ["no files", () => zipOf([{ name: "a/", mode: 0o040_755 }]), /it has no files. Pack the function's code/],
  ["no entries", () => zipOf([]), /it has no files/],
  [
    "what is no zip",
    () => Buffer.from("not a zip at all, but a text"),
    /^orders\.zip: it cannot be read as a zip/,
  ],
  ["half a zip", () => zipOf([CODE]).subarray(0, 60), /cannot be read as a zip/],
  ["nothing", () => Buffer.alloc(0), /cannot be read as a zip/],
];

for (const [what, archive, text] of REFUSED) {
  test(`an archive with ${what} is refused, and told`, async () => {
    await assert.rejects(planZip("orders.zip", archive()), (error: unknown) => {
      assert(hasErrorCode(error, "ERR_MILLRACE_PACKAGE"));
      assert.match(error.message, text);
      assert.match(error.message, /\.$/);
      assert(!error.message.includes("\0"), "control characters are shown as escapes");
      return true;
    });
  });
}

test("a file whose bytes are not its checksum's is refused when it is read", async () => {
  const plan = await planZip("orders.zip", zipOf([{ ...CODE, saidCrc: 1 }]));
  const [file] = plan.files;
  assert(file !== undefined);
  await assert.rejects(readAll(file.chunks()), /"index\.js": its checksum is wrong/);
});

test("a file that has more bytes than it said is stopped", async () => {
  const plan = await planZip("orders.zip", zipOf([{ ...CODE, saidBytes: 3 }]));
  const [file] = plan.files;
  assert(file !== undefined);
  await assert.rejects(readAll(file.chunks()), /"index\.js": it cannot be read as a zip/);
});

test("an honest archive is planned with its folders, files and links", async () => {
  const plan = await planZip(
    "orders.zip",
    zipOf([
      { name: "node_modules/", mode: 0o040_777 },
      { name: "node_modules/.bin/run", content: "../pkg/run.js", mode: LINK },
      { name: "node_modules/pkg/run.js", content: "#!/usr/bin/env node", mode: 0o104_711 },
      { ...CODE, isStored: true },
      { name: "./höhe.txt", content: "x", mode: 0 },
    ]),
  );
  assert.deepEqual([...plan.folders].sort(), ["node_modules", "node_modules/.bin", "node_modules/pkg"]);
  assert.deepEqual(
    plan.files.map(({ path, isExecutable }) => [path, isExecutable]),
    [
      ["node_modules/pkg/run.js", true],
      ["index.js", false],
      ["höhe.txt", false],
    ],
  );
  assert.deepEqual(
    plan.links.map(({ path, target }) => ({ path, target })),
    [{ path: "node_modules/.bin/run", target: "../pkg/run.js" }],
  );
  assert.equal(plan.bytes, 13 + 19 + 32 + 1);
});

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) assert(chunk.length > 0);
}
