import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createKinesisRecordFactory,
  encodeKinesisEvent,
  KINESIS_ENVELOPE_BYTES,
} from "../../../src/model/kinesis-event.ts";

const SOURCE = {
  eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
  awsRegion: "eu-west-1",
  invokeIdentityArn: "arn:aws:iam::123456789012:role/lambda-role",
  shardId: "shardId-000000000006",
};
const makeRecord = createKinesisRecordFactory(SOURCE);

test("the event of any records is what JSON.stringify would write, in exactly the announced bytes", () => {
  const anyRecord = fc.record({
    key: fc.string({ unit: "binary", minLength: 1, maxLength: 256 }),
    data: fc.uint8Array({ maxLength: 300 }),
    arrivalMs: fc.integer({ min: 0, max: 4e12 }),
  });
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 5 }), (inputs) => {
      const records = inputs.map((input, index) =>
        makeRecord(String(index), input.key, Buffer.from(input.data), input.arrivalMs),
      );
      const event = Buffer.from(encodeKinesisEvent(records, SOURCE.eventSourceArn, undefined));
      const expected = {
        Records: inputs.map((input, index) => ({
          kinesis: {
            kinesisSchemaVersion: "1.0",
            partitionKey: input.key,
            sequenceNumber: String(index),
            data: Buffer.from(input.data).toString("base64"),
            approximateArrivalTimestamp: input.arrivalMs / 1000,
          },
          eventSource: "aws:kinesis",
          eventVersion: "1.0",
          eventID: `${SOURCE.shardId}:${index}`,
          eventName: "aws:kinesis:record",
          invokeIdentityArn: SOURCE.invokeIdentityArn,
          awsRegion: SOURCE.awsRegion,
          eventSourceARN: SOURCE.eventSourceArn,
        })),
      };
      assert.equal(event.toString(), JSON.stringify(expected));
      const announced = records.reduce((sum, record) => sum + record.encodedBytes, KINESIS_ENVELOPE_BYTES);
      assert.equal(event.length, announced + Math.max(0, records.length - 1));
    }),
  );
});

test("a tumbling-window event carries AWS's members behind the records, in AWS's order", () => {
  const window = {
    shardId: SOURCE.shardId,
    startMs: Date.UTC(2020, 11, 9, 7, 4),
    endMs: Date.UTC(2020, 11, 9, 7, 6),
    stateJson: '{"höhe":1}',
    isFinalInvokeForWindow: true,
    isWindowTerminatedEarly: false,
  };
  const event = Buffer.from(encodeKinesisEvent([], SOURCE.eventSourceArn, window)).toString();
  assert.equal(
    event,
    `{"Records":[],"shardId":"${SOURCE.shardId}","eventSourceARN":"${SOURCE.eventSourceArn}",` +
      '"window":{"start":"2020-12-09T07:04:00Z","end":"2020-12-09T07:06:00Z"},"state":{"höhe":1},' +
      '"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}',
  );
});

test("a record without an arrival time, or with one that is no number, has no such member, in exactly the announced bytes", () => {
  for (const arrivalMs of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
    const record = makeRecord("1", "k", Buffer.from("{}"), arrivalMs);
    const event = Buffer.from(encodeKinesisEvent([record], SOURCE.eventSourceArn, undefined)).toString();
    assert.equal(event.length, KINESIS_ENVELOPE_BYTES + record.encodedBytes);
    const { Records } = JSON.parse(event) as { Records: readonly { kinesis: object }[] };
    const members = ["kinesisSchemaVersion", "partitionKey", "sequenceNumber", "data"];
    assert.deepEqual(Object.keys(Records[0]?.kinesis ?? {}), members);
  }
});
