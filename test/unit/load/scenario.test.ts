import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { EXAMPLE } from "../../../src/load/example.ts";
import { writeLoadManifest } from "../../../src/load/load-manifest.ts";
import { loadScenario, type ScenarioFile, scenarioJsonSchemaText } from "../../../src/load/load-scenario.ts";
import { formatProblem } from "../../../src/manifests/problem.ts";

const SCENARIOS = new URL("../../../examples/load/", import.meta.url);

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-scenario-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function load(t: TestContext, text: string) {
  const file = join(folderOf(t), "load.yaml");
  writeFileSync(file, text);
  const loaded = loadScenario(file);
  if (loaded.kind === "valid") return { scenario: loaded.scenario, problems: [] };
  return {
    scenario: undefined,
    problems: loaded.problems.map((problem) => formatProblem(problem).replace(`${file}:`, "")),
  };
}

function scenarioOf(t: TestContext, spec: string): ScenarioFile {
  const { scenario, problems } = load(t, document(spec));
  assert.ok(scenario !== undefined, problems.join("\n"));
  return scenario;
}

function document(spec: string): string {
  return `apiVersion: millrace.dev/v1
kind: LoadTest
metadata: { name: test }
spec:
${spec.replaceAll(/^/gm, "  ")}
`;
}

const RATE = "rate: [{ seconds: 10, perSecond: 5 }]";

test("the example and all scenarios of examples/load are valid, and so are the manifests that they make", (t) => {
  const files = readdirSync(SCENARIOS).filter((name) => name.endsWith(".yaml"));
  const texts = files.map((name) => readFileSync(new URL(name, SCENARIOS), "utf8"));
  assert.ok(files.length >= 3);
  for (const text of [EXAMPLE, ...texts]) {
    const { scenario, problems } = load(t, text);
    assert.ok(scenario !== undefined, problems.join("\n"));
    const manifest = writeManifest(t, scenario);
    assert.equal(manifest.kind, "valid", JSON.stringify(manifest));
  }
});

function writeManifest(t: TestContext, scenario: ScenarioFile) {
  const folder = folderOf(t);
  return writeLoadManifest({
    scenario,
    connectors: CONNECTORS,
    folder,
    functionUrl: "http://127.0.0.1:1/",
    nowMs: Date.now(),
  });
}

const BAD: readonly (readonly [spec: string, problem: RegExp])[] = [
  ["seed: 1", /spec\.rate: The field is missing and has no default\. Give a list of at most 1000 entries\./],
  [
    "rate: []",
    /spec\.rate: 1 validation error detected: Value '\[\]' at 'rate' failed to satisfy constraint: Member must have length greater than or equal to 1\./,
  ],
  [
    "rate: [{ seconds: 0, perSecond: 5 }]",
    /5:21: spec\.rate\[0\]\.seconds: .*greater than or equal to 0\.1\. Give a number from 0\.1 to 604800\. How long the phase takes, in seconds\./,
  ],
  [
    "rate: [{ seconds: 1, perSecond: 5, rampTo: 3 }]",
    /spec\.rate\[0\]\.rampTo: There is no field "rampTo"\. /,
  ],
  [
    "rate: [{ seconds: 1, perSecond: 0 }]",
    /spec\.rate: The test sends no record\. Give a phase with a perSecond above 0\./,
  ],
  [
    `${RATE}\nkeys: { count: 1.5 }`,
    /spec\.keys\.count: The value is the number 1\.5\. Give a whole number from 1 to 1000000\./,
  ],
  [`${RATE}\nkeys: { skwe: 1 }`, /spec\.keys\.skwe: There is no field "skwe"\. Did you mean skew\?/],
  [
    `${RATE}\nrecord: { bytes: 2000, bytesMax: 1000 }`,
    /spec\.record\.bytesMax: The largest record is smaller than the smallest\. Give 2000 or more\./,
  ],
  [
    `${RATE}\nfunction: { latency: { shape: gauss } }`,
    /Member must satisfy enum value set: \[constant, uniform, exponential, lognormal\]\. Give one of constant, uniform, exponential, lognormal\./,
  ],
  [
    `${RATE}\nfunction: { latency: { shape: uniform, ms: 50, msMax: 10 } }`,
    /latency\.msMax: The largest latency is below ms\. Give 50 or more\./,
  ],
  [
    `${RATE}\nfunction: { errors: { throwPercent: 60, timeoutPercent: 60 } }`,
    /spec\.function\.errors: More than 100 percent/,
  ],
  [
    `${RATE}\nfaults: [{ atSeconds: 10, kind: crash }]`,
    /spec\.faults\[0\]\.atSeconds: The fault begins when the test is over\. Give less than 10, the seconds of all phases together\./,
  ],
  [
    `${RATE}\nfaults: [{ atSeconds: 1, kind: crash, seconds: 2 }, { atSeconds: 2, kind: pause }]`,
    /spec\.faults\[1\]: The fault overlaps with spec\.faults\[0\]\./,
  ],
  [
    `${RATE}\nmapping: { functionName: mine }`,
    /spec\.mapping\.functionName: The test brings its own function\. Remove the field\./,
  ],
  [
    `${RATE}\nfunction: { url: "http://127.0.0.1:9000/", errors: { throwPercent: 1 } }`,
    /spec\.function\.errors: The function is your own\. Remove the field/,
  ],
  [`${RATE}\nfunction: { url: orders }`, /spec\.function\.url: /],
  [
    `${RATE}\nengine: none\nmapping: { eventSourceArn: x }`,
    /spec\.function: Without an engine nobody is told where the function is\. Give listen: HOST:PORT/,
  ],
  [
    `${RATE}\nengine: none\nfunction: { listen: "0.0.0.0:9000" }`,
    /spec\.mapping: Without an engine nobody reads the test's own source\. Give eventSourceArn/,
  ],
  [
    `${RATE}\nengine: none\nfunction: { listen: "0.0.0.0:9000" }\nmapping: { eventSourceArn: x }\nfaults: [{ atSeconds: 1, kind: crash }]`,
    /spec\.faults\[0\]\.kind: There is no engine that could be disturbed/,
  ],
  [`${RATE}\nengine: { stroe: x }`, /spec\.engine\.stroe: There is no field "stroe"\. Did you mean store\?/],
  [`${RATE}\nmemory: { warmupSeconds: 10 }`, /spec\.memory\.warmupSeconds: The whole test is warm-up/],
];

for (const [spec, problem] of BAD) {
  test(`says what is wrong with: ${spec.replaceAll("\n", "; ")}`, (t) => {
    const { problems } = load(t, document(spec));
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", problem);
  });
}

test("a file that is no scenario says so", (t) => {
  assert.match(
    load(t, "").problems[0] ?? "",
    /There is no scenario here\. A file holds one document of kind LoadTest/,
  );
  assert.match(load(t, "kind: Function\n").problems[0] ?? "", /1:7: kind: The document is not a load test\./);
  assert.match(
    load(t, `${EXAMPLE}---\n${EXAMPLE}`).problems[0] ?? "",
    /There is more than one scenario here/,
  );
  assert.match(load(t, "a: [").problems[0] ?? "", /The YAML cannot be read/);
  assert.equal(loadScenario("/nowhere/load.yaml").kind, "invalid");
});

test("a problem of the mapping is told at its field of the scenario", (t) => {
  const scenario = scenarioOf(t, `${RATE}\nmapping:\n  batchSize: 10\n  parallelizationFactor: 11`);
  const written = writeManifest(t, scenario);
  assert.equal(written.kind, "invalid");
  const texts = written.kind === "invalid" ? written.problems.map(formatProblem) : [];
  assert.equal(texts.length, 1);
  assert.match(
    texts[0] ?? "",
    /load\.yaml:8:\d+: spec\.mapping\.parallelizationFactor: .*less than or equal to 10/,
  );
});

test("paths of the mapping start from the scenario's folder", (t) => {
  const scenario = scenarioOf(
    t,
    `${RATE}
mapping:
  eventSourceArn: arn:aws:local:x:000000000000:stream/orders
  endpoints: { LOCAL_FILE: [orders.db] }
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }`,
  );
  const written = writeManifest(t, scenario);
  assert.ok(written.kind === "valid" && written.resource.kind === "stream");
  assert.deepEqual(written.resource.endpoints, { LOCAL_FILE: [join(scenario.folder, "orders.db")] });
  assert.deepEqual(written.resource.destination, {
    kind: "file",
    path: join(scenario.folder, "failed.jsonl"),
    uri: `file:${join(scenario.folder, "failed.jsonl")}`,
  });
  // What it did not make may hold records from before.
  assert.equal(written.resource.mapping.startingPosition.kind, "LATEST");
  assert.equal(written.discardedFile, undefined);
});

test("the published JSON Schema is the one of the code", () => {
  const published = readFileSync(new URL("../../docs/schema/load-test.schema.json", SCENARIOS), "utf8");
  assert.equal(published, scenarioJsonSchemaText(), 'stale: run "npm run settings"');
});
