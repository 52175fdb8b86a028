import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { startApiServer } from "../../../src/api/server.ts";
import { createEmbeddedBooks } from "../../../src/control/embedded/embedded-book.ts";
import { createSystemRandom } from "../../../src/system/random.ts";
import { apiOptions } from "../api/api-fixture.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { inputOf, runWords } from "./captured-host.ts";

type Run = (
  words: readonly string[],
  input?: readonly (string | Uint8Array)[],
) => ReturnType<typeof runWords>;

/** The commands on a file, and on the API of a process that has another file. */
async function desks(t: TestContext): Promise<ReadonlyMap<string, Run>> {
  const folder = folderWith(t, {});
  const books = createEmbeddedBooks(CONNECTORS, {
    endpoints: { LOCAL_FILE: [join(folder, "served.db")] },
    place: { region: "us-east-1", account: "000000000000" },
    mappings: async () => [],
  });
  const server = await startApiServer(apiOptions(undefined, { embedded: () => books }));
  t.after(async () => {
    await server.close();
    await books.close();
  });
  const adapters = { connectors: CONNECTORS, random: createSystemRandom() };
  const run =
    (...flags: readonly string[]): Run =>
    (words, input = []) =>
      runWords([...words, ...flags], adapters, {}, inputOf(...input));
  return new Map([
    ["file", run("--file", join(folder, "own.db"))],
    ["API", run("--api", server.url)],
  ]);
}

for (const desk of ["file", "API"]) {
  test(`${desk}: makes a stream, puts words and lines in, and shows them`, async (t) => {
    const millrace = (await desks(t)).get(desk) as Run;
    const made = await millrace(["streams", "create", "orders", "--shards", "1"]);
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, /eventSourceArn: arn:aws:local:us-east-1:000000000000:stream\/orders\n/);
    const words = await millrace([
      "streams",
      "put",
      "orders",
      '{"user":"a","n":12345678901234567890}',
      "--key-from",
      "/user",
    ]);
    assert.equal(words.status, 0, words.stderr);
    assert.match(words.stdout, /^shardId-000000000000 {2}0+1\nPut 1 record into the stream orders \(/);
    // Cut within a character, and without an end of the last line.
    const bytes = Buffer.from('{"user":"é"}\r\n\n{"user":"b"}');
    const lines = await millrace(
      ["streams", "put", "orders", "--key", "k", "--json"],
      [bytes.subarray(0, 10), bytes.subarray(10)],
    );
    assert.equal(lines.status, 0, lines.stderr);
    assert.deepEqual(
      lines.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).line),
      [1, 3],
    );
    const { stdout } = await millrace(["streams", "peek", "orders", "--json"]);
    assert.deepEqual(
      JSON.parse(stdout).map(({ key, data }: { key: string; data: string }) => [key, data]),
      [
        ["a", '{"user":"a","n":12345678901234567890}'],
        ["k", '{"user":"é"}'],
        ["k", '{"user":"b"}'],
      ],
    );
    const oldest = await millrace(["streams", "peek", "orders", "--oldest", "--count", "1"]);
    assert.match(oldest.stdout, /^ARRIVED .*\n.* a {4}\{"user":"a".*\n$/);
    assert.match((await millrace(["streams", "list"])).stdout, /^NAME +SHARDS +EVENT SOURCE ARN\norders +1 /);
  });

  test(`${desk}: makes a queue, sends to it by group, looks and purges`, async (t) => {
    const millrace = (await desks(t)).get(desk) as Run;
    assert.equal((await millrace(["queues", "create", "jobs.fifo", "--hold-seconds", "60"])).status, 0);
    const input = ['{"u":"a","id":1}\n{"u":"b","id":2}\n{"u":"a","id":1}\n'];
    const sent = await millrace(
      ["queues", "send", "jobs.fifo", "--group-from", "/u", "--dedup-from", "/id"],
      input,
    );
    assert.equal(sent.status, 0, sent.stderr);
    assert.match(sent.stdout, /Sent 3 messages to the queue jobs.fifo/);
    const { stdout } = await millrace(["queues", "peek", "jobs.fifo", "--json"]);
    assert.deepEqual(
      JSON.parse(stdout).map(({ group, body }: { group: string; body: string }) => [
        group,
        JSON.parse(body).id,
      ]),
      [
        ["a", 1],
        ["b", 2],
      ],
    );
    assert.equal((await millrace(["queues", "purge", "jobs.fifo"])).stdout, "Took 2 messages away.\n");
    assert.equal((await millrace(["queues", "peek", "jobs.fifo"])).stdout, "The queue holds nothing.\n");
  });

  test(`${desk}: says what was refused, and that a stream is not there`, async (t) => {
    const millrace = (await desks(t)).get(desk) as Run;
    await millrace(["streams", "create", "orders"]);
    const some = await millrace(
      ["streams", "put", "orders", "--key-from", "/u"],
      ['{"u":"a"}\nno json\n{"u":""}\n'],
    );
    assert.equal(some.status, 2);
    assert.match(
      some.stderr,
      /^line 2: It is not JSON: its key cannot be taken from \/u\.\nline 3: A partition key has/,
    );
    assert.match(some.stdout, /Put 1 record into the stream orders, 2 refused/);
    const missing = await millrace(["streams", "put", "nobody", "x"]);
    assert.notEqual(missing.status, 0);
    assert.match(missing.stderr, /no stream "?nobody/);
    assert.equal((await millrace(["streams", "create", "orders"])).status, 2);
    assert.equal((await millrace(["streams", "create", "a/b"])).status, 2);
    const groupless = await millrace(["queues", "create", "q.fifo"]);
    assert.equal(groupless.status, 0);
    assert.equal((await millrace(["queues", "send", "q.fifo", "x"])).status, 2);
  });
}

test("refuses flags that contradict each other, and input that is no text", async (t) => {
  const millrace = (await desks(t)).get("file") as Run;
  await millrace(["streams", "create", "orders"]);
  for (const words of [
    ["streams", "put", "orders", "x", "--key", "a", "--key-from", "/a"],
    ["streams", "put", "orders", "x", "--key-from", "a"],
    ["streams", "put", "orders", "x", "--api", "http://127.0.0.1:1"],
    ["streams", "put"],
    ["streams", "create", "orders", "twice"],
  ])
    assert.equal((await millrace(words)).status, 2, words.join(" "));
  const binary = await millrace(["streams", "put", "orders"], [Buffer.from([0x61, 0x0a, 0xff, 0xfe])]);
  assert.equal(binary.status, 2);
  assert.match(binary.stderr, /not UTF-8/);
});

test("uses the file when no process answers, and says which", async (t) => {
  const folder = folderWith(t, {});
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(before));
  const adapters = { connectors: CONNECTORS, random: createSystemRandom() };
  t.mock.method(globalThis, "fetch", async () => {
    throw new TypeError("fetch failed");
  });
  const made = await runWords(["streams", "create", "orders"], adapters);
  assert.match(made.stdout, /Made the stream orders \(the file \.millrace\/sources\.db\)/);
  assert.match(made.stdout, /endpoints: \{ LOCAL_FILE: \["\.millrace\/sources\.db"\] \}/);
  const put = await runWords(["streams", "put", "orders", "x"], adapters);
  assert.match(put.stdout, /\(the file \.millrace\/sources\.db\)/);
});
