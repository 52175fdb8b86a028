import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { credentials, status } from "@grpc/grpc-js";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { KedaClient } from "../../contract/kubernetes/keda-client.ts";
import { httpFunction, MillraceProcess, orderFolder, until } from "../cli/millrace-process.ts";

const TLS = fileURLToPath(new URL("../../fixtures/tls/", import.meta.url));
const STORE = ["--store", "sqlite:progress.db"];
const ENGINE = { quietSeconds: "20" };

async function startScaler(t: TestContext, folder: string, flags: readonly string[] = []) {
  const words = ["scaler", ...STORE, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", ...flags];
  const scaler = new MillraceProcess(t, words, folder);
  const find = () => /scaler is at (\S+), metrics at (\S+)\/metrics\n/.exec(scaler.stdout);
  await until(
    () => find() !== null,
    () => `no scaler: ${scaler.stderr}`,
  );
  const [, address = "", metricsUrl = ""] = find() ?? [];
  return { scaler, address, metricsUrl };
}

/** Runs the manifest until its source is empty, and ends in order. */
async function runOnce(t: TestContext, folder: string, manifest: string): Promise<void> {
  const words = ["run", "-f", manifest, ...STORE, "--api", "off", "--until-caught-up"];
  const engine = new MillraceProcess(t, words, folder);
  assert.equal((await engine.ended).status, 0, engine.stderr);
}

function append(folder: string, data: string): void {
  const file = openStreamFile(join(folder, "orders.db"));
  file.openStream("orders").append([{ partitionKey: data, data }]);
  file.close();
}

const settles = async (asked: () => Promise<boolean>, wanted: boolean) =>
  await until(
    async () => (await asked()) === wanted,
    () => `it stays ${!wanted}`,
  );

test("from zero with the first record, to zero once nothing waits, and told on a stream", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end("{}"));
  const { folder, manifest } = orderFolder(t, url, 20);
  await runOnce(t, folder, manifest);
  assert.equal(seen.length, 20);
  const { address, metricsUrl, scaler } = await startScaler(t, folder);
  const keda = new KedaClient(t, address);
  await settles(() => keda.isActive(ENGINE), false);
  const { said } = keda.streamActive(ENGINE);
  const ofFunction = { function: "orders" };
  assert.equal(await keda.isActive(ofFunction), false);
  assert.equal(await keda.isActive({ function: "others" }), false);
  append(folder, "late");
  await settles(() => keda.isActive(ENGINE), true);
  assert.equal(await keda.metric(ENGINE, "millrace-parts"), 1);
  assert.equal(await keda.isActive(ofFunction), true, "its pods are wanted, too");
  assert.equal(await keda.metric(ofFunction, "millrace-calls"), 1);
  assert.equal(await keda.isActive({ function: "others" }), false);
  await runOnce(t, folder, manifest);
  assert.equal(seen.length, 21, "a look takes no record");
  await settles(() => keda.isActive(ENGINE), false);
  await until(
    () => said.length === 3,
    () => `said were ${said.join()}`,
  );
  assert.deepEqual(said, [false, true, false]);
  const metrics = await (await fetch(`${metricsUrl}/metrics`)).text();
  assert.match(metrics, /millrace_scaler_waiting_elements\{mapping="orders-stream"\} 0/);
  scaler.kill("SIGTERM");
  assert.equal((await scaler.ended).status, 0, scaler.stderr);
});

test("a mapping that was never begun, and a source that is gone, are never zero", async (t) => {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 0);
  await runOnce(t, folder, manifest);
  const { address, scaler } = await startScaler(t, folder);
  const keda = new KedaClient(t, address);
  await settles(() => keda.isActive(ENGINE), false);
  rmSync(join(folder, "orders.db"));
  await settles(() => keda.isActive(ENGINE), true);
  assert.equal(await keda.metric(ENGINE, "millrace-elements"), 1);
  await scaler.logged("what waits cannot be asked; it is taken to be something");
});

test("a trigger that cannot be meant, and a metric that is none, are refused in words", async (t) => {
  const { folder } = orderFolder(t, "http://127.0.0.1:9/", 0);
  const { address } = await startScaler(t, folder);
  const keda = new KedaClient(t, address);
  const refusals = [
    [
      () => keda.isActive({ lagSeconds: "5" }),
      /there is no "lagSeconds"\. Give function, elementsPerReplica/,
    ],
    [() => keda.isActive({ quietSeconds: "soon" }), /quietSeconds is "soon"\. Give a whole number from 20/],
    [() => keda.specs({ function: "orders:live" }), /without version or alias/],
    [() => keda.metric(ENGINE, "millrace-calls"), /has no metric "millrace-calls"/],
    [() => keda.streamSpecs({ quietSeconds: "1" }), /quietSeconds is "1"/],
  ] as const;
  for (const [ask, message] of refusals)
    await assert.rejects(ask, { code: status.INVALID_ARGUMENT, message });
  const own = { scalerAddress: address, enableTLS: "false", elementsPerReplica: "50" };
  const specs = { "millrace-elements": 50, "millrace-parts": 10 };
  assert.deepEqual(await keda.specs(own), specs);
  assert.deepEqual(await keda.streamSpecs(own), specs);
  assert.deepEqual(await keda.specs({ function: "orders" }), { "millrace-calls": 1 });
});

test("with TLS it answers who trusts its certificate, and nobody without", async (t) => {
  const { folder } = orderFolder(t, "http://127.0.0.1:9/", 0);
  const flags = ["--tls-cert", join(TLS, "server.crt"), "--tls-key", join(TLS, "server.key")];
  const { address } = await startScaler(t, folder, flags);
  const port = address.split(":")[1];
  const ca = readFileSync(join(TLS, "root.crt"));
  const trusted = new KedaClient(t, `localhost:${port}`, credentials.createSsl(ca));
  assert.equal(typeof (await trusted.isActive({})), "boolean");
  const other = credentials.createSsl(readFileSync(join(TLS, "other-root.crt")));
  await assert.rejects(new KedaClient(t, `localhost:${port}`, other).isActive({}), {
    code: status.UNAVAILABLE,
  });
  await assert.rejects(new KedaClient(t, `localhost:${port}`).isActive({}), { code: status.UNAVAILABLE });
});

test("an engine that has a call under way keeps itself and the function's pods", async (t) => {
  let release: (() => void) | undefined;
  const { url } = await httpFunction(t, (_event, response) => {
    release = () => response.end("{}");
  });
  const { folder, manifest } = orderFolder(t, url, 0);
  const engine = new MillraceProcess(t, ["run", "-f", manifest, ...STORE, "--api", "127.0.0.1:0"], folder);
  const api = await engine.apiUrl();
  const invoked = fetch(`${api}/2015-03-31/functions/orders/invocations`, {
    method: "POST",
    body: '{"Records":[]}',
  });
  await until(
    () => release !== undefined,
    () => `not invoked: ${engine.stderr}`,
  );
  const { address, metricsUrl } = await startScaler(t, folder);
  const keda = new KedaClient(t, address);
  const ofFunction = { function: "orders" };
  await until(
    async () => (await keda.metric(ofFunction, "millrace-calls")) === 1,
    () => "the call is not seen",
  );
  assert.equal(await keda.isActive(ENGINE), true);
  release?.();
  assert.equal((await invoked).status, 200);
  await until(
    async () => (await keda.metric(ofFunction, "millrace-calls")) === 0,
    () => "the call stays",
  );
  assert.equal(await keda.isActive(ENGINE), true, "what was there a moment ago may be there again");
  const status = await (await fetch(`${metricsUrl}/status`)).text();
  assert.match(status, /"there was something to do a moment ago"/);
  engine.kill("SIGTERM");
  await engine.ended;
  await settles(() => keda.isActive(ENGINE), false);
});
