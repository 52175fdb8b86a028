import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { runCli } from "../../../src/cli/cli.ts";
import { ADAPTERS, inputOf } from "./captured-host.ts";

const NOW_MS = Date.parse("2026-11-30T12:00:00Z");
/** Rounds after which a redrive that never ends is taken for one. */
const ROUNDS_MAX = 20;

type Answer = (path: string, body: Readonly<Record<string, unknown>>) => { status?: number; body: object };

/** Runs `millrace failures …` against an API that answers so. */
async function failures(t: TestContext, answer: Answer, ...words: readonly string[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      asked.push(`${request.method} ${request.url}`);
      const { status = 200, body } = answer(request.url ?? "", text === "" ? {} : JSON.parse(text));
      response.writeHead(status, status === 404 ? { "x-amzn-errortype": "ResourceNotFoundException" } : {});
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const status = await runCli(["failures", ...words, "--api", url], {
    version: "1.2.3",
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    stdin: inputOf(),
    adapters: { ...ADAPTERS, clock: { ...ADAPTERS.clock, now: () => NOW_MS } },
    words,
    environment: {},
    onStopSignal: () => {},
    exitNow: () => {},
    onFatal: () => {},
  });
  return { status, asked, ...written };
}

test("a redrive of events ends, though each of them fails again meanwhile", async (t) => {
  let rounds = 0;
  const rows = [1, 2, 3].map((minutes) => NOW_MS - minutes * 60_000);
  const run = await failures(
    t,
    (_path, { until }) => {
      if (++rounds > ROUNDS_MAX) return { status: 500, body: { Message: "It does not end." } };
      const before = Date.parse(String(until));
      const at = rows.findIndex((atMs) => !(atMs > before));
      if (at < 0) return { body: { invoked: 0 } };
      // It is given up again while the next one is asked for.
      rows.splice(at, 1);
      rows.push(NOW_MS + rounds);
      return { body: { invoked: 1 } };
    },
    "redrive",
    "--events",
    "orders",
  );
  assert.deepEqual([run.status, run.stderr], [0, ""]);
  assert.equal(run.stdout, "3 events in the queue again.\n");
  assert.equal(run.asked.length, 4, "each once, and once more to see that none is left");
});

test("who names what is not there is sent to the list of its kind", async (t) => {
  const none: Answer = () => ({ status: 404, body: { message: "There is none." } });
  const shown = await failures(t, none, "show", "abc");
  assert.match(shown.stderr, /There is none\. See millrace failures list\.$/m);
  const redrive = await failures(t, none, "redrive", "abc");
  assert.match(redrive.stderr, /There is none\.$/m, "redrives have no list");
  const mapping = await failures(t, none, "redrive", "--mapping", "abc", "--dry-run");
  assert.match(mapping.stderr, /There is none\. See millrace mappings list\.$/m);
});

test("a dry run counts one as one", async (t) => {
  const plan = { failures: 1, records: 2, keys: 1, shards: 1, bytes: 471, payload: { kept: 2 }, taken: 1 };
  const { stdout } = await failures(t, () => ({ body: { plan } }), "redrive", "--mapping", "a", "--dry-run");
  assert.match(stdout, /^1 failure, 2 records, 1 key, 1 shard, 471 B\n/);
  assert.match(stdout, /^1 failure left out: in another redrive$/m);
});
