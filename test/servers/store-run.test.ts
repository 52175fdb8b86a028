import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, test } from "node:test";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { httpFunction, MillraceProcess, orderFolder, until } from "../integration/cli/millrace-process.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startPostgres } from "./postgres.ts";

const HANG = { timeout: 180_000 };
const RECORDS = 200;
const [postgres, dynamodb] = await Promise.all([startPostgres(), startDynamodbLocal()]);
useEndpoint(dynamodb.endpoint);
after(() => Promise.all([postgres.close(), dynamodb.close()]));

/** The second process gets its password from the environment, where the store has one. */
const STORES: Readonly<Record<string, () => Promise<readonly [first: string, second: string]>>> = {
  postgres: async () => {
    const url = await postgres.createDatabase();
    const plain = new URL(url);
    process.env["PGPASSWORD"] = decodeURIComponent(plain.password);
    plain.password = "";
    return [url, plain.href];
  },
  dynamodb: async () => {
    const url = `dynamodb:millrace-${randomUUID()}`;
    return [url, url];
  },
};

for (const [name, createStore] of Object.entries(STORES)) {
  test(
    `two processes share a stream by ${name}; one is killed, and the other goes on where it was`,
    HANG,
    async (t) => {
      const { url, seen } = await httpFunction(t, (_event, response) => response.end());
      const { folder, manifest } = orderFolder(t, url, RECORDS);
      const stores = await createStore();
      const common = ["run", "-f", manifest, "--api", "127.0.0.1:0", "--checkpoint-interval-ms", "50"];
      const [first, second] = stores.map(
        (store) => new MillraceProcess(t, [...common, "--store", store, "--log-level", "debug"], folder),
      );
      assert.ok(first !== undefined && second !== undefined);
      const processes = [first, second];
      for (const each of processes) {
        await until(
          async () => (await shardsOf(each)).length === 1,
          () => `the shards were not shared: ${first.stderr}\n${second.stderr}`,
          90_000,
        );
      }
      await until(
        () => new Set(seen).size === RECORDS,
        () => `the function saw ${seen.length} records`,
      );
      await until(
        async () => (await Promise.all(processes.map(shardsOf))).flat().every((shard) => shard.caughtUp),
        () => "not all was checkpointed",
      );
      const before = seen.length;

      second.kill("SIGKILL");
      await second.ended;
      append(folder, RECORDS, 2 * RECORDS);
      await until(
        () => new Set(seen).size === 2 * RECORDS,
        () => `the function saw ${new Set(seen).size} records: ${first.stderr}`,
        90_000,
      );
      assert.equal((await shardsOf(first)).length, 2);
      assert.equal(seen.length - before, RECORDS, "what was checkpointed came again");
      const shown = [
        first.stderr,
        first.stdout,
        second.stderr,
        second.stdout,
        await everythingOf(first),
      ].join();
      const { password } = new URL(postgres.url);
      for (const secret of [password, decodeURIComponent(password)])
        assert.ok(!shown.includes(secret), "a password is shown");
      first.kill("SIGTERM");
      assert.deepEqual(await first.ended, { status: 0, signal: null });
    },
  );
}

test(
  "a store that cannot be reached ends the start, with what to do and without the password",
  HANG,
  async (t) => {
    const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 1);
    const run = (store: string) =>
      new MillraceProcess(t, ["run", "-f", manifest, "--api", "off", "--store", store], folder);
    const unreachable = run("postgres://u:canary-77@127.0.0.1:1/d");
    assert.equal((await unreachable.ended).status, 1);
    assert.match(
      unreachable.stderr,
      /The store postgres:\/\/127\.0\.0\.1:1\/d could not be used: .*ECONNREFUSED/,
    );
    const misspelt = run("postgres://u:canary-77@127.0.0.1:1/d?sslmode=on");
    assert.equal((await misspelt.ended).status, 2);
    assert.match(misspelt.stderr, /its sslmode is none\. Give one of disable/);
    for (const { stderr, stdout } of [unreachable, misspelt])
      assert.ok(!(stderr + stdout).includes("canary-77"));
  },
);

/** Those that the process holds. */
async function shardsOf(run: MillraceProcess): Promise<readonly { readonly caughtUp: boolean }[]> {
  const { mappings } = JSON.parse(await (await fetch(`${await run.apiUrl()}/millrace/v1/status`)).text());
  return mappings[0].shards;
}

async function everythingOf(run: MillraceProcess): Promise<string> {
  const api = await run.apiUrl();
  const texts = ["millrace/v1/status", "metrics", "readyz"].map(async (path) =>
    (await fetch(`${api}/${path}`)).text(),
  );
  return (await Promise.all(texts)).join();
}

function append(folder: string, from: number, to: number): void {
  const file = openStreamFile(join(folder, "orders.db"));
  const texts = Array.from({ length: to - from }, (_, index) => String(from + index));
  file.openStream("orders").append(texts.map((text) => ({ partitionKey: text, data: text })));
  file.close();
}
