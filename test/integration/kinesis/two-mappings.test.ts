import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { openKinesisSource } from "../../../connectors/kinesis/connector.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import { createHttpFunction } from "../../../src/functions/http.ts";
import type { StreamMapping } from "../../../src/model/mapping.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createQuietEngine } from "../../fixtures/quiet-engine.ts";
import { useAwsEnvironment } from "../../servers/aws-environment.ts";
import { startKinesalite } from "../../servers/kinesalite.ts";
import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import { httpFunction, until } from "../cli/millrace-process.ts";

const RECORDS = 200;

function mappingOf(name: string, streamArn: string): StreamMapping {
  return {
    uuid: randomUUID(),
    name,
    functionName: name,
    functionArn: `arn:aws:lambda:eu-west-1:000000000000:function:${name}`,
    eventSourceArn: streamArn,
    enabled: true,
    startingPosition: { kind: "TRIM_HORIZON" },
    batchSize: 10,
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
}

function recordsFrom(first: number) {
  return Array.from({ length: RECORDS }, (_, index) => ({ key: `key-${index}`, data: `${first + index}` }));
}

test("two mappings of one stream go their own ways: a slow function and a stop of one leave the other alone", async (t) => {
  const server = await startKinesalite();
  t.after(() => server.close());
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
  const stream = await KinesisTestStream.create(server.endpoint, 2);
  t.after(() => stream.close());
  const clock = createSystemClock();
  const engine = createQuietEngine({
    clock,
    settings: { ...DEFAULT_SETTINGS, checkpointIntervalMs: 10 },
  });
  t.after(() => engine.stop(0));
  const start = async (mapping: StreamMapping, url: string) => {
    const source = await openKinesisSource(stream.arn);
    const target = createHttpFunction({ url, connections: 10, clock });
    t.after(() => Promise.all([source.close(), target.close()]));
    const fn = { name: mapping.name, target, timeoutMs: 60_000, concurrency: 10 };
    engine.start({ kind: "stream", mapping, source, fn, destination: undefined });
  };
  const arrived = async (seen: readonly string[], count: number) => {
    await until(
      () => new Set(seen).size >= count,
      () => `${new Set(seen).size} of ${count} records came`,
    );
  };

  let isStuck = true;
  const held: (() => void)[] = [];
  const slow = await httpFunction(t, (_event, response) => {
    if (isStuck) held.push(() => response.end());
    else response.end();
  });
  const fast = await httpFunction(t, (_event, response) => response.end());
  await stream.put(recordsFrom(0));
  const slowMapping = mappingOf("slow", stream.arn);
  await start(slowMapping, slow.url);
  await start(mappingOf("fast", stream.arn), fast.url);

  await arrived(fast.seen, RECORDS);
  assert.ok(slow.seen.length <= 2 * 10, `${slow.seen.length} records at the function that does not answer`);
  await engine.stopMapping(slowMapping.uuid, 0);
  await stream.put(recordsFrom(RECORDS));
  await arrived(fast.seen, 2 * RECORDS);
  assert.equal(fast.seen.length, 2 * RECORDS, "the other mapping saw a record twice");

  isStuck = false;
  for (const answer of held) answer();
  slow.seen.length = 0;
  await start(slowMapping, slow.url);
  await arrived(slow.seen, 2 * RECORDS);
});
