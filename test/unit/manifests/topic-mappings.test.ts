import assert from "node:assert/strict";
import { test } from "node:test";
import { kafkaSettings } from "../../../connectors/kafka/settings.ts";
import { CLUSTER_ARN, KAFKA, loadText, withMskMapping, withTopicMapping } from "./manifest-samples.ts";

function loadedMapping(...loading: Parameters<typeof loadText>) {
  const { loaded, folder } = loadText(...loading);
  assert.equal(loaded.kind, "valid");
  const [resource] = loaded.kind === "valid" ? loaded.manifests.mappings : [];
  assert.ok(resource?.kind === "stream");
  return { resource, folder, own: kafkaSettings(resource.mapping, resource.settings) };
}

test("reads a mapping of a self-managed cluster's topic with AWS's defaults", (t) => {
  const { resource, own } = loadedMapping(t, withTopicMapping());
  const { mapping, connector, destination } = resource;
  assert.equal(connector, KAFKA);
  assert.equal(destination, undefined);
  assert.deepEqual(mapping, {
    uuid: mapping.uuid,
    name: "orders-topic",
    functionName: "orders",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    eventSourceArn: undefined,
    enabled: true,
    startingPosition: { kind: "TRIM_HORIZON" },
    batchSize: 100,
    batchingWindowMs: 500,
    parallelizationFactor: 1,
    retryAttemptsMax: undefined,
    recordAgeMsMax: undefined,
    bisectBatchOnFunctionError: false,
    reportBatchItemFailures: false,
    tumblingWindowMs: 0,
    filterPatterns: [],
    onFailureDestination: undefined,
  });
  assert.deepEqual(own, {
    topic: "orders",
    bootstrapServers: ["kafka-1:9092", "kafka-2:9092"],
    consumerGroupId: mapping.uuid,
    access: [],
  });
});

test("reads a mapping of an MSK cluster's topic with every setting", (t) => {
  const { resource, folder, own } = loadedMapping(
    t,
    withMskMapping(`  batchSize: 10000
  maximumBatchingWindowInSeconds: 0
  parallelizationFactor: 10
  maximumRetryAttempts: 3
  maximumRecordAgeInSeconds: 60
  bisectBatchOnFunctionError: true
  functionResponseTypes: [ReportBatchItemFailures]
  filterCriteria: { filters: [{ pattern: '{"value":["plain"]}' }] }
  destinationConfig: { onFailure: { destination: "kafka://failed.orders" } }
  provisionedPollerConfig: { minimumPollers: 1, maximumPollers: 2000 }
  amazonManagedKafkaEventSourceConfig: { consumerGroupId: "orders / readers" }
  sourceAccessConfigurations:
    - { type: VPC_SUBNET, uri: "subnet:subnet-1" }
    - { type: SASL_SCRAM_512_AUTH, uri: "file:login.json" }
    - { type: SERVER_ROOT_CA_CERTIFICATE, uri: "env:KAFKA_CA" }`),
  );
  const { mapping, destination } = resource;
  assert.equal(mapping.eventSourceArn, CLUSTER_ARN);
  assert.equal(mapping.functionArn, "arn:aws:lambda:eu-west-1:123456789012:function:orders");
  assert.equal(mapping.batchingWindowMs, 0);
  assert.equal(own.consumerGroupId, "orders / readers");
  assert.deepEqual(own.bootstrapServers, ["b-1.orders:9096"]);
  assert.deepEqual(destination, { kind: "source", uri: "kafka://failed.orders", scheme: "kafka" });
  assert.deepEqual(own.access, [
    { type: "SASL_SCRAM_512_AUTH", uri: `file:${folder}/login.json` },
    { type: "SERVER_ROOT_CA_CERTIFICATE", uri: "env:KAFKA_CA" },
  ]);
});

test("a schema registry is read with its attributes and with where its secrets stand", (t) => {
  const { own, folder } = loadedMapping(
    t,
    withTopicMapping(`  selfManagedKafkaEventSourceConfig:
    consumerGroupId: readers
    schemaRegistryConfig:
      schemaRegistryURI: https://registry.example.com/ccompat
      eventRecordFormat: JSON
      schemaValidationConfigs: [{ attribute: KEY }, { attribute: VALUE }]
      accessConfigs: [{ type: BASIC_AUTH, uri: "file:registry.json" }]`),
  );
  assert.deepEqual(own.schemas, {
    registryUri: "https://registry.example.com/ccompat",
    format: "JSON",
    attributes: ["KEY", "VALUE"],
    access: [{ type: "BASIC_AUTH", uri: `file:${folder}/registry.json` }],
  });
});

test("endless retries end after ten where a failure destination is named, as on AWS", (t) => {
  const retriesOf = (lines: string) =>
    loadedMapping(t, withTopicMapping(lines)).resource.mapping.retryAttemptsMax;
  const destination = "  destinationConfig: { onFailure: { destination: 'kafka://failed' } }";
  assert.equal(retriesOf(destination), 10);
  assert.equal(retriesOf(`${destination}\n  maximumRetryAttempts: 25`), 25);
  assert.equal(retriesOf("  maximumRetryAttempts: -1"), undefined);
});

test("mappings of two topics of one cluster, and of two functions of one topic, stand side by side", (t) => {
  const second = (from: string, to: string) =>
    `---\n${withTopicMapping()
      .slice(withTopicMapping().indexOf("---\n") + 4)
      .replace("orders-topic", `again-${to.length}`)
      .replace(from, to)}`;
  const text =
    withTopicMapping() +
    second("[orders]", "[returns]") +
    second("functionName: orders", "functionName: orders:live");
  const { loaded } = loadText(t, text);
  assert.deepEqual(loaded.kind === "valid" ? [] : loaded.problems, []);
});

test("a topic is read from its oldest record where no starting position is given, as AWS does", (t) => {
  for (const text of [withTopicMapping(), withMskMapping()]) {
    const { resource } = loadedMapping(t, text.replace(/ {2}startingPosition: .*\n/, ""));
    assert.deepEqual(resource.mapping.startingPosition, { kind: "TRIM_HORIZON" });
  }
});

test("a broker may be given by its IPv6 address, in brackets", (t) => {
  const { own } = loadedMapping(
    t,
    withTopicMapping().replace(
      "kafka-1:9092",
      "'[::1]:9092', '[2001:db8::a.b.c.d]:1'".replace("a.b.c.d", "1.2.3.4"),
    ),
  );
  assert.deepEqual(own.bootstrapServers.slice(0, 2), ["[::1]:9092", "[2001:db8::1.2.3.4]:1"]);
});
