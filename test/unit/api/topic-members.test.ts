import assert from "node:assert/strict";
import { test } from "node:test";
import { readCreateMembers, readUpdateMembers } from "../../../src/api/mapping-members.ts";
import { mappingShape } from "../../../src/api/mapping-shape.ts";
import { ControlWorld } from "../control/control-world.ts";
import { CONTEXT } from "../manifests/manifest-samples.ts";

const TOPIC = {
  FunctionName: "orders",
  SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:9092"] } },
  Topics: ["orders"],
  StartingPosition: "TRIM_HORIZON",
  SourceAccessConfigurations: [],
};

async function created(members: object) {
  const { plane } = await new ControlWorld().start("a");
  const { spec } = readCreateMembers({ ...members }, CONTEXT.connectors);
  const { LastModified: _, ...shape } = mappingShape(
    await plane.mappings.create(spec, true, {}),
    plane.place,
  );
  return shape;
}

test("a topic's mapping is shown with AWS's members for Kafka, its group and no window", async () => {
  const uuid = "00000000-0000-4000-8000-000000000001";
  const shape = JSON.parse(JSON.stringify(await created(TOPIC)));
  assert.deepEqual(shape, {
    BatchSize: 100,
    BisectBatchOnFunctionError: false,
    DestinationConfig: { OnFailure: {} },
    EventSourceMappingArn: `arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:${uuid}`,
    FunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    FunctionResponseTypes: [],
    LastProcessingResult: "No records processed",
    MaximumRecordAgeInSeconds: -1,
    MaximumRetryAttempts: -1,
    ParallelizationFactor: 1,
    SelfManagedEventSource: TOPIC.SelfManagedEventSource,
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: uuid },
    SourceAccessConfigurations: [],
    StartingPosition: "TRIM_HORIZON",
    State: "Creating",
    StateTransitionReason: "USER_INITIATED",
    Topics: ["orders"],
    UUID: uuid,
  });
});

test("a topic's window, group and subnets are shown as they were given", async () => {
  const shape = await created({
    ...TOPIC,
    MaximumBatchingWindowInSeconds: 1,
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "g" },
    SourceAccessConfigurations: [{ Type: "VPC_SUBNET", URI: "subnet:s" }],
  });
  assert.deepEqual(
    [
      shape["MaximumBatchingWindowInSeconds"],
      shape["SelfManagedKafkaEventSourceConfig"],
      shape["SourceAccessConfigurations"],
    ],
    [1, { ConsumerGroupId: "g" }, [{ Type: "VPC_SUBNET", URI: "subnet:s" }]],
  );
});

test("a schema registry is shown as it was given, with AWS's members", async () => {
  const SchemaRegistryConfig = {
    SchemaRegistryURI: "https://registry.example.com",
    EventRecordFormat: "JSON",
    SchemaValidationConfigs: [{ Attribute: "VALUE" }],
    AccessConfigs: [
      { Type: "BASIC_AUTH", URI: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-AbCdEf" },
    ],
  };
  const config = { ConsumerGroupId: "g", SchemaRegistryConfig };
  const shape = await created({ ...TOPIC, SelfManagedKafkaEventSourceConfig: config });
  assert.deepEqual(JSON.parse(JSON.stringify(shape["SelfManagedKafkaEventSourceConfig"])), config);
});

test("callers cannot have the files of this process sent to a registry that they name", () => {
  const AccessConfigs = [{ Type: "BASIC_AUTH", URI: "file:/etc/secret" }];
  const members = { SelfManagedKafkaEventSourceConfig: { SchemaRegistryConfig: { AccessConfigs } } };
  assert.throws(() => readCreateMembers(members, CONTEXT.connectors), {
    fault: "InvalidParameterValueException",
  });
});

test("callers cannot have secrets of this process sent to servers that they name", () => {
  for (const URI of ["file:/etc/secret", "env:SECRET"]) {
    const members = { SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI }] };
    for (const read of [readCreateMembers, readUpdateMembers]) {
      assert.throws(() => read(members, CONTEXT.connectors), { fault: "InvalidParameterValueException" });
    }
  }
});

test("an update leaves topic, servers and consumer group as they are", () => {
  const { spec } = readUpdateMembers(
    {
      ...TOPIC,
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "g" },
    },
    CONTEXT.connectors,
  );
  assert.deepEqual(spec, { functionName: "orders", sourceAccessConfigurations: [] });
});
