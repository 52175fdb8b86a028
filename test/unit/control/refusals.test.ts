import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlFault } from "../../../src/control/control-fault.ts";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { ControlWorld, QUEUE, QUEUE_SPEC, STREAM, STREAM_SPEC, topicSpec } from "./control-world.ts";

/** `InvalidParameterValueException` unless a name stands before the text. */
const REFUSALS: readonly (readonly [spec: Record<string, unknown>, fault: string])[] = [
  [{ functionName: "orders" }, "Unrecognized event source."],
  [
    { functionName: "orders", eventSourceArn: "arn:aws:mq:eu-west-1:123456789012:b" },
    "Unrecognized event source.",
  ],
  [{ ...STREAM_SPEC, functionName: "nobody" }, "Function does not exist"],
  [{ ...STREAM_SPEC, functionName: "versioned:2" }, "Function does not exist"],
  [{ functionName: "nobody", eventSourceArn: `${QUEUE}-missing` }, "Function does not exist"],
  [
    { ...QUEUE_SPEC, destinationConfig: { onSuccess: { destination: QUEUE } } },
    "Unsupported DestinationConfig parameter for given event source mapping type.",
  ],
  [
    { ...STREAM_SPEC, destinationConfig: { onSuccess: { destination: QUEUE } } },
    "OnSuccess configuration is not supported for event source mappings.",
  ],
  [
    { ...STREAM_SPEC, scalingConfig: { maximumConcurrency: 5 } },
    "Unsupported ScalingConfig parameter for given event source mapping type.",
  ],
  [
    { functionName: "orders", eventSourceArn: STREAM },
    "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
  ],
  [
    { ...STREAM_SPEC, startingPosition: "invalid" },
    "ValidationException: 1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
  ],
  [
    { ...STREAM_SPEC, startingPosition: "TRIM_HORIZON", startingPositionTimestamp: 1 },
    "Timestamp only valid with StartingPosition AT_TIMESTAMP",
  ],
  [
    { ...STREAM_SPEC, batchSize: 10_001 },
    "ValidationException: 1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000",
  ],
  [
    { ...STREAM_SPEC, batchSize: 10_001, parallelizationFactor: 11 },
    "ValidationException: 2 validation errors detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000; Value '11' at 'parallelizationFactor' failed to satisfy constraint: Member must have value less than or equal to 10",
  ],
  [
    { ...STREAM_SPEC, functionResponseTypes: ["Bad"] },
    "ValidationException: 1 validation error detected: Value '[Bad]' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures], Member must not be null]",
  ],
  [
    { ...STREAM_SPEC, maximumRecordAgeInSeconds: 59 },
    "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)",
  ],
  [
    { ...STREAM_SPEC, tumblingWindowInSeconds: 60, parallelizationFactor: 2 },
    "Parallelization factor must be equal to 1 when tumbling window period is configured",
  ],
  [{ ...STREAM_SPEC, filterCriteria: { filters: [{ pattern: "{" }] } }, "Invalid filter pattern definition."],
  [
    { ...QUEUE_SPEC, batchSize: 11 },
    "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
  ],
  [{ ...STREAM_SPEC, eventSourceArn: `${STREAM}-missing` }, `Stream not found: ${STREAM}-missing`],
  [
    { ...QUEUE_SPEC, eventSourceArn: `${QUEUE}-missing` },
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
  ],
  [
    { ...STREAM_SPEC, batchSize: "5" },
    "SerializationException: STRING_VALUE can not be converted to the type of batchSize",
  ],
  [
    { ...topicSpec(), sourceAccessConfigurations: undefined },
    "Required 'sourceAccessConfigurations' parameter is missing.",
  ],
  [
    { ...topicSpec(), functionName: "slow" },
    "Function timeout: 841 seconds is more than 840 seconds, which a function that Kafka invokes may take.",
  ],
];

test("a mapping that AWS refuses is refused in its words, and nothing is kept of it", async () => {
  const world = new ControlWorld();
  world.missing.add(`${STREAM}-missing`).add(`${QUEUE}-missing`);
  const { plane } = await world.start("a");
  for (const [spec, expected] of REFUSALS) {
    await assert.rejects(plane.mappings.create(spec, true, {}), (error) => {
      assert(error instanceof ControlFault, String(error));
      const text =
        error.fault === "InvalidParameterValueException" ? error.message : `${error.fault}: ${error.message}`;
      assert.equal(text, expected);
      return true;
    });
  }
  assert.equal((await world.mappings.list(["mapping"])).length, 0);
});

test("a source and a qualified function have one mapping; other qualifiers have their own", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await plane.mappings.create(QUEUE_SPEC, true, {});
  const texts = [
    `The event source arn (" ${STREAM} ") and function (" orders ") provided mapping already exists. Please update or delete the existing mapping with UUID ${world.uuid(1)}`,
    `An event source mapping with SQS arn (" ${QUEUE} ") and function (" orders ") already exists. Please update or delete the existing mapping with UUID ${world.uuid(2)}`,
  ];
  for (const [index, spec] of [STREAM_SPEC, QUEUE_SPEC].entries()) {
    await assert.rejects(plane.mappings.create(spec, true, {}), (error) => {
      assert(error instanceof ControlFault);
      assert.deepEqual([error.fault, error.message], ["ResourceConflictException", texts[index]]);
      return true;
    });
  }
  for (const functionName of ["orders:1", "orders:$LATEST", "orders:live"]) {
    const view = await plane.mappings.create({ ...STREAM_SPEC, functionName }, true, {});
    assert.equal(
      view.resource.mapping.functionArn,
      `arn:aws:lambda:eu-west-1:123456789012:function:${functionName}`,
    );
    assert.equal((await plane.mappings.list({ functionName })).length, 1);
  }
  assert.equal((await plane.mappings.list({ functionName: "orders" })).length, 2);
  assert.equal((await plane.mappings.list({ functionName: "nobody" })).length, 0);
});

test("a topic and a qualified function have one mapping on clusters with a server in common, and a group has one", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const group = (consumerGroupId: string) => ({ selfManagedKafkaEventSourceConfig: { consumerGroupId } });
  await plane.mappings.create({ ...topicSpec(["a:9092", "b:9092"]), ...group("g") }, true, {});
  const refused: readonly (readonly [spec: object, message: string])[] = [
    [
      topicSpec(["c:9092", "b:9092"]),
      'An event source mapping with event source ("c:9092,b:9092"), function ("arn:aws:lambda:eu-west-1:123456789012:function:orders"), topics ("orders") already exists.',
    ],
    [
      { ...topicSpec(["c:9092"], "other"), ...group("g") },
      'An event source mapping with consumer group id ("g") already exists.',
    ],
  ];
  for (const [spec, message] of refused) {
    await assert.rejects(plane.mappings.create({ ...spec }, true, {}), {
      fault: "ResourceConflictException",
      message: `${message} Please update or delete the existing mapping with UUID ${world.uuid(1)}`,
    });
  }
  for (const spec of [
    topicSpec(["c:9092"]),
    topicSpec(["a:9092"], "other"),
    { ...topicSpec(), functionName: "orders:1" },
  ]) {
    await plane.mappings.create(spec, true, {});
  }
  assert.equal((await plane.mappings.list({})).length, 4);
});

test("refuses a queue whose visibility time-out is shorter than the function's time-out", async () => {
  const world = new ControlWorld();
  world.visibilityMs = 2_000;
  const { plane } = await world.start("a");
  await assert.rejects(plane.mappings.create(QUEUE_SPEC, true, {}), {
    message: "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds",
  });
});

test("an update to another function is refused as a new mapping would be, and changes nothing", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await plane.mappings.create({ ...STREAM_SPEC, functionName: "other" }, true, {});
  await plane.mappings.create({ ...topicSpec(), functionName: "other" }, true, {});
  await world.pass(3 * LOOK_MS);
  const refused: readonly (readonly [number: number, functionName: string, message: string])[] = [
    [2, "nobody", "Function does not exist"],
    [2, "versioned:2", "Function does not exist"],
    [
      3,
      "slow",
      "Function timeout: 841 seconds is more than 840 seconds, which a function that Kafka invokes may take.",
    ],
    [
      2,
      "orders",
      `The event source arn (" ${STREAM} ") and function (" orders ") provided mapping already exists. Please update or delete the existing mapping with UUID ${world.uuid(1)}`,
    ],
  ];
  for (const [number, functionName, message] of refused) {
    await assert.rejects(plane.mappings.update(world.uuid(number), { functionName }, undefined), { message });
    assert.equal((await plane.mappings.get(world.uuid(number))).resource.functionName, "other");
  }
  const moved = await plane.mappings.update(world.uuid(2), { functionName: "versioned:1" }, undefined);
  assert.equal(moved.state, "Updating");
});
