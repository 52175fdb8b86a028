import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AmqpProperties } from "../../../../connectors/rabbitmq/amqp-api.ts";
import { createBodyFactory, createRabbitEvents } from "../../../../connectors/rabbitmq/event.ts";
import { rabbitEventRecords, rabbitPipeRecords } from "../../../../connectors/rabbitmq/event-records.ts";
import { javaDate } from "../../../../connectors/rabbitmq/java-date.ts";
import type { RabbitOrder } from "../../../../connectors/rabbitmq/settings.ts";
import { messageOf } from "../../../../src/brokers/sent-message.ts";
import { PAYLOAD_BYTES_MAX } from "../../../../src/model/limits.ts";

const SOURCE = {
  eventSourceArn: "arn:aws:mq:us-west-2:112556298976:broker:test:b-9bcfa592-423a-4942-879d-eb284b418fc8",
  queue: "test",
  virtualHost: "/",
};
const DATA = "eyJ0aW1lb3V0IjowLCJkYXRhIjoiQ1pybWYwR3c4T3Y0YnFMUXhENEUifQ==";
const PROPERTIES: AmqpProperties = {
  contentType: "text/plain",
  headers: { header1: "value1", numberInHeader: 10 },
  deliveryMode: 1,
  priority: 34,
  expiration: "60000",
  timestamp: 2_021,
  userId: "AIDACKCEVSQ6C2EXAMPLE",
};

function messageWith(
  properties: AmqpProperties,
  content: Buffer = Buffer.from(DATA, "base64"),
  order: RabbitOrder = { by: "queue" },
) {
  const body = createBodyFactory(SOURCE, order)({ deliveryTag: 7, redelivered: false, properties, content });
  return messageOf(body, 1);
}

function propertiesOf(properties: AmqpProperties): Record<string, unknown> {
  const element = createRabbitEvents(SOURCE).element(messageWith(properties));
  return JSON.parse(Buffer.from(element).toString()).basicProperties;
}

describe("the event of RabbitMQ", () => {
  test("is AWS's own sample, member by member and in its order", () => {
    const events = createRabbitEvents(SOURCE);
    assert.equal(
      Buffer.from(events.encode([messageWith(PROPERTIES)])).toString(),
      '{"eventSource":"aws:rmq","eventSourceArn":"arn:aws:mq:us-west-2:112556298976:broker:test:b-9bcfa592-423a-4942-879d-eb284b418fc8",' +
        '"rmqMessagesByQueue":{"test::/":[{"basicProperties":{"contentType":"text/plain","contentEncoding":null,' +
        '"headers":{"header1":{"bytes":[118,97,108,117,101,49]},"numberInHeader":10},"deliveryMode":1,"priority":34,' +
        '"correlationId":null,"replyTo":null,"expiration":"60000","messageId":null,"timestamp":"Jan 1, 1970, 12:33:41 AM",' +
        '"type":null,"userId":"AIDACKCEVSQ6C2EXAMPLE","appId":null,"clusterId":null,"bodySize":43},' +
        `"redelivered":false,"data":"${DATA}"}]}}`,
    );
  });

  test("has every member of a message without properties, as null", () => {
    const names =
      "contentType contentEncoding headers deliveryMode priority correlationId replyTo expiration";
    const nulls = `${names} messageId timestamp type userId appId clusterId`.split(" ");
    const expected = { ...Object.fromEntries(nulls.map((name) => [name, null])), bodySize: 43 };
    assert.deepEqual(propertiesOf({}), expected);
  });

  test("shows texts and bytes of headers as signed bytes, and other values as they are", () => {
    const headers = {
      text: "é",
      bytes: Buffer.from([0, 255]),
      yes: true,
      nothing: null,
      half: 0.5,
      endless: Number.NaN,
      list: ["a", 1],
      table: { inner: "b" },
      at: { "!": "timestamp", value: 2_021 },
      price: { "!": "decimal", value: { places: 2, digits: 1999 } },
    };
    assert.deepEqual(propertiesOf({ headers })["headers"], {
      text: { bytes: [-61, -87] },
      bytes: { bytes: [0, -1] },
      yes: true,
      nothing: null,
      half: 0.5,
      endless: null,
      list: [{ bytes: [97] }, 1],
      table: { inner: { bytes: [98] } },
      at: "Jan 1, 1970, 12:33:41 AM",
      price: 19.99,
    });
  });

  test("a time that no date has is null, and noon and midnight are twelve", () => {
    assert.equal(javaDate(43_200), "Jan 1, 1970, 12:00:00 PM");
    assert.equal(javaDate(0), "Jan 1, 1970, 12:00:00 AM");
    assert.equal(javaDate(1_790_000_000), "Sep 21, 2026, 2:13:20 PM");
    assert.equal(propertiesOf({ timestamp: 2 ** 60 })["timestamp"], null);
  });

  test("names of queues and virtual hosts in any writing keep the event's announced size", () => {
    const events = createRabbitEvents({ ...SOURCE, queue: 'Aufträge "漢"', virtualHost: "büro" });
    const event = events.encode([]);
    assert.equal(event.length, events.envelopeBytes);
    assert.deepEqual(Object.keys(JSON.parse(Buffer.from(event).toString()).rmqMessagesByQueue), [
      'Aufträge "漢"::büro',
    ]);
  });

  test("a message that no invocation can hold has its damage, whatever it is made of", () => {
    const large = messageWith({}, Buffer.alloc(PAYLOAD_BYTES_MAX));
    assert.match(large.damage ?? "", /^its event has \d+ bytes/);
    let deep: object = {};
    for (let depth = 0; depth < 50; depth++) deep = { deep };
    assert.match(messageWith({ headers: deep }).damage ?? "", /nested too deep/);
    assert.equal(large.encodedBytes, 0);
  });

  test("groups are the queue, the value of a header, or none", () => {
    const groupOf = (order: RabbitOrder, headers: object) =>
      messageWith({ headers }, undefined, order).groupId;
    const byKey = { by: "header", name: "key" } as const;
    assert.equal(groupOf({ by: "queue" }, {}), groupOf({ by: "queue" }, { key: "a" }));
    assert.equal(groupOf({ by: "none" }, { key: "a" }), undefined);
    assert.equal(groupOf(byKey, { key: "a" }), "a");
    assert.equal(groupOf(byKey, { key: 7 }), "7");
    assert.equal(groupOf(byKey, {}), undefined);
  });

  test("what a quorum queue counted comes before this delivery", () => {
    assert.equal(messageWith({ headers: { "x-delivery-count": 3 } }).receiveCount, 4);
    assert.equal(messageWith({}).receiveCount, 1);
  });

  test("filters see data of JSON, of text and of bytes as what they are", () => {
    const events = createRabbitEvents(SOURCE);
    const formOf = (content: Buffer) => events.filterDocument(messageWith({}, content)).dataForms?.["data"];
    assert.equal(formOf(Buffer.from('{"a":1}')), "json");
    assert.equal(formOf(Buffer.from("17")), "text");
    assert.equal(formOf(Buffer.from([0xff])), "binary");
  });

  test("is taken apart into its messages, with data in clear for people", () => {
    const event = createRabbitEvents(SOURCE).encode([messageWith({ messageId: "m" }), messageWith({})]);
    const records = rabbitEventRecords.split(event) ?? [];
    assert.deepEqual(
      records.map(({ itemId, position }) => [itemId, position]),
      [
        ["m", "0"],
        ["1", "1"],
      ],
    );
    const shown = rabbitEventRecords.decode(records[0]?.element ?? new Uint8Array());
    assert.deepEqual((shown as { readonly data: unknown }).data, {
      timeout: 0,
      data: "CZrmf0Gw8Ov4bqLQxD4E",
    });
    assert.equal(rabbitEventRecords.split(Buffer.from("{}")), undefined);
  });

  test("is handed on as EventBridge Pipes hands messages on, with the queue as its key", () => {
    const event = createRabbitEvents(SOURCE).encode([messageWith({ messageId: "m" })]);
    const [record = ""] = rabbitPipeRecords.split(event) ?? [];
    const { eventSource, eventSourceKey, data } = JSON.parse(record);
    assert.deepEqual([eventSource, eventSourceKey, data], ["aws:rmq", "test::/", DATA]);
  });

  test("trace headers are taken as they came", () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const carrier = createRabbitEvents(SOURCE).traceCarrier?.(messageWith({ headers: { traceparent } }));
    assert.equal(carrier?.traceparent, traceparent);
  });
});
