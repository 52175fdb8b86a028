import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

/** Texts that nobody may see, wherever a function has them from. */
const CANARIES = {
  AWS_SECRET_ACCESS_KEY: "canary-aws-secret",
  PGPASSWORD: "canary-pg-password",
  SHOP_API_TOKEN: "canary-shop-token",
} as const;
const LEAK = `${Object.values(CANARIES).join(" ")} AKIACANARYCANARY1234 Bearer canary.bearer.token`;
const MESSAGE = "no price for order 1";
const STACKS = {
  module: /price\.mjs:3:9/,
  http: /app\.py", line 7, in price/,
  lambda: /index\.mjs:9:3/,
  process: /price\.mjs:3:9/,
} as const;
/** `process`: a module as modules run unless a manifest says otherwise. */
const NAMES = ["module", "http", "lambda", "process"] as const;
/** What a terminal is taken by. */
const TERMINAL = ["--import", "data:text/javascript,process.stderr.isTTY=true"];

const HANDLER = `export async function handler() {
  const cause = new Error(process.env.SHOP_API_TOKEN + " Bearer canary.bearer.token");
  throw new TypeError("${MESSAGE}", { cause });
}
`;

/** An HTTP function, and a service with Lambda's Invoke, whose functions fail as Python's and Node's do. */
async function startServers(t: TestContext): Promise<{ url: string; logTypes: string[] }> {
  const logTypes: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("x-amz-function-error", "Unhandled");
      if (request.url?.startsWith("/2015-03-31/functions/price/invocations") !== true) {
        const stackTrace = [`  File "/srv/app.py", line 7, in price\n    ${LEAK}\n`];
        response.end(JSON.stringify({ errorType: "TypeError", errorMessage: MESSAGE, stackTrace }));
        return;
      }
      const logType = String(request.headers["x-amz-log-type"] ?? "None");
      logTypes.push(logType);
      if (logType === "Tail") {
        response.setHeader(
          "x-amz-log-result",
          Buffer.from(`looking for the price ${LEAK}\n`).toString("base64"),
        );
      }
      const trace = [`TypeError: ${MESSAGE}`, `    at price (file:///var/task/index.mjs:9:3)`, LEAK];
      response.setHeader("x-amz-executed-version", "7");
      response.end(JSON.stringify({ errorType: "TypeError", errorMessage: MESSAGE, trace }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, logTypes };
}

/** One stream with a record for each kind of function, which is tried until it expires. */
function failingFolder(t: TestContext, url: string, more = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-errors-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  file.createStream({ name: "orders", shards: 1 }).append([{ partitionKey: "ada", data: "1" }]);
  file.close();
  writeFileSync(join(folder, "price.mjs"), HANDLER);
  const environment = `environment: { SHOP_API_TOKEN: ${CANARIES.SHOP_API_TOKEN} }`;
  const targets = {
    module: `module: { path: price.mjs, isolation: thread, ${environment} }`,
    process: `module: { path: price.mjs, ${environment} }`,
    http: `http: { url: "${url}/" }`,
    lambda: `lambda: { functionName: price, region: eu-west-1, endpoint: "${url}" }`,
  };
  const documents = NAMES.map(
    (name) => `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: price-${name} }
spec: { ${targets[name]}, timeoutSeconds: 30${more} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-${name} }
spec:
  functionName: price-${name}
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  endpoints: { LOCAL_FILE: [orders.db] }
`,
  );
  writeFileSync(join(folder, "orders.yaml"), documents.join("---\n"));
  return folder;
}

function runIn(
  t: TestContext,
  folder: string,
  flags: readonly string[],
  isTerminal: boolean,
): MillraceProcess {
  const words = ["run", "-f", "orders.yaml", "--api", "127.0.0.1:0", "--store", "memory:", ...flags];
  const env = { ...CANARIES, AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" };
  return new MillraceProcess(t, words, folder, { env, nodeFlags: isTerminal ? TERMINAL : [] });
}

interface Explained {
  readonly text: readonly string[];
  readonly errors: {
    readonly errors: readonly { readonly id: string; readonly count: number; message?: string }[];
  };
}

async function explain(api: string, name: string, headers: Record<string, string> = {}): Promise<Explained> {
  const response = await fetch(`${api}/millrace/v1/mappings/${name}/explain`, { headers });
  return (await response.json()) as Explained;
}

/** Waits until each function has failed so often that something would have been said again. */
async function failedThrice(api: string, run: MillraceProcess): Promise<readonly Explained[]> {
  let last: readonly Explained[] = [];
  await until(
    async () => {
      last = await Promise.all(NAMES.map((name) => explain(api, `orders-${name}`)));
      return last.every(({ errors }) => (errors.errors[0]?.count ?? 0) >= 3);
    },
    () => `${run.stderr}\n${JSON.stringify(last)}`,
  );
  return last;
}

/** The address that a process with a terminal prints for people. */
async function apiOfTerminal(run: MillraceProcess): Promise<string> {
  const find = () => /address=(http:\S+)/.exec(run.stderr)?.[1];
  await until(
    () => find() !== undefined,
    () => run.stderr,
  );
  return find() ?? "";
}

/** Without the display at its foot, which is drawn again and again. */
function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

function assertNoCanary(shown: string): void {
  for (const canary of [...Object.values(CANARIES), "AKIACANARY", "canary.bearer"]) {
    const at = shown.indexOf(canary);
    assert.ok(at < 0, `${canary} is shown: ${shown.slice(Math.max(0, at - 300), at + 100)}`);
  }
}

test("a function's error stands on the terminal once and in explain, with its stack, and without secrets", async (t) => {
  const { url, logTypes } = await startServers(t);
  const run = runIn(t, failingFolder(t, url), [], true);
  const api = await apiOfTerminal(run);
  const explained = await failedThrice(api, run);
  const metrics = await (await fetch(`${api}/metrics`)).text();
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);

  assert.equal(count(run.stderr, MESSAGE), NAMES.length, run.stderr);
  for (const [index, name] of NAMES.entries()) {
    const { text = [], errors } = explained[index] ?? { errors: { errors: [] } };
    const said = text.join("\n");
    assert.match(said, new RegExp(MESSAGE), name);
    assert.match(said, STACKS[name], name);
    assert.match(run.stderr, STACKS[name], name);
    const id = errors.errors[0]?.id ?? "";
    assert.match(id, /^[0-9a-f]{4}$/);
    assert.match(run.stderr, new RegExp(`TypeError: ${MESSAGE} \\(${id}\\)`), name);
  }
  for (const index of [0, 3])
    assert.match(
      explained[index]?.text.join("\n") ?? "",
      /Caused by: Error: \[redacted\] Bearer \[redacted\]/,
    );
  assert.match(explained[2]?.text.join("\n") ?? "", /looking for the price/);
  assert.match(explained[2]?.text.join("\n") ?? "", /version 7/);
  assertNoCanary([run.stderr, run.stdout, JSON.stringify(explained), metrics].join("\n"));
  assert.doesNotMatch(metrics, new RegExp(MESSAGE));
  assert.equal(logTypes[0], "None");
  assert.ok(logTypes.length >= 3 && logTypes.slice(1).every((type) => type === "Tail"), String(logTypes));
});

test("a log names an error's type and id, and its text only when it is asked for", async (t) => {
  const { url } = await startServers(t);
  const quiet = runIn(t, failingFolder(t, url), ["--log-level", "debug"], false);
  await failedThrice(await quiet.apiUrl(), quiet);
  quiet.kill("SIGTERM");
  await quiet.ended;
  const told = quiet.logs().filter(({ errorId }) => errorId !== undefined);
  assert.deepEqual(new Set(told.map(({ errorType }) => errorType)), new Set(["TypeError"]));
  assert.doesNotMatch(quiet.stderr, new RegExp(`${MESSAGE}|price\\.mjs:3|app\\.py`));

  const full = runIn(t, failingFolder(t, url), ["--log-error-text"], false);
  await failedThrice(await full.apiUrl(), full);
  full.kill("SIGTERM");
  await full.ended;
  const whole = full.logs().filter(({ message }) => message === "a function fails");
  assert.equal(whole.length, NAMES.length, full.stderr);
  for (const line of whole) {
    assert.equal(line["errorText"], MESSAGE);
    assert.match(String(line["stack"]), /price/);
    assert.match(String(line["mapping"]), /^orders-/);
  }
  assertNoCanary(quiet.stderr + full.stderr);
});

for (const [where, flags, more] of [
  ["of the process", ["--error-details", "type", "--log-error-text"], ""],
  ["of the functions", ["--log-error-text"], ", errorDetails: type"],
] as const) {
  test(`with the error details ${where} set to type no text of a function is anywhere`, async (t) => {
    const { url } = await startServers(t);
    const run = runIn(t, failingFolder(t, url, more), [...flags, "--log-level", "debug"], true);
    const api = await apiOfTerminal(run);
    const explained = await failedThrice(api, run);
    const answers = await Promise.all(
      NAMES.map(async (name) => {
        const headers = { "x-amz-log-type": "Tail" };
        const path = `${api}/2015-03-31/functions/price-${name}/invocations`;
        const response = await fetch(path, { method: "POST", body: "{}", headers });
        const log = Buffer.from(response.headers.get("x-amz-log-result") ?? "", "base64").toString();
        return `${await response.text()} ${log}`;
      }),
    );
    const metrics = await (await fetch(`${api}/metrics`)).text();
    run.kill("SIGTERM");
    await run.ended;
    const shown = [run.stderr, run.stdout, JSON.stringify(explained), ...answers, metrics].join("\n");
    assert.doesNotMatch(shown, /no price for|price\.mjs:3|app\.py|index\.mjs:9|looking for/);
    assertNoCanary(shown);
    assert.equal(count(run.stderr, "error TypeError ("), NAMES.length, run.stderr);
    for (const answer of answers) assert.match(answer, /"errorType":"TypeError"/);
  });
}

test("texts of functions are shown to callers with the role inspect alone", async (t) => {
  const { url } = await startServers(t);
  const folder = failingFolder(t, url);
  const tokens = {
    inspector: "i".repeat(32),
    reader: "r".repeat(32),
    caller: "c".repeat(32),
    chief: "w".repeat(32),
  };
  writeFileSync(
    join(folder, "credentials.yaml"),
    `tokens:
  - { name: inspector, role: inspect, token: ${tokens.inspector} }
  - { name: reader, role: read, token: ${tokens.reader} }
  - { name: caller, roles: [read, write], token: ${tokens.caller} }
  - { name: chief, role: write, token: ${tokens.chief} }
`,
  );
  const run = runIn(t, folder, ["--api-credentials", "credentials.yaml"], false);
  const api = await run.apiUrl();
  const as = (who: keyof typeof tokens) => ({ authorization: `Bearer ${tokens[who]}` });
  const explainedBy = (who: keyof typeof tokens) => explain(api, "orders-module", as(who));
  await until(
    async () => ((await explainedBy("inspector")).errors.errors[0]?.count ?? 0) > 0,
    () => run.stderr,
  );
  for (const who of ["inspector", "chief"] as const) {
    const seen = JSON.stringify(await explainedBy(who));
    assert.match(seen, new RegExp(MESSAGE), who);
    assert.match(seen, STACKS.module, who);
  }
  for (const who of ["reader", "caller"] as const) {
    const seen = await explainedBy(who);
    assert.doesNotMatch(JSON.stringify(seen), /no price for|price\.mjs:3/, who);
    assert.match(seen.errors.errors[0]?.id ?? "", /^[0-9a-f]{4}$/);
  }
  const invoke = async (who: keyof typeof tokens) => {
    const headers = { ...as(who), "x-amz-log-type": "Tail" };
    const path = `${api}/2015-03-31/functions/price-module/invocations`;
    const response = await fetch(path, { method: "POST", body: "{}", headers });
    return {
      status: response.status,
      answer: await response.json(),
      log: response.headers.get("x-amz-log-result"),
    };
  };
  const narrow = await invoke("caller");
  assert.equal(narrow.status, 200);
  assert.doesNotMatch(JSON.stringify(narrow.answer), /no price for|trace/);
  assert.equal(narrow.log, null);
  const errorsSeenBy = async (who: keyof typeof tokens) =>
    (await fetch(`${api}/millrace/v1/functions/price-module/errors`, { headers: as(who) })).text();
  assert.match(await errorsSeenBy("inspector"), new RegExp(`${MESSAGE}.*"count":1`));
  const narrowed = await errorsSeenBy("caller");
  assert.match(narrowed, /"count":1/);
  assert.doesNotMatch(narrowed, /no price for/);
  const wide = await invoke("chief");
  assert.match(JSON.stringify(wide.answer), new RegExp(MESSAGE));
  assert.notEqual(wide.log, null);
  assert.equal((await invoke("inspector")).status, 403);
});
