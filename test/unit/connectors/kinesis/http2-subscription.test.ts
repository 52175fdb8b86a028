import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { EventStreamCodec } from "@smithy/core/event-streams";
import type { KinesisApi } from "../../../../connectors/kinesis/kinesis-api.ts";
import { createSdkApi } from "../../../../connectors/kinesis/sdk-api.ts";
import { createSubscriptionClient } from "../../../../connectors/kinesis/sdk-client.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import { useAwsEnvironment } from "../../../servers/aws-environment.ts";
import { CONSUMER_ARN, SHARD_ID, sequence } from "./fake-kinesis.ts";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text),
);

function frame(type: "event" | "exception", name: string, payload: object): Uint8Array {
  const text = (value: string) => ({ type: "string", value }) as const;
  return codec.encode({
    headers: {
      ":message-type": text(type),
      [`:${type}-type`]: text(name),
      ":content-type": text("application/json"),
    },
    body: Buffer.from(JSON.stringify(payload)),
  });
}

function event(ordinal: number, end = false): Uint8Array {
  const record = {
    SequenceNumber: sequence(ordinal),
    PartitionKey: "a",
    Data: Buffer.from(`data-${ordinal}`).toString("base64"),
    ApproximateArrivalTimestamp: 1_545_084_650.987,
  };
  return frame("event", "SubscribeToShardEvent", {
    Records: [record],
    ContinuationSequenceNumber: end ? null : sequence(ordinal),
    MillisBehindLatest: 0,
    ...(end ? { ChildShards: [childShard()] } : {}),
  });
}

function childShard(): object {
  const HashKeyRange = { StartingHashKey: "0", EndingHashKey: "9" };
  return { ShardId: "shardId-000000000001", ParentShards: [SHARD_ID], HashKeyRange };
}

/** The SDK against a service that speaks HTTP/2 only, as the real one does for subscriptions. */
async function apiOver(t: TestContext, answer: (stream: ServerHttp2Stream) => void): Promise<KinesisApi> {
  const server = createServer();
  const streams = new Set<ServerHttp2Stream>();
  server.on("stream", (stream) => {
    streams.add(stream);
    stream.on("error", () => undefined);
    stream.respond({ ":status": 200, "content-type": "application/vnd.amazon.eventstream" });
    stream.write(frame("event", "initial-response", {}));
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  useAwsEnvironment({
    AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const api = createSdkApi(parseStreamArn(CONSUMER_ARN), (region, clock) =>
    createSubscriptionClient(region, clock, () => true),
  );
  t.after(() => {
    api.close();
    for (const stream of streams) stream.destroy();
    server.close();
  });
  return api;
}

test("events come over HTTP/2, and the end of a shard with its children", async (t) => {
  const api = await apiOver(t, (stream) => {
    stream.write(event(0));
    stream.end(event(1, true));
  });
  const seen: unknown[] = [];
  const events = await api.subscribe(SHARD_ID, { kind: "oldest" }, new AbortController().signal);
  for await (const { records, continuation, childShards } of events) {
    seen.push([
      records.map(({ sequenceNumber, data, arrivalMs }) => [sequenceNumber, data.toString(), arrivalMs]),
      continuation,
      childShards.map(({ shardId, parentShardIds }) => [shardId, parentShardIds]),
    ]);
  }
  assert.deepEqual(seen, [
    [[[sequence(0), "data-0", 1_545_084_650_987]], sequence(0), []],
    [[[sequence(1), "data-1", 1_545_084_650_987]], undefined, [["shardId-000000000001", [SHARD_ID]]]],
  ]);
});

test("an exception in the stream is the fault that it names", async (t) => {
  const api = await apiOver(t, (stream) => {
    stream.end(frame("exception", "ResourceInUseException", { message: "another has it" }));
  });
  const events = await api.subscribe(SHARD_ID, { kind: "oldest" }, new AbortController().signal);
  await assert.rejects(events[Symbol.asyncIterator]().next(), {
    kind: "resourceInUse",
    message: /ResourceInUseException/,
  });
});

test("the end that the reader gives a subscription ends its connection", async (t) => {
  const closed = Promise.withResolvers<void>();
  const api = await apiOver(t, (stream) => {
    stream.on("close", () => closed.resolve());
    stream.write(event(0));
  });
  const end = new AbortController();
  const events = (await api.subscribe(SHARD_ID, { kind: "oldest" }, end.signal))[Symbol.asyncIterator]();
  assert.equal((await events.next()).value?.records.length, 1);
  const pending = events.next();
  end.abort();
  await closed.promise;
  const [result] = await Promise.allSettled([pending]);
  if (result.status === "rejected") assert.ok(hasErrorCode(result.reason, "ERR_MILLRACE_ABORTED"));
});
