import assert from "node:assert/strict";
import { test } from "node:test";
import { localConnector, localQueueConnector } from "../../../../connectors/local/connector.ts";
import { comparePositions } from "../../../../connectors/local/position.ts";
import { parseQueueArn } from "../../../../connectors/local/queue-arn.ts";
import { parseStreamArn } from "../../../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../../../connectors/local/stream-file.ts";
import { CONNECTORS } from "../../../../connectors/registry.ts";
import type { QueueMapping, StreamMapping } from "../../../../src/model/mapping.ts";
import type { SourceForm } from "../../../../src/ports/connector.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { PLAIN_QUEUE_MAPPING } from "../../../fixtures/queue-mapping.ts";
import { ARN, NO_ABORT, openedSource, temporaryFolder } from "./local-fixture.ts";

const MAPPING: StreamMapping = {
  uuid: "11111111-1111-4111-8111-111111111111",
  name: "orders",
  functionName: "orders",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
  eventSourceArn: ARN.arn,
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
};

const QUEUE_MAPPING: QueueMapping = {
  ...PLAIN_QUEUE_MAPPING,
  eventSourceArn: "arn:aws:local:eu-west-1:123456789012:queue/orders.fifo",
};

test("every connector of the registry has a kind and ARNs of its own", () => {
  assert.equal(new Set(CONNECTORS.map((connector) => connector.kind)).size, CONNECTORS.length);
  const forms = CONNECTORS.flatMap(({ sources, endpointNames }) =>
    sources.map((form) => ({ form, endpoints: endpointNames.join() })),
  );
  for (const one of forms)
    assert.deepEqual(
      forms.filter((other) => isTaken(one.form, other.form) && one.endpoints === other.endpoints),
      [one],
    );
  assert.ok(CONNECTORS.includes(localConnector));
});

test("makes a source that a mapping names, once, and leaves one that is there as it is", async () => {
  using place = temporaryFolder();
  const settings = { endpoints: { LOCAL_FILE: [place.path] } };
  assert.equal(await localConnector.makeSource?.(MAPPING, settings), true);
  assert.equal(await localConnector.makeSource?.(MAPPING, settings), false);
  assert.equal(await localQueueConnector.makeSource?.(QUEUE_MAPPING, settings, 180_000), true);
  assert.equal(await localQueueConnector.makeSource?.(QUEUE_MAPPING, settings, 60_000), false);
  const stream = await localConnector.openStream(MAPPING, settings);
  const queue = await localQueueConnector.openQueue(QUEUE_MAPPING, settings);
  assert.equal(queue.description.visibilityMs, 180_000);
  await Promise.all([stream.close(), queue.close()]);
});

test("opens the stream that the ARN names in the file that the endpoint names", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createStream({ name: "orders", shards: 2, retentionMs: 60_000 });
  const source = await localConnector.openStream(MAPPING, { endpoints: { LOCAL_FILE: [place.path] } });
  assert.deepEqual(source.description, {
    kind: "local",
    eventSourceArn: ARN.arn,
    batchInfoName: "KinesisBatchInfo",
    arrivalPrecision: "milliseconds",
  });
  assert.equal((await source.listShards(NO_ABORT)).length, 2);
  await source.close();
  file.close();
});

test("opens the queue that the ARN names beside the streams of the file", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createQueue({ name: "orders.fifo", visibilityMs: 60_000 });
  const source = await localQueueConnector.openQueue(QUEUE_MAPPING, {
    endpoints: { LOCAL_FILE: [place.path] },
  });
  assert.deepEqual(source.description, {
    kind: "local-queue",
    eventSourceArn: QUEUE_MAPPING.eventSourceArn,
    isFifo: true,
    visibilityMs: 60_000,
    receiveMessagesMax: 10,
    deadLetter: undefined,
  });
  await source.close();
  file.close();
});

test("a queue needs exactly one path, and an ARN of its own form", async () => {
  await rejectsWith("ERR_MILLRACE_CONFIG", () => localQueueConnector.openQueue(QUEUE_MAPPING, {}));
  const prefix = "arn:aws:local:eu-west-1:123456789012";
  for (const arn of [
    "",
    `${prefix}:stream/orders`,
    `${prefix}:queue/a.b`,
    `${prefix}:queue/`,
    `${prefix}:queue/.fifo`,
  ]) {
    assert.throws(() => parseQueueArn(arn), { code: "ERR_MILLRACE_CONFIG" });
    const isFifo = localQueueConnector.isFifoQueue(arn);
    assert.equal(isFifo, arn.endsWith(".fifo"));
  }
  const arn = "arn:aws:local:::queue/orders.fifo";
  assert.deepEqual(parseQueueArn(arn), {
    arn,
    region: "us-east-1",
    account: "000000000000",
    name: "orders.fifo",
  });
});

test("needs exactly one path, and an ARN of its own form", async () => {
  for (const endpoints of [{}, { LOCAL_FILE: [] }, { LOCAL_FILE: ["/a", "/b"] }]) {
    const error = await rejectsWith("ERR_MILLRACE_CONFIG", () =>
      localConnector.openStream(MAPPING, { endpoints }),
    );
    assert.ok(error.message.includes("endpoints.LOCAL_FILE"), error.message);
  }
  for (const arn of [
    "",
    "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
    "arn:aws:local:eu-west-1:123456789012:stream/",
    "arn:aws:local:eu-west-1:123456789012:stream/a/b",
    "arn:aws:local:eu-west-1:12:stream/orders",
  ]) {
    assert.throws(() => parseStreamArn(arn), { code: "ERR_MILLRACE_CONFIG" });
  }
});

test("an ARN may leave out region and account", () => {
  const arn = "arn:aws:local:::stream/orders";
  const parts = { region: "us-east-1", account: "000000000000", name: "orders" };
  assert.deepEqual(parseStreamArn(arn), { arn, ...parts });
  assert.deepEqual(parseStreamArn(ARN.arn), ARN);
});

test("positions compare as numbers, whatever their width", () => {
  assert.ok(comparePositions("9", "10") < 0);
  assert.ok(comparePositions("00000000000000000010", "9") > 0);
  assert.equal(comparePositions("0007", "7"), 0);
});

test("a position of another kind of source is not found, with a remedy", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createStream({ name: "orders", shards: 1 });
  file.close();
  await using opened = openedSource(place.path);
  for (const position of ["", "abc", "-1", "49590338271490256608559692538361571095921575989136588898"]) {
    const error = await rejectsWith("ERR_MILLRACE_SOURCE_NOT_FOUND", () =>
      opened.source.openReader("shardId-000000000000", { kind: "after", position }, NO_ABORT),
    );
    assert.ok(error.message.includes("checkpoint"), error.message);
  }
});

test("a source that was closed is unavailable", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createStream({ name: "orders", shards: 1 });
  file.close();
  await using opened = openedSource(place.path);
  await opened.source.close();
  await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => opened.source.listShards(NO_ABORT));
});

/** A mapping that is named as `one` says would be read by `other`. */
function isTaken(one: SourceForm, other: SourceForm): boolean {
  if (one.kind === "selfManaged")
    return other.kind === "selfManaged" && other.endpointName === one.endpointName;
  return (
    other.kind === "arn" &&
    other.service === one.service &&
    one.resourcePrefix.startsWith(other.resourcePrefix)
  );
}
