import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { formatProblems, loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import {
  CONTEXT,
  FUNCTION,
  folderWith,
  loadText,
  problemsOf,
  QUEUE_ARN,
  SOURCE_ARN,
  withMapping,
  withQueueMapping,
} from "./manifest-samples.ts";

function valid(...[t, text]: Parameters<typeof loadText>): { manifests: Manifests; folder: string } {
  const { loaded, folder } = loadText(t, text);
  if (loaded.kind === "invalid") assert.fail(formatProblems(loaded.problems));
  return { manifests: loaded.manifests, folder };
}

test("fills in AWS's defaults", (t) => {
  const { manifests, folder } = valid(t, withMapping());
  assert.deepEqual(manifests.functions, [
    {
      name: "orders",
      target: { kind: "http", url: "http://127.0.0.1:9000/" },
      versions: new Map(),
      aliases: new Map(),
      timeoutMs: 3000,
      concurrency: 1000,
      isReserved: false,
      isConcurrencyAdaptive: false,
      errorDetails: "full",
    },
  ]);
  const [resource] = manifests.mappings;
  assert.deepEqual(resource?.mapping, {
    uuid: "d55461ea-c035-5613-8b71-178bfcd2f014",
    name: "orders-stream",
    functionName: "orders",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    eventSourceArn: SOURCE_ARN,
    enabled: true,
    startingPosition: { kind: "TRIM_HORIZON" },
    batchSize: 100,
    batchingWindowMs: 0,
    parallelizationFactor: 1,
    retryAttemptsMax: undefined,
    recordAgeMsMax: undefined,
    bisectBatchOnFunctionError: false,
    reportBatchItemFailures: false,
    tumblingWindowMs: 0,
    filterPatterns: [],
    onFailureDestination: undefined,
  });
  assert.deepEqual(resource?.endpoints, { LOCAL_FILE: [join(folder, "orders.db")] });
});

test("turns every setting into the engine's units", (t) => {
  const { manifests, folder } = valid(
    t,
    withMapping(
      `  uuid: 11111111-2222-4333-8444-55555555555A
  enabled: false
  startingPositionTimestamp: 2026-01-01T00:00:00+01:00
  batchSize: 1
  maximumBatchingWindowInSeconds: 300
  parallelizationFactor: 10
  maximumRetryAttempts: 0
  maximumRecordAgeInSeconds: 60
  bisectBatchOnFunctionError: true
  functionResponseTypes: [ReportBatchItemFailures]
  filterCriteria: { filters: [{ pattern: '{"data":{"a":[1]}}' }] }
  destinationConfig: { onFailure: { destination: file:failed/orders.jsonl } }
  tags: { team: shop }`,
      "AT_TIMESTAMP",
    ),
  );
  const [resource] = manifests.mappings;
  assert.deepEqual(resource?.tags, { team: "shop" });
  const { functionName, functionArn, eventSourceArn, ...settings } = resource?.mapping ?? assert.fail();
  assert.deepEqual(settings, {
    uuid: "11111111-2222-4333-8444-55555555555a",
    name: "orders-stream",
    enabled: false,
    startingPosition: { kind: "AT_TIMESTAMP", epochMs: Date.UTC(2025, 11, 31, 23) },
    batchSize: 1,
    batchingWindowMs: 300_000,
    parallelizationFactor: 10,
    retryAttemptsMax: 0,
    recordAgeMsMax: 60_000,
    bisectBatchOnFunctionError: true,
    reportBatchItemFailures: true,
    tumblingWindowMs: 0,
    filterPatterns: ['{"data":{"a":[1]}}'],
    onFailureDestination: `file:${join(folder, "failed/orders.jsonl")}`,
  });
});

test("an empty destination is none", (t) => {
  const { manifests } = valid(t, withMapping('  destinationConfig: { onFailure: { destination: "" } }'));
  const [resource] = manifests.mappings;
  assert.ok(resource?.kind === "stream");
  assert.equal(resource.destination, undefined);
  assert.equal(resource.mapping.onFailureDestination, undefined);
});

test("names an AWS destination by its ARN", (t) => {
  const arn = "arn:aws:sqs:eu-west-1:123456789012:failed";
  const { manifests } = valid(
    t,
    withMapping(`  destinationConfig: { onFailure: { destination: "${arn}" } }`),
  );
  const [resource] = manifests.mappings;
  assert.ok(resource?.kind === "stream");
  assert.equal(resource.destination?.kind, "sqs");
  assert.equal(resource.mapping.onFailureDestination, arn);
});

test("takes functions by every form of AWS's name, and gives them the process's one ARN with the qualifier", (t) => {
  const arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
  const elsewhere = "arn:aws:lambda:us-east-2:210987654321:function:orders";
  const forms = [
    ["orders:live", `${arn}:live`],
    ["orders:$LATEST", `${arn}:$LATEST`],
    ["210987654321:function:orders", arn],
    [arn, arn],
    [elsewhere, arn],
    [`${elsewhere}:7`, `${arn}:7`],
  ] as const;
  for (const [given, expected] of forms) {
    const { manifests } = valid(t, withMapping().replace("functionName: orders", `functionName: "${given}"`));
    assert.equal(manifests.mappings[0]?.mapping.functionArn, expected);
    assert.equal(manifests.mappings[0]?.functionName, "orders");
  }
});

test("takes the region of a Lambda function from its ARN unless one is given", (t) => {
  const arn = "arn:aws:lambda:us-east-2:210987654321:function:orders:live";
  const functionOf = (lambda: string) => {
    const text = withMapping().replace(/spec: .*/, `spec: { lambda: ${lambda} }`);
    return valid(t, text).manifests.functions[0];
  };
  assert.deepEqual(functionOf(`{ functionName: "${arn}" }`), {
    name: "orders",
    target: { kind: "lambda", functionName: arn, region: "us-east-2", endpoint: undefined },
    versions: new Map(),
    aliases: new Map(),
    timeoutMs: 3000,
    concurrency: 1000,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
  });
  const other = functionOf(`{ functionName: "${arn}", region: eu-west-1 }`)?.target;
  assert.equal(other?.kind === "lambda" && other.region, "eu-west-1");
  const plain = functionOf("{ functionName: function, endpoint: 'http://127.0.0.1:9001' }")?.target;
  assert.deepEqual(plain, {
    kind: "lambda",
    functionName: "function",
    region: undefined,
    endpoint: "http://127.0.0.1:9001",
  });
});

test("reads versions and aliases of a function", (t) => {
  const spec = `spec:
  http: { url: http://127.0.0.1:9000/ }
  versions: { 2: { http: { url: http://127.0.0.1:9002/ } }, 3: { lambda: { functionName: "f:3" } } }
  aliases: { live: { version: 2, weights: { 3: 0.05, $LATEST: 0 } }, next: { version: $LATEST } }`;
  const text = withMapping()
    .replace(/spec: .*/, spec)
    .replace("functionName: orders", "functionName: orders:live");
  const fn = valid(t, text).manifests.functions[0];
  assert.deepEqual(
    [...(fn?.versions ?? [])],
    [
      ["2", { kind: "http", url: "http://127.0.0.1:9002/" }],
      ["3", { kind: "lambda", functionName: "f:3", region: undefined, endpoint: undefined }],
    ],
  );
  assert.deepEqual(
    [...(fn?.aliases ?? [])],
    [
      ["live", { version: "2", weights: new Map([["3", 0.05]]) }],
      ["next", { version: "$LATEST", weights: new Map() }],
    ],
  );
});

test("finds modules from the folder of their manifest", (t) => {
  const spec = "spec: { module: { path: ./fn.mjs, environment: { MODE: test } }, reservedConcurrency: 4 }";
  const folder = folderWith(t, { "a/m.yaml": FUNCTION.replace(/spec: .*/, spec), "a/fn.mjs": "" });
  const loaded = loadManifests([join(folder, "a")], CONTEXT);
  assert.equal(loaded.kind, "valid");
  if (loaded.kind !== "valid") return;
  assert.deepEqual(loaded.manifests.functions, [
    {
      name: "orders",
      target: {
        kind: "module",
        path: join(folder, "a/fn.mjs"),
        exportName: "handler",
        environment: { MODE: "test" },
        memoryMb: 512,
        inheritEnvironment: [],
        credentials: "none",
      },
      versions: new Map(),
      aliases: new Map(),
      timeoutMs: 3000,
      concurrency: 4,
      isReserved: true,
      isConcurrencyAdaptive: false,
      errorDetails: "full",
    },
  ]);
});

test("reads folders in the order of their names, only YAML files, and a file named twice once", (t) => {
  const named = (name: string) => FUNCTION.replace("name: orders", `name: ${name}`);
  const folder = folderWith(t, {
    "b.yaml": named("b"),
    "a.yml": named("a"),
    "notes.txt": "- not read",
    "deeper/c.yaml": "- not read",
  });
  symlinkSync(join(folder, "a.yml"), join(folder, "z.yaml"));
  const loaded = loadManifests([folder, join(folder, "b.yaml")], CONTEXT);
  assert.equal(loaded.kind, "valid");
  if (loaded.kind !== "valid") return;
  assert.deepEqual(
    loaded.manifests.functions.map(({ name }) => name),
    ["a", "b"],
  );
});

test("reports all problems of all files at once, files in order, then lines", (t) => {
  const folder = folderWith(t, {
    "1.yaml": withMapping("  batchSize: 0\n  parallelizationFactor: 11").replace("http://", "ftp://"),
    "2.yaml": "kind: Job\n---\n- 1\n",
    "3.yaml": Uint8Array.of(0xff, 0xfe, 0xfd),
    "4.yaml": Buffer.alloc(1024 * 1024 + 1, "#"),
  });
  const loaded = loadManifests([folder, join(folder, "5.yaml")], CONTEXT);
  assert.equal(loaded.kind, "invalid");
  if (loaded.kind !== "invalid") return;
  assert.deepEqual(
    loaded.problems.map(({ file, place, field }) => [file.slice(folder.length + 1), place?.line, field]),
    [
      ["1.yaml", 4, "Function orders, spec.http.url"],
      ["1.yaml", 13, "EventSourceMapping orders-stream, spec.batchSize"],
      ["1.yaml", 14, "EventSourceMapping orders-stream, spec.parallelizationFactor"],
      ["2.yaml", 1, "kind"],
      ["2.yaml", 3, undefined],
      ["3.yaml", undefined, undefined],
      ["4.yaml", undefined, undefined],
      ["5.yaml", undefined, undefined],
    ],
  );
});

test("a function whose own fields are wrong still exists for the mappings that name it", (t) => {
  const problems = problemsOf(t, withMapping().replace("http://", "ftp://"));
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /Functions are not called over ftp/);
});

test("refuses what would blow up memory, stack or time, with a message", (t) => {
  let aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let level = 1; level < 12; level++) {
    aliases += `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}*a${level - 1}]\n`;
  }
  const bombs: readonly (readonly [RegExp, string])[] = [
    [/aliases cannot be expanded: Excessive alias count/, aliases],
    [/nested more than 32 deep/, "[".repeat(500_000)],
    [/nested more than 32 deep/, "- ".repeat(100_000)],
    [/nested more than 32 deep/, Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    [/more than 1000 entries/, Array.from({ length: 1001 }, (_, i) => `k${i}: 1`).join("\n")],
    [/more than 300000 words and marks/, "---\n".repeat(250_000)],
  ];
  for (const [expected, text] of bombs) {
    const problems = problemsOf(t, text);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", expected);
  }
});

test("any text ends in a result, never in an exception", (t) => {
  const anyText = fc.array(
    fc.constantFrom(
      ..."[]{}:-&*!|>#?,'\"% \n\t",
      "a",
      "kind: Function\n",
      "spec:\n",
      "---\n",
      "<<: *a\n",
      "&a ",
      "*a ",
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(anyText, (parts) => {
      loadText(t, parts.join(""));
    }),
    { numRuns: 300 },
  );
});

test("fills in AWS's defaults of a queue's mapping", (t) => {
  const { manifests } = valid(t, withQueueMapping());
  const [resource] = manifests.mappings;
  assert.equal(resource?.kind, "queue");
  assert.deepEqual(resource?.mapping, {
    uuid: "2889613e-896e-5489-a75f-999681db14f0",
    name: "orders-queue",
    functionName: "orders",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    eventSourceArn: QUEUE_ARN,
    enabled: true,
    batchSize: 10,
    batchingWindowMs: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
    concurrencyMax: undefined,
    provisionedPollers: undefined,
    strictAwsFifo: true,
  });
});

test("turns every setting of a queue's mapping into the engine's units", (t) => {
  const { manifests } = valid(
    t,
    withQueueMapping(`  batchSize: 10000
  maximumBatchingWindowInSeconds: 300
  functionResponseTypes: [ReportBatchItemFailures]
  filterCriteria: { filters: [{ pattern: '{"body":["plain"]}' }] }
  scalingConfig: { maximumConcurrency: 1000 }
  tenant: { by: messageGroupId, weights: { gold: 4 } }
  strictAwsFifo: false`),
  );
  const [resource] = manifests.mappings;
  const { uuid, name, functionName, functionArn, eventSourceArn, ...settings } =
    resource?.mapping ?? assert.fail();
  assert.deepEqual(settings, {
    enabled: true,
    batchSize: 10_000,
    batchingWindowMs: 300_000,
    reportBatchItemFailures: true,
    filterPatterns: ['{"body":["plain"]}'],
    concurrencyMax: 1_000,
    provisionedPollers: undefined,
    strictAwsFifo: false,
    tenant: { by: "/attributes/MessageGroupId", weights: { gold: 4 }, batchPerTenant: false },
  });
});

const POLLERS: readonly (readonly [config: string, expected: object | undefined])[] = [
  ["{}", undefined],
  ["{ minimumPollers: 5 }", { min: 5, max: 200 }],
  ["{ maximumPollers: 10000 }", { min: 2, max: 10_000 }],
  ["{ minimumPollers: 200, maximumPollers: 200 }", { min: 200, max: 200 }],
];
for (const [config, expected] of POLLERS) {
  test(`reads the provisioned pollers ${config} of a queue's mapping`, (t) => {
    const { manifests } = valid(t, withQueueMapping(`  provisionedPollerConfig: ${config}`));
    const [resource] = manifests.mappings;
    assert.ok(resource?.kind === "queue");
    assert.deepEqual(resource.mapping.provisionedPollers, expected);
  });
}
