import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startApiServer } from "../../../src/api/server.ts";
import { loadManifests } from "../../../src/manifests/load-manifests.ts";
import { mappingUuid } from "../../../src/manifests/mapping-uuid.ts";
import { apiOptions } from "../api/api-fixture.ts";
import { ControlWorld, functionNamed, PLACE } from "../control/control-world.ts";
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
  for (const body of [{}, { ReservedConcurrentExecutions: -1 }, { ReservedConcurrentExecutions: "2" }]) {
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

test("export prints what runs as manifests, whoever set it, and says what SAM cannot", async (t) => {
  const { url, millrace } = await startWorld(t);
  await ask(`${url}/${CONCURRENCY}`, "PUT", { ReservedConcurrentExecutions: 2 });
  const { status, stdout } = await millrace("export");
  assert.equal(status, 0);
  const file = join(folderWith(t, { "m.yaml": stdout }), "m.yaml");
  assert.match(stdout, /name: orders\n(?:.*\n)*? {2}reservedConcurrency: 2\n/);
  const { stdout: differences } = await millrace("diff", "-f", file);
  assert.doesNotMatch(differences, /It is not applied\.|not in these manifests/);
  const sam = await millrace("export", "--as", "sam");
  assert.match(
    sam.stderr,
    /^Function orders: It is left out, with all that invokes it: SAM has no function /m,
  );
  assert.match(sam.stdout, /^Transform: AWS::Serverless-2016-10-31\n/);
  assert.equal((await millrace("export", "--as", "terraform")).status, 2);
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

test("diff, prune and adopt know mappings by their names", async (t) => {
  const { world, url, millrace } = await startWorld(t);
  const read = (...documents: readonly string[]) => {
    const file = join(folderWith(t, { "m.yaml": [manifest(3), ...documents].join("---\n") }), "m.yaml");
    const context = { connectors: world.connectors, nowMs: 0, place: PLACE };
    const loaded = loadManifests([file], context);
    assert.ok(loaded.kind === "valid");
    return { file, manifests: loaded.manifests };
  };
  const before = read(mapping("orders"), mapping("parcels"));
  const { plane } = await world.start("b", { manifests: before.manifests });
  assert.equal((await millrace("diff", "-f", before.file)).stdout.includes("mapping/"), false);
  const uuid = mappingUuid("orders");
  const path = `${url}/2015-03-31/event-source-mappings/${uuid}`;
  assert.equal((await ask(path, "PUT", { Enabled: false })).status, 202);
  const refused = await ask(path, "PUT", { BatchSize: 7 });
  assert.equal(refused.status, 400);
  assert.match(String(refused.body.Message ?? refused.body.message), /Its owner is the manifest set default/);
  const overridden = await millrace("diff");
  assert.equal(overridden.status, 1);
  assert.match(overridden.stdout, /mapping\/orders +enabled +true +false +It was set by the API/);

  const after = read(mapping("orders", "batchSize: 7"));
  assert.match(
    (await millrace("diff", "-f", after.file)).stdout,
    /mapping\/orders +batchSize +7 +It is not applied to what the manifest set default declared\.\n.*mapping\/parcels +It is not in these/s,
  );
  await plane.reload(after.manifests);
  await world.pass(2_000);
  assert.match(
    (await millrace("diff")).stdout,
    /mapping\/parcels +It is no longer in the manifest set default/,
  );
  assert.equal((await millrace("prune", "mapping/parcels")).stdout, "Removed mapping parcels.\n");
  await millrace("prune");
  const view = await millrace("adopt", "mapping/orders", "--to", "api", "--dry-run");
  assert.match(
    view.stdout,
    /mapping\/orders +enabled +true +false +It was set by the API, and becomes what the API declares\.\nmapping orders is of/,
  );
  assert.match((await millrace("diff")).stdout, /mapping\/orders +enabled/, "nothing was changed");
  const adopted = await millrace("adopt", `mapping/${uuid}`, "--to", "api");
  assert.equal(adopted.status, 0);
  assert.match(
    adopted.stdout,
    /enabled +true +false.*\nmapping orders was of the manifest set default\.\n$/s,
  );
  assert.equal((await millrace("diff")).stdout, "There is no difference.\n");
  await world.pass(2_000);
  assert.equal((await ask(path, "PUT", { BatchSize: 9 })).status, 202);
  await world.pass(2_000);
  const back = await millrace("adopt", "mapping/orders", "--to", "manifest", "--dry-run");
  assert.match(
    back.stdout,
    /mapping\/orders +It is not in these manifests: .*\nmapping orders is of the API\.\n$/s,
  );
  assert.equal((await millrace("adopt", "mapping/nobody", "--to", "api")).status, 2);
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

function mapping(name: string, fields = ""): string {
  return `apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:123456789012:stream/${name}
  startingPosition: LATEST
  endpoints: { LOCAL_FILE: [/tmp/orders.db] }
  ${fields}
`;
}
