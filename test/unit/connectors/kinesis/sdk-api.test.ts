import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { KinesisApi } from "../../../../connectors/kinesis/kinesis-api.ts";
import { createSdkApi } from "../../../../connectors/kinesis/sdk-api.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import { useAwsEnvironment } from "../../../servers/aws-environment.ts";
import { NO_ABORT, STREAM_ARN } from "./fake-kinesis.ts";

interface Request {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The SDK against a server that answers `answers` in turn; `undefined`: never. */
async function apiWith(
  t: TestContext,
  answers: readonly (object | undefined)[],
  date?: string,
): Promise<{ api: KinesisApi; requests: Request[] }> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
      const answer = answers[requests.length];
      requests.push({ action, input: JSON.parse(body) });
      if (answer === undefined) return;
      if (date !== undefined) response.setHeader("date", date);
      response.writeHead("__type" in answer ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${port}` });
  const api = createSdkApi(parseStreamArn(STREAM_ARN));
  t.after(() => {
    api.close();
    server.closeAllConnections();
    server.close();
  });
  return { api, requests };
}

test("members that the service sends as null are as if left out: a shard's end is an end", async (t) => {
  const { api } = await apiWith(t, [
    { Records: [], NextShardIterator: null, MillisBehindLatest: null, ChildShards: null },
    {
      Shards: [
        {
          ShardId: "shardId-000000000000",
          ParentShardId: null,
          AdjacentParentShardId: null,
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: "9" },
          SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: null },
        },
      ],
      NextToken: null,
    },
  ]);
  const { answeredMs, ...page } = await api.records("iterator", 10, NO_ABORT);
  assert.equal(typeof answeredMs, "number");
  assert.deepEqual(page, { records: [], nextIterator: undefined, lagMs: undefined, childShards: [] });
  assert.deepEqual(await api.listShards(NO_ABORT), [
    {
      shardId: "shardId-000000000000",
      parentShardIds: [],
      closed: false,
      hashKeys: { first: 0n, last: 9n },
    },
  ]);
});

test("records without an arrival time, or with one that is no date, have none; answers have the date of the service", async (t) => {
  const date = "Sat, 21 Nov 2020 10:00:00 GMT";
  const record = { SequenceNumber: "1", PartitionKey: "k", Data: "aGk=" };
  const Records = [record, { ...record, ApproximateArrivalTimestamp: 1e18 }];
  const { api } = await apiWith(t, [{ Records, NextShardIterator: "next", MillisBehindLatest: 0 }], date);
  const page = await api.records("iterator", 10, NO_ABORT);
  assert.deepEqual(
    page.records.map(({ arrivalMs }) => arrivalMs),
    [undefined, undefined],
  );
  assert.equal(page.answeredMs, Date.parse(date));
});

test("shards are listed page by page, with the token alone behind the first", async (t) => {
  const shard = (index: number, parents: object) => ({
    ShardId: `shardId-00000000000${index}`,
    HashKeyRange: { StartingHashKey: "0", EndingHashKey: "9" },
    SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: "2" },
    ...parents,
  });
  const { api, requests } = await apiWith(t, [
    { Shards: [shard(0, {}), shard(1, {})], NextToken: "more" },
    {
      Shards: [
        shard(2, { ParentShardId: "shardId-000000000000", AdjacentParentShardId: "shardId-000000000001" }),
      ],
    },
  ]);
  const shards = await api.listShards(NO_ABORT);
  assert.deepEqual(
    shards.map(({ parentShardIds, closed }) => [parentShardIds, closed]),
    [
      [[], true],
      [[], true],
      [["shardId-000000000000", "shardId-000000000001"], true],
    ],
  );
  assert.deepEqual(requests, [
    { action: "ListShards", input: { StreamName: "orders", StreamARN: STREAM_ARN, MaxResults: 1_000 } },
    { action: "ListShards", input: { NextToken: "more", MaxResults: 1_000 } },
  ]);
});

test("a failed call is made once: trying again is the engine's business", async (t) => {
  const fault = { __type: "ProvisionedThroughputExceededException", message: "Rate exceeded" };
  const { api, requests } = await apiWith(t, [fault, fault, fault]);
  await assert.rejects(api.records("iterator", 10, NO_ABORT), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_THROTTLED"),
  );
  assert.equal(requests.length, 1);
});

test("an abort ends a call that is never answered", async (t) => {
  const { api } = await apiWith(t, []);
  const caller = new AbortController();
  const pending = api.records("iterator", 10, caller.signal);
  setTimeout(() => caller.abort(), 20);
  await assert.rejects(pending, (error) => hasErrorCode(error, "ERR_MILLRACE_ABORTED"));
});

test("the service's time is that of its responses, wherever our clock stands", async (t) => {
  const date = "Sat, 21 Nov 2020 10:00:00 GMT";
  const { api } = await apiWith(
    t,
    [{ StreamDescriptionSummary: { StreamCreationTimestamp: 1_700_000_000 } }],
    date,
  );
  assert.deepEqual(await api.describeStream(NO_ABORT), { createdMs: 1_700_000_000_000 });
  const aheadMs = api.serviceTimeMs() - Date.parse(date);
  assert.ok(aheadMs >= 0 && aheadMs < 60_000, `${aheadMs} ms ahead`);
});
