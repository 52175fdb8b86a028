import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startApiServer } from "../../../src/api/server.ts";
import { apiOptions } from "../api/api-fixture.ts";
import { ControlWorld, functionNamed } from "../control/control-world.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { runWords } from "./captured-host.ts";

const CONCURRENCY = "2017-10-31/functions/orders/concurrency";

test("diff shows what the API set, and nothing once its owner's declaration is back", async (t) => {
  const { url, millrace } = await startWorld(t);
  assert.deepEqual(await millrace("diff"), { status: 0, stdout: "There is no difference.\n", stderr: "" });
  const body = { ReservedConcurrentExecutions: 2 };
  assert.deepEqual(await ask(`${url}/${CONCURRENCY}`, "PUT", body), { status: 200, body });
  const read = await ask(`${url}/2019-09-30/functions/orders/concurrency`, "GET");
  assert.deepEqual(read, { status: 200, body });
  const { status, stdout } = await millrace("diff");
  assert.equal(status, 1);
  assert.match(stdout, /function\/orders +reservedConcurrency +2 +It was set by the API/);
  assert.deepEqual(await ask(`${url}/${CONCURRENCY}`, "DELETE"), { status: 204, body: undefined });
  assert.equal((await millrace("diff")).status, 0);
});

test("a concurrency that Lambda's API refuses is refused in its words", async (t) => {
  const { url } = await startWorld(t);
  for (const body of [{}, { ReservedConcurrentExecutions: 0 }, { ReservedConcurrentExecutions: "2" }]) {
    assert.equal((await ask(`${url}/${CONCURRENCY}`, "PUT", body)).status, 400);
  }
  const nobody = await ask(`${url}/2017-10-31/functions/nobody/concurrency`, "PUT", {});
  assert.equal(nobody.status, 404);
});

test("diff -f says field by field what would change if the manifests were applied", async (t) => {
  const { millrace } = await startWorld(t);
  const file = join(folderWith(t, { "m.yaml": manifest(5) }), "m.yaml");
  const { status, stdout } = await millrace("diff", "-f", file);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /function\/orders +timeoutSeconds +5 +3 +It is not applied to what the manifest set default/,
  );
  assert.match(stdout, /function\/slow +It is not in these manifests\./);
  assert.doesNotMatch(stdout, /reservedConcurrency/);
  const bad = join(folderWith(t, { "m.yaml": manifest(-1) }), "m.yaml");
  assert.equal((await millrace("diff", "-f", bad)).status, 2);
});

test("prune removes orphans, and adopt gives a function to another owner", async (t) => {
  const { millrace, world } = await startWorld(t);
  await world.start("b", { manifests: { functions: [functionNamed("orders")], mappings: [] } });
  await world.pass(2_000);
  assert.match(
    (await millrace("diff")).stdout,
    /function\/slow +It is no longer in the manifest set default/,
  );
  const one = await millrace("prune", "function/slow");
  assert.equal(one.stdout, "Removed function slow.\n");
  assert.match((await millrace("prune")).stdout, /Removed function other\.\nRemoved function versioned\./);
  assert.equal((await millrace("prune")).stdout, "There is no orphan to remove.\n");
  assert.equal(
    (await millrace("adopt", "function/orders", "--to", "api")).stdout,
    "function orders was of the manifest set default.\n",
  );
  for (const words of [["function/nobody"], ["orders"], ["alias/orders:live"]]) {
    assert.equal((await millrace("adopt", ...words, "--to", "api")).status, 2);
  }
  assert.equal((await millrace("adopt", "function/orders", "--to", "somebody")).status, 2);
});

async function startWorld(t: TestContext) {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const server = await startApiServer(apiOptions(plane));
  t.after(() => server.close());
  const millrace = (...words: string[]) => runWords([...words, "--api", server.url]);
  return { world, url: server.url, millrace };
}

async function ask(url: string, method: string, body?: object) {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

function manifest(timeoutSeconds: number): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  http: { url: "http://127.0.0.1:9/" }
  timeoutSeconds: ${timeoutSeconds}
`;
}
