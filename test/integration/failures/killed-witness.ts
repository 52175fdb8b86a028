import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";

/** Texts that nobody may see, wherever a function has them from. */
const CANARIES = {
  AWS_SECRET_ACCESS_KEY: "canary-aws-secret",
  PGPASSWORD: "canary-pg-password",
  SHOP_API_TOKEN: "canary-shop-token",
} as const;
const FORBIDDEN = [...Object.values(CANARIES), "AKIACANARYCANARY1234", "canary.bearer.token"];
const MESSAGE = "no price for order 1";
const STACK = /at price \(.*price\.mjs:2:\d+\)/;
const SEEN = "the function has it";
const MAPPING = "orders-stream";

/** Its cause, which its stack shows, has what nobody may see. */
const HANDLER = `function price(order) {
  throw new TypeError("no price for order " + order, {
    cause: new Error(process.env.SHOP_API_TOKEN + " AKIACANARYCANARY1234 Bearer canary.bearer.token"),
  });
}
export async function handler() {
  console.log("${SEEN}");
  price(1);
}
`;

/**
 * Two processes of one store run a mapping whose function throws. The one that saw it is killed: the other tells
 * message and stack as before, and nobody tells what is secret. `store`: what both are started with.
 */
export async function proveKilledWitness(t: TestContext, store: string): Promise<void> {
  const folder = throwingFolder(t);
  const runs = [runIn(t, folder, store, "one"), runIn(t, folder, store, "two")] as const;
  await Promise.all(runs.map((run) => run.apiUrlOf()));
  const file = openStreamFile(join(folder, "orders.db"));
  file.openStream("orders").append([{ partitionKey: "ada", data: "1" }]);
  file.close();
  const witness = await witnessOf(runs);
  const other = runs.find((run) => run !== witness);
  assert.ok(other !== undefined);
  const api = await other.apiUrlOf();
  const before = await told(api, () => `${witness.stderr.slice(-3_000)}\n${other.stderr.slice(-3_000)}`);

  witness.kill("SIGKILL");
  assert.equal((await witness.ended).signal, "SIGKILL");
  const after = await told(api, () => other.stderr.slice(-3_000));
  assert.equal(after.id, before.id, "by the same id");
  const listed = await commandOf(t, folder, ["failures", "list", "--mapping", MAPPING, "--api", api]);
  assert.match(listed, /TypeError: no price for order 1/);
  const shown = await commandOf(t, folder, ["failures", "show", after.failureId, "--decode", "--api", api]);
  assert.match(shown, /no price for order 1/);
  assert.match(shown, STACK);
  const explained = await commandOf(t, folder, ["explain", MAPPING, "--api", api]);
  assert.match(explained, /no price for order 1/);

  const metrics = await (await fetch(`${api}/metrics`)).text();
  const kept = readFileSync(join(folder, "failed.jsonl"), "utf8");
  const all = [...runs.flatMap((run) => [run.stdout, run.stderr]), after.text, listed, shown, explained];
  for (const text of [...all, metrics, kept])
    for (const canary of FORBIDDEN)
      assert.ok(!text.includes(canary), `${canary} is in ${text.slice(0, 2_000)}`);
  assert.ok(!metrics.includes(MESSAGE), "no text of a function is in metrics");
}

function throwingFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-witness-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  file.createStream({ name: "orders", shards: 1 });
  file.close();
  writeFileSync(join(folder, "price.mjs"), HANDLER);
  writeFileSync(
    join(folder, "orders.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: price }
spec: { module: { path: price.mjs, isolation: thread, environment: { SHOP_API_TOKEN: ${CANARIES.SHOP_API_TOKEN} } }, timeoutSeconds: 30 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${MAPPING} }
spec:
  functionName: price
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  maximumRetryAttempts: 0
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
  endpoints: { LOCAL_FILE: [orders.db] }
`,
  );
  return folder;
}

function runIn(t: TestContext, folder: string, store: string, name: string): MillraceProcess {
  const words = ["run", "-f", "orders.yaml", "--api", "127.0.0.1:0", "--store", store, "--process-id", name];
  return new MillraceProcess(t, words, folder, { env: CANARIES });
}

/** Whose worker printed that it has the record. */
async function witnessOf(runs: readonly MillraceProcess[]): Promise<MillraceProcess> {
  const find = () => runs.find(({ stdout, stderr }) => `${stdout}${stderr}`.includes(SEEN));
  await until(
    () => find() !== undefined,
    () => runs.map(({ stderr }) => stderr.slice(-2_000)).join("\n"),
  );
  const witness = find();
  assert.ok(witness !== undefined);
  return witness;
}

interface Told {
  readonly id: string;
  readonly failureId: string;
  readonly text: string;
}

/** Until a process explains the error whole, and shows the failure with it. */
async function told(api: string, describe: () => string): Promise<Told> {
  const read = async (path: string) => {
    const response = await fetch(`${api}/millrace/v1/${path}`);
    return await response.text();
  };
  let text = "";
  let found: Told | undefined;
  await until(
    async () => {
      const explained = await read(`mappings/${MAPPING}/explain`);
      const { errors = [] } = JSON.parse(explained).errors ?? {};
      const error = errors.find(({ message }: { message?: string }) => message === MESSAGE);
      const { failures = [] } = JSON.parse(await read(`failures?mapping=${MAPPING}`));
      const [failure] = failures;
      const shown = failure === undefined ? "" : await read(`failures/${failure.id}`);
      text = `${explained}\n${shown}`;
      if (error !== undefined && STACK.test(String(error.stack)) && STACK.test(shown))
        found = { id: error.id, failureId: failure.id, text };
      return found !== undefined;
    },
    () => `${text}\n${describe()}`,
  );
  assert.ok(found !== undefined);
  return found;
}

async function commandOf(t: TestContext, folder: string, words: readonly string[]): Promise<string> {
  const command = new MillraceProcess(t, words, folder);
  await command.ended;
  return command.stdout + command.stderr;
}
