import assert from "node:assert/strict";
import { after, test } from "node:test";
import avsc from "avsc";
import { openTopic } from "../../connectors/kafka/connector.ts";
import type { KafkaRecord } from "../../connectors/kafka/record.ts";
import { MillraceError } from "../../src/model/errors.ts";
import { NO_ABORT, OLDEST } from "../contract/stream-source-harness.ts";
import { startFakeRegistry } from "../unit/connectors/kafka/fake-registry.ts";
import { startKafka } from "./kafka.ts";
import { createKafkaTopic } from "./kafka-topic.ts";

const HANG = { timeout: 240_000 };
const RECORDS = 5_000;
const SCHEMAS = 50;
const SCHEMA = { type: "record", name: "R", fields: [{ name: "n", type: "int" }] } as const;
const server = await startKafka();
after(() => server.close());

test(
  "every record of a topic is read by its schema, once and in order, while the registry comes and goes",
  HANG,
  async () => {
    await using stream = await createKafkaTopic(server, { partitions: 1 });
    await using registry = await startFakeRegistry();
    const type = avsc.Type.forSchema(JSON.parse(JSON.stringify(SCHEMA)));
    for (let id = 0; id < SCHEMAS; id++) registry.schemas.set(String(id), { schema: JSON.stringify(SCHEMA) });
    const messages = Array.from({ length: RECORDS }, (_, n) => {
      const head = Buffer.from([0, 0, 0, 0, Math.floor((n * SCHEMAS) / RECORDS)]);
      return { key: "k", value: Buffer.concat([head, type.toBuffer({ n })]) };
    });
    await stream.producer.send({ topic: stream.topic, messages });
    // Every other of the first answers is a failure.
    for (let id = 0; id < SCHEMAS; id++) registry.faults.push({ status: 503, body: "" });
    process.env["MILLRACE_TEST_REGISTRY_LOGIN"] = '{"username":"me","password":"pass"}';
    const source = await openTopic({
      topic: stream.topic,
      bootstrapServers: server.bootstrap(),
      consumerGroupId: "schemas",
      eventSourceArn: undefined,
      access: [],
      schemas: {
        registryUri: registry.url,
        format: "JSON",
        attributes: ["VALUE"],
        access: [{ type: "BASIC_AUTH", uri: "env:MILLRACE_TEST_REGISTRY_LOGIN" }],
      },
    });
    const reader = await source.openReader(`${stream.topic}-0`, OLDEST, NO_ABORT);
    const seen: number[] = [];
    let failures = 0;
    while (seen.length < RECORDS) {
      try {
        const { records } = await reader.read(300, 100_000, NO_ABORT);
        for (const each of records as readonly KafkaRecord[]) {
          assert.equal(each.damage, undefined);
          seen.push(JSON.parse(String(each.value)).n);
          assert.equal(
            each.valueSchema,
            `{"dataFormat":"AVRO","schemaId":"${Math.floor((seen.length - 1) / 100)}"}`,
          );
        }
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        assert.equal(error.code, "ERR_MILLRACE_SOURCE_UNAVAILABLE");
        failures++;
      }
    }
    assert.deepEqual(
      seen,
      messages.map((_, n) => n),
    );
    assert.deepEqual([failures, registry.asked.length], [SCHEMAS, SCHEMAS * 2]);
    await reader.close();
    await source.close();
  },
);
