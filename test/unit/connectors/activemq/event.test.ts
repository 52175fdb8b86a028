import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AmqpMessage } from "../../../../connectors/activemq/amqp-message.ts";
import { createActivemqEvents, createBodyFactory } from "../../../../connectors/activemq/event.ts";
import { activemqEventRecords, activemqPipeRecords } from "../../../../connectors/activemq/event-records.ts";
import { messageOf } from "../../../../src/brokers/sent-message.ts";
import { PAYLOAD_BYTES_MAX } from "../../../../src/model/limits.ts";

const SOURCE = {
  eventSourceArn: "arn:aws:mq:us-west-2:111122223333:broker:test:b-9bcfa592-423a-4942-879d-eb284b418fc8",
  queue: "testQueue",
};
const OUT_MS = 1_598_827_811_959;
const MESSAGE: AmqpMessage = {
  message_id:
    "ID:b-9bcfa592-423a-4942-879d-eb284b418fc8-1.mq.us-west-2.amazonaws.com-37557-1234520418293-4:1:1:1:1",
  priority: 1,
  correlation_id: "myJMSCoID",
  absolute_expiry_time: new Date(60_000),
  creation_time: new Date(1_598_827_811_958),
  to: "queue://testQueue",
  body: "ABC:AAAA",
};
/** AWS's sample, with the member `properties` of its type (brokers §3.1). */
const SAMPLE = `{"eventSource":"aws:mq","eventSourceArn":"${SOURCE.eventSourceArn}","messages":[{"messageID":"${MESSAGE.message_id}","messageType":"jms/text-message","deliveryMode":1,"replyTo":null,"type":null,"expiration":"60000","priority":1,"correlationId":"myJMSCoID","redelivered":false,"destination":{"physicalname":"testQueue"},"data":"QUJDOkFBQUE=","timestamp":1598827811958,"brokerInTime":1598827811958,"brokerOutTime":1598827811959,"properties":{"index":"1","doAlarm":"false","myCustomProperty":"value"}}]}`;
const PROPERTIES = { index: 1, doAlarm: false, myCustomProperty: "value" };

function bodyOf(message: AmqpMessage, before = 0) {
  const toBody = createBodyFactory(SOURCE, () => before);
  return toBody({ deliveryTag: 7, cameAtMs: OUT_MS, message });
}

function eventOf(message: AmqpMessage): string {
  const events = createActivemqEvents(SOURCE);
  return Buffer.from(events.encode([messageOf(bodyOf(message), 1)])).toString();
}

function elementOf(message: AmqpMessage, before = 0): Readonly<Record<string, unknown>> {
  return JSON.parse(bodyOf(message, before).element.toString());
}

describe("the event of ActiveMQ", () => {
  test("is AWS's sample, byte for byte", () => {
    assert.equal(eventOf({ ...MESSAGE, application_properties: PROPERTIES }), SAMPLE);
  });

  const bodies: readonly (readonly [string, AmqpMessage, string, string])[] = [
    ["a text", { body: "é" }, "jms/text-message", "é"],
    ["a text message without a text", { body: null }, "jms/text-message", ""],
    ["data", { body: { typecode: 0x75, content: Buffer.from("ab") } }, "jms/bytes-message", "ab"],
    [
      "data in several sections",
      { body: { typecode: 0x75, content: [Buffer.from("a"), Buffer.from("b")] } },
      "jms/bytes-message",
      "ab",
    ],
    ["bytes as a value", { body: Buffer.from("ab") }, "jms/bytes-message", "ab"],
  ];
  for (const [what, message, type, data] of bodies) {
    test(`${what} is ${type}`, () => {
      const { messageType, data: base64 } = elementOf(message);
      assert.deepEqual([messageType, Buffer.from(String(base64), "base64").toString()], [type, data]);
    });
  }

  const unsupported: readonly (readonly [string, AmqpMessage])[] = [
    ["a map", { body: { a: 1 } }],
    ["a list", { body: [1] }],
    ["a number", { body: 1 }],
    [
      "an object of Java, which comes as data",
      {
        body: { typecode: 0x75, content: Buffer.from([0xac, 0xed]) },
        content_type: "application/x-java-serialized-object",
      },
    ],
    ["an object by its annotation", { body: "x", message_annotations: { "x-opt-jms-msg-type": 1 } }],
  ];
  for (const [what, message] of unsupported) {
    test(`${what} is damaged, as AWS has no event of it, and its contents are told nowhere`, () => {
      const { damage, element } = bodyOf(message);
      assert.match(damage ?? "", /no text and no bytes message/);
      assert.equal(element.length, 0);
    });
  }

  test("has JMS's defaults where a sender said nothing", () => {
    const {
      messageID,
      priority,
      deliveryMode,
      expiration,
      timestamp,
      brokerInTime,
      properties,
      destination,
    } = elementOf({ body: "x" });
    assert.deepEqual([messageID, priority, deliveryMode, expiration], ["delivery-7", 4, 1, null]);
    assert.deepEqual([timestamp, brokerInTime, properties], [0, OUT_MS, {}]);
    assert.deepEqual(destination, { physicalname: "testQueue" });
  });

  test("tells a persistent message, its reply address and type, and a queue that a wildcard found", () => {
    const said = { durable: true, reply_to: "queue://answers", subject: "order", to: "queue://orders.eu" };
    const { deliveryMode, replyTo, type, destination } = elementOf({ body: "x", ...said });
    assert.deepEqual([deliveryMode, replyTo, type], [2, "queue://answers", "order"]);
    assert.deepEqual(destination, { physicalname: "orders.eu" });
  });

  test("has a number beyond JavaScript's among the properties as its digits", () => {
    const long = Buffer.alloc(8);
    long.writeBigInt64BE(-9_007_199_254_740_993n);
    assert.deepEqual(elementOf({ body: "x", application_properties: { long } })["properties"], {
      long: "-9007199254740993",
    });
  });

  test("is redelivered where the broker or this process gave the message before", () => {
    assert.equal(elementOf({ body: "x", delivery_count: 1 })["redelivered"], true);
    assert.equal(elementOf({ body: "x" }, 1)["redelivered"], true);
    assert.deepEqual([bodyOf({ delivery_count: 3 }, 1).deliveries, bodyOf({}, 4).deliveries], [4, 5]);
  });

  test("is not made of a message that no invocation may have", () => {
    assert.match(bodyOf({ body: Buffer.alloc(PAYLOAD_BYTES_MAX) }).damage ?? "", /more than an invocation/);
  });

  test("is taken apart again, for the list of failures and for pipes", () => {
    const event = Buffer.from(SAMPLE);
    const [record] = activemqEventRecords.split(event) ?? [];
    assert.equal(record?.itemId, MESSAGE.message_id);
    assert(record !== undefined);
    assert.equal((activemqEventRecords.decode(record.element) as { data: unknown }).data, "ABC:AAAA");
    const [message] = activemqPipeRecords.split(event) ?? [];
    const piped = JSON.parse(String(message)) as Readonly<Record<string, unknown>>;
    assert.deepEqual([piped["eventSource"], piped["messageType"]], ["aws:mq", "jms/text-message"]);
  });
});
