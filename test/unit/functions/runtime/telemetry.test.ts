import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionTelemetry } from "../../../../src/functions/runtime/session-telemetry.ts";
import { TelemetryBuffer } from "../../../../src/functions/runtime/telemetry-buffer.ts";
import { readSubscription } from "../../../../src/functions/runtime/telemetry-subscription.ts";
import { createManualClock } from "../manual-clock.ts";

const FN = {
  ...{ functionName: "orders", functionVersion: "3", handler: "index.handler" },
  ...{ accountId: "000000000000", memoryMb: 256 },
};
const EVENT = {
  ...{ requestId: "id-1", functionArn: "arn:aws:lambda:eu-west-1:1:function:orders", deadlineMs: 0 },
  ...{ traceId: "Root=1-2-3", clientContext: undefined, payload: new Uint8Array(0) },
};

function bodyOf(change: object = {}): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: "2022-07-01",
      types: ["platform", "function", "extension"],
      destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:8080/here" },
      ...change,
    }),
  );
}

test("a subscription has AWS's bounds where it says none, and goes to this machine alone", () => {
  assert.deepEqual(readSubscription("telemetry", bodyOf()), {
    types: new Set(["platform", "function", "extension"]),
    ...{ itemsMax: 10_000, bytesMax: 262_144, timeoutMs: 10_000 },
    ...{ protocol: "HTTP", port: 8080, path: "/here" },
  });
});

const REFUSED: readonly (readonly [string, object, string])[] = [
  ["no types", { types: [] }, "types: one or more of platform, function and extension"],
  ["an unknown type", { types: ["kernel"] }, "types: one or more of platform, function and extension"],
  ["999 items", { buffering: { maxItems: 999 } }, "buffering.maxItems: a whole number from 1000 to 30000"],
  [
    "2 MiB",
    { buffering: { maxBytes: 2_097_152 } },
    "buffering.maxBytes: a whole number from 262144 to 1048576",
  ],
  ["24 ms", { buffering: { timeoutMs: 24 } }, "buffering.timeoutMs: a whole number from 25 to 30000"],
  [
    "another machine",
    { destination: { protocol: "HTTP", URI: "http://169.254.169.254:80/" } },
    "destination.URI: http://sandbox.localdomain:PORT",
  ],
  ["the Logs API's schema", { schemaVersion: "2020-08-15" }, "schemaVersion: 2020-08-15 is not supported"],
];

for (const [name, change, text] of REFUSED) {
  test(`a subscription with ${name} is refused, and told why`, () => {
    assert.equal(readSubscription("telemetry", bodyOf(change)), text);
  });
}

function startTelemetry() {
  const clock = createManualClock();
  const sent: { readonly type: string; readonly record: unknown }[] = [];
  const telemetry = new SessionTelemetry({
    ...{ fn: FN, clock, isProvisioned: false },
    senderOf: () => (records) => {
      sent.push(...records.map((record) => JSON.parse(record)));
      return Promise.resolve(true);
    },
  });
  return { telemetry, sent, types: () => sent.map(({ type }) => type) };
}

test("a subscriber is told of the start, of each event and of what is printed, in their order", async () => {
  const { telemetry, sent, types } = startTelemetry();
  telemetry.registered("watcher", ["INVOKE"]);
  assert.deepEqual(telemetry.subscribe("watcher", "telemetry", bodyOf()), { status: 200, body: '"OK"' });
  telemetry.runtimeReady();
  telemetry.waits();
  telemetry.started(EVENT);
  telemetry.printed("hel", "function");
  telemetry.printed("lo\n", "function");
  telemetry.printed("seen\n", "extension");
  telemetry.answered("id-1", 4);
  telemetry.waits();
  await telemetry.ended("SPINDOWN");
  assert.deepEqual(types(), [
    ...["platform.initStart", "platform.extension", "platform.telemetrySubscription"],
    ...["platform.initRuntimeDone", "platform.initReport", "platform.start", "function", "extension"],
    ...["platform.runtimeDone", "platform.report"],
  ]);
  assert.equal(sent[6]?.record, "hello");
});

test("a report has the memory that was used, and the start with its first event alone", async () => {
  const { telemetry, sent } = startTelemetry();
  telemetry.subscribe("watcher", "telemetry", bodyOf());
  telemetry.waits();
  for (const [requestId, initMs] of [
    ["id-1", 80.4],
    ["id-2", undefined],
  ] as const) {
    telemetry.started({ ...EVENT, requestId });
    telemetry.settled(requestId, { initMs, maxMemoryMb: 31 });
    telemetry.answered(requestId, 4);
    telemetry.waits();
  }
  await telemetry.ended("SPINDOWN");
  const reports = sent.filter(({ type }) => type === "platform.report");
  const figures = { durationMs: 0, memorySizeMB: 256, maxMemoryUsedMB: 31 };
  assert.deepEqual(
    reports.map(({ record }) => (record as { readonly metrics: object }).metrics),
    [
      { ...figures, billedDurationMs: 81, initDurationMs: 80.4 },
      { ...figures, billedDurationMs: 0 },
    ],
  );
});

test("an event that was cut off is told with its status", async () => {
  const { telemetry, sent } = startTelemetry();
  telemetry.subscribe("watcher", "telemetry", bodyOf());
  telemetry.waits();
  telemetry.started(EVENT);
  await telemetry.ended("TIMEOUT");
  const [done, report] = sent.slice(-2).map(({ record }) => record as { readonly status: string });
  assert.deepEqual([done?.status, report?.status], ["timeout", "timeout"]);
});

test("after the start nobody can subscribe, and one process has one of the two APIs", () => {
  const { telemetry } = startTelemetry();
  telemetry.subscribe("watcher", "telemetry", bodyOf());
  const logs = bodyOf({ schemaVersion: "2020-08-15" });
  assert.equal(telemetry.subscribe("other", "logs", logs).status, 400);
  telemetry.waits();
  const late = telemetry.subscribe("late", "telemetry", bodyOf());
  assert.equal(late.status, 403);
  assert.match(late.body, /Telemetry\.SubscriptionClosed/);
});

test("a subscriber that is too slow loses records, and is told how many", async () => {
  const clock = createManualClock();
  const subscription = readSubscription("telemetry", bodyOf({ buffering: { maxItems: 1_000 } }));
  assert.ok(typeof subscription === "object");
  const batches: string[][] = [];
  const waiting: ((isTaken: boolean) => void)[] = [];
  const buffer = new TelemetryBuffer(subscription, clock, (records) => {
    batches.push([...records]);
    return new Promise((resolve) => waiting.push(resolve));
  });
  for (let index = 0; index < 6_000; index++)
    buffer.add({ time: "", type: "function", record: String(index) });
  const flushed = buffer.flush();
  while (batches.length < 6 && waiting.length > 0) {
    waiting.shift()?.(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await flushed;
  const all = batches.flat().map((record) => JSON.parse(record));
  const dropped = all.find(({ type }) => type === "platform.logsDropped");
  const arrived = all.filter(({ type }) => type === "function").length;
  assert.equal(arrived + dropped.record.droppedRecords, 6_000);
  assert.equal(arrived, 5_000);
});
