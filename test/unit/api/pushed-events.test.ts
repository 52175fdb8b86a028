import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionApi } from "./function-api.ts";

const CREATED = {
  EventName: "s3:ObjectCreated:Put",
  Key: "photos/a b.jpg",
  Records: [
    {
      eventVersion: "2.0",
      eventSource: "minio:s3",
      awsRegion: "",
      eventTime: "2026-11-30T10:00:00.000Z",
      eventName: "s3:ObjectCreated:Put",
      userIdentity: { principalId: "minio" },
      requestParameters: { principalId: "minio", region: "", sourceIPAddress: "127.0.0.1" },
      responseElements: { "x-amz-id-2": "id2", "x-amz-request-id": "REQ", "x-minio-deployment-id": "d" },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "Config",
        bucket: { name: "photos", ownerIdentity: { principalId: "minio" }, arn: "arn:aws:s3:::photos" },
        object: { key: "a+b.jpg", size: 5, eTag: "e", contentType: "image/jpeg", sequencer: "17A" },
      },
      source: { host: "h", port: "", userAgent: "MinIO" },
    },
  ],
};

function bodies(api: FunctionApi): readonly unknown[] {
  return api.world.events.accepted.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
}

test("a notification of MinIO becomes S3's event of one record", async (t) => {
  const api = await FunctionApi.start(t);
  const { status } = await api.ask("POST", "/millrace/v1/s3/orders", CREATED);
  assert.equal(status, 202);
  assert.equal(api.world.events.accepted[0]?.lane, "f:orders");
  assert.deepEqual(bodies(api), [
    {
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: "eu-west-1",
          eventTime: "2026-11-30T10:00:00.000Z",
          eventName: "ObjectCreated:Put",
          userIdentity: { principalId: "minio" },
          requestParameters: { sourceIPAddress: "127.0.0.1" },
          responseElements: { "x-amz-request-id": "REQ", "x-amz-id-2": "id2" },
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "Config",
            bucket: { name: "photos", ownerIdentity: { principalId: "minio" }, arn: "arn:aws:s3:::photos" },
            object: { key: "a+b.jpg", size: 5, eTag: "e", sequencer: "17A" },
          },
        },
      ],
    },
  ]);
});

test("what was removed has no size, and what is no notification is refused", async (t) => {
  const api = await FunctionApi.start(t);
  const [record] = CREATED.Records;
  const removed = { Records: [{ ...record, eventName: "s3:ObjectRemoved:Delete" }] };
  assert.equal((await api.ask("POST", "/millrace/v1/s3/orders", removed)).status, 202);
  assert.doesNotMatch(JSON.stringify(bodies(api)), /"size"|"eTag"/);
  assert.equal((await api.ask("POST", "/millrace/v1/s3/orders", { Records: [{}] })).status, 400);
  for (const lost of [{}, { records: [record] }, { Records: { 0: record } }, { Records: null }])
    assert.equal((await api.ask("POST", "/millrace/v1/s3/orders", lost)).status, 400, JSON.stringify(lost));
  const probe = { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "photos" };
  assert.equal((await api.ask("POST", "/millrace/v1/s3/orders", probe)).status, 202);
  assert.equal((await api.ask("POST", "/millrace/v1/s3/nobody", removed)).status, 404);
  api.world.events.isFull = true;
  assert.equal((await api.ask("POST", "/millrace/v1/s3/orders", removed)).status, 429);
});

const EVENT = { specversion: "1.0", id: "1", source: "/shop", type: "order", data: { total: 5 } };

test("CloudEvents go to a function as they are, in each of their forms", async (t) => {
  const api = await FunctionApi.start(t);
  const url = "/millrace/v1/cloudevents/orders";
  const as = (type: string) => ({ "content-type": type });
  assert.equal((await api.ask("POST", url, EVENT, as("application/cloudevents+json"))).status, 202);
  const batch = [EVENT, { ...EVENT, id: "2" }];
  assert.equal((await api.ask("POST", url, batch, as("application/cloudevents-batch+json"))).status, 202);
  const binary = { "ce-specversion": "1.0", "ce-id": "3", "ce-source": "/shop", "ce-type": "order" };
  assert.equal((await api.ask("POST", url, { total: 7 }, binary)).status, 202);
  assert.deepEqual(bodies(api), [
    EVENT,
    ...batch,
    {
      specversion: "1.0",
      id: "3",
      source: "/shop",
      type: "order",
      datacontenttype: "application/json",
      data: { total: 7 },
    },
  ]);
  const { status, text } = await api.ask(
    "POST",
    url,
    { specversion: "1.0" },
    as("application/cloudevents+json"),
  );
  assert.deepEqual([status, text], [400, "The CloudEvent lacks id, source, type."]);
});

test("CloudEvents are matched by rules, as EventBridge's events", async (t) => {
  const api = await FunctionApi.start(t);
  const call = (operation: string, body: object) =>
    api.ask("POST", "/", body, { "x-amz-target": `AWSEvents.${operation}` });
  await call("PutRule", { Name: "r", EventPattern: '{"source":["/shop"],"detail-type":["order"]}' });
  await call("PutTargets", { Rule: "r", Targets: [{ Id: "1", Arn: "orders", InputPath: "$.detail" }] });
  const headers = { "content-type": "application/cloudevents+json" };
  assert.equal((await api.ask("POST", "/millrace/v1/cloudevents", EVENT, headers)).status, 202);
  assert.equal((await api.ask("POST", "/millrace/v1/cloudevents?bus=other", EVENT, headers)).status, 202);
  assert.deepEqual(bodies(api), [{ total: 5 }]);
});

test("numbers of 64 bits come out of CloudEvents and EventBridge's events as they were written, and are matched", async (t) => {
  const api = await FunctionApi.start(t);
  const call = (operation: string, body: object) =>
    api.ask("POST", "/", body, { "x-amz-target": `AWSEvents.${operation}` });
  await call("PutRule", { Name: "r", EventPattern: '{"detail":{"id":[9007199254740993]}}' });
  await call("PutTargets", {
    Rule: "r",
    Targets: [
      { Id: "1", Arn: "orders", InputPath: "$.detail" },
      {
        Id: "2",
        Arn: "orders",
        InputTransformer: { InputPathsMap: { i: "$.detail.id" }, InputTemplate: '"<i>"' },
      },
    ],
  });
  const detail = '{"id":9007199254740993}';
  const entry = { Source: "shop", DetailType: "order" };
  const { body } = await call("PutEvents", {
    Entries: [
      { ...entry, Detail: detail },
      { ...entry, Detail: '{"id":9007199254740992}' },
    ],
  });
  assert.equal(body["FailedEntryCount"], 0);
  const url = "/millrace/v1/cloudevents";
  const text = `{"specversion":"1.0","id":"1","source":"/s","type":"order","data":${detail}}`;
  const headers = { "content-type": "application/cloudevents+json" };
  assert.equal((await api.ask("POST", url, Buffer.from(text), headers)).status, 202);
  assert.equal((await api.ask("POST", `${url}/orders`, Buffer.from(text), headers)).status, 202);
  const texts = api.world.events.accepted.map((item) => Buffer.from(item.body).toString());
  assert.deepEqual(texts, [detail, '"9007199254740993"', detail, '"9007199254740993"', text]);
});

test("entries that are none, and times beyond any calendar, fail by themselves or count as now", async (t) => {
  const api = await FunctionApi.start(t);
  const call = (operation: string, body: object) =>
    api.ask("POST", "/", body, { "x-amz-target": `AWSEvents.${operation}` });
  await call("PutRule", { Name: "r", EventPattern: '{"source":["shop"]}' });
  await call("PutTargets", { Rule: "r", Targets: [{ Id: "1", Arn: "orders", InputPath: "$.time" }] });
  const entry = { Source: "shop", DetailType: "order", Detail: "{}" };
  const { status, body } = await call("PutEvents", {
    Entries: [null, "x", [], { ...entry, Time: 1e300 }, { ...entry, Time: 253_402_300_800 }],
  });
  assert.deepEqual([status, body["FailedEntryCount"]], [200, 3]);
  for (const time of bodies(api)) assert.match(String(time), /^1970-01-01T/, "the clock of the test");
});

test("a CloudEvent in binary mode keeps its content type, and what is no UTF-8 is in base64", async (t) => {
  const api = await FunctionApi.start(t);
  const ce = { "ce-specversion": "1.0", "ce-id": "3", "ce-source": "/shop", "ce-type": "order" };
  const send = (body: Buffer, type: string, more: object = {}) =>
    api.ask("POST", "/millrace/v1/cloudevents/orders", body, { ...ce, ...more, "content-type": type });
  const latin = Buffer.from("h\xf6he", "latin1");
  for (const [body, type] of [
    [Buffer.from('{"a":1}'), "application/vnd.shop+json; charset=utf-8"],
    [Buffer.from("höhe"), "text/plain; charset=UTF-8"],
    [latin, "text/plain; charset=iso-8859-1"],
    [latin, "text/plain"],
  ] as const)
    assert.equal((await send(body, type, { "ce-data": "not it", "ce-not-a-name": "x" })).status, 202, type);
  const head = { specversion: "1.0", id: "3", source: "/shop", type: "order" };
  const base64 = latin.toString("base64");
  assert.deepEqual(bodies(api), [
    { ...head, datacontenttype: "application/vnd.shop+json; charset=utf-8", data: { a: 1 } },
    { ...head, datacontenttype: "text/plain; charset=UTF-8", data: "höhe" },
    { ...head, datacontenttype: "text/plain; charset=iso-8859-1", data_base64: base64 },
    { ...head, datacontenttype: "text/plain", data_base64: base64 },
  ]);
});
