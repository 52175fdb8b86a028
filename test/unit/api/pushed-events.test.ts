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
