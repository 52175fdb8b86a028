import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { KinesisClient, ListShardsCommand } from "@aws-sdk/client-kinesis";
import { createSdkStreamApi } from "../../../connectors/dynamodb-streams/sdk-stream-api.ts";
import { parseStreamArn } from "../../../connectors/dynamodb-streams/stream-arn.ts";
import { createAwsClient } from "../../../src/aws/client.ts";
import { setAwsEnvironment } from "../../servers/aws-emulator.ts";
import { startCannedAws } from "../../servers/canned-aws.ts";
import { FaultProxy } from "../../servers/fault-proxy.ts";

const NO_ABORT = new AbortController().signal;
const ARN = parseStreamArn(
  "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
);

test("a client that is made anew knows the service's time from the one before", async (t) => {
  const { endpoint } = await startCannedAws(t, () => ({ status: 200, body: '{"StreamDescription":{}}' }));
  const proxy = await FaultProxy.start(endpoint);
  t.after(() => proxy.close());
  setAwsEnvironment(proxy.endpoint);
  proxy.clockAheadMs = 60 * 60_000;
  for (let life = 0; life < 3; life++) {
    const api = createSdkStreamApi(ARN);
    await api.describe(undefined, NO_ABORT);
    api.close();
  }
  assert.equal(proxy.timeRefusals, 1);
});

test("a call that is throttled is one request, whoever makes it", async (t) => {
  const { requests } = await startCannedAws(t, () => ({
    status: 400,
    body: '{"__type":"ThrottlingException"}',
  }));
  const api = createSdkStreamApi(ARN);
  t.after(() => api.close());
  await assert.rejects(api.describe(undefined, NO_ABORT), { code: "ERR_MILLRACE_SOURCE_THROTTLED" });
  await assert.rejects(api.getRecords("shard-1", "iterator", 10, NO_ABORT), {
    code: "ERR_MILLRACE_SOURCE_THROTTLED",
  });
  assert.equal(requests.length, 2);
});

test("a request on whose connection nothing moves fails long before its call's deadline", async (t) => {
  const { endpoint } = await startCannedAws(t, () => ({ status: 200, body: "{}" }));
  const proxy = await FaultProxy.start(endpoint);
  t.after(() => proxy.close());
  proxy.always = { kind: "hang" };
  setAwsEnvironment(proxy.endpoint);
  const client = createAwsClient(
    { region: "eu-west-1", silenceMs: 50 },
    (settings) => new KinesisClient(settings),
  );
  t.after(() => client.destroy());
  await assert.rejects(client.send(new ListShardsCommand({ StreamName: "orders" })), {
    name: "TimeoutError",
  });
});

test("requests that wait for a connection longer than one may take to be made are served all the same", async (t) => {
  let served = 0;
  const server = createServer((_request, response) => {
    served++;
    setTimeout(() => response.end('{"Shards":[]}'), 300);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  setAwsEnvironment(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = createAwsClient(
    { region: "eu-west-1", connections: 1, connectMs: 1_000 },
    (settings) => new KinesisClient(settings),
  );
  t.after(() => client.destroy());
  const waiting = new AbortController();
  const left = client.send(new ListShardsCommand({ StreamName: "orders" }));
  const answers = Array.from({ length: 5 }, () =>
    client.send(new ListShardsCommand({ StreamName: "orders" })),
  );
  const given = client.send(new ListShardsCommand({ StreamName: "orders" }), { abortSignal: waiting.signal });
  waiting.abort();
  await assert.rejects(given, { name: "AbortError" });
  await Promise.all([left, ...answers]);
  assert.equal(served, 6);
});
