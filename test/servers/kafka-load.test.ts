import { after, test } from "node:test";
import { HANG, loadExistingSource } from "../integration/load-run.ts";
import { startKafka } from "./kafka.ts";
import { KAFKA_USERS } from "./kafka-settings.ts";
import { createKafkaTopic } from "./kafka-topic.ts";

const server = await startKafka({ secure: true });
after(() => server.close());

function mappingOf(topic: string, servers: readonly string[], access: string): string {
  return `selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: ${JSON.stringify(servers)} } }
topics: [${topic}]
sourceAccessConfigurations: [${access}]
batchSize: 20
parallelizationFactor: 2`;
}

test(
  "a load test of a Kafka topic: every record succeeds, in the order of its key, and what was there before is left alone",
  HANG,
  async (t) => {
    await using fixture = await createKafkaTopic(server, { partitions: 3 });
    const { topic } = fixture;
    await fixture.append(`${topic}-0`, [{ key: "key-1", data: "from before" }]);
    await loadExistingSource(t, {
      mapping: mappingOf(topic, server.bootstrap(), ""),
      errors: "throwPercent: 4, partialPercent: 4",
    });
  },
);

test("a load test of a Kafka topic logs in by the secrets beside its scenario", HANG, async (t) => {
  await using fixture = await createKafkaTopic(server, { partitions: 3 });
  const access = `{ type: SASL_SCRAM_512_AUTH, uri: "file:login.json" }, { type: SERVER_ROOT_CA_CERTIFICATE, uri: "file:ca.json" }`;
  await loadExistingSource(t, {
    mapping: mappingOf(fixture.topic, server.bootstrap("SASL_SSL"), access),
    errors: "throttlePercent: 5",
    files: {
      "login.json": JSON.stringify(KAFKA_USERS[0]),
      "ca.json": JSON.stringify({ certificate: server.certificates.ca }),
    },
  });
});
