import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { activemqConnector } from "../../../../connectors/activemq/connector.ts";
import { activemqSettings } from "../../../../connectors/activemq/settings.ts";
import { rabbitConnector } from "../../../../connectors/rabbitmq/connector.ts";
import { readUpdateMembers } from "../../../../src/api/mapping-members.ts";
import { withEndpoints } from "../../../../src/control/mapping-record.ts";
import { formatProblems, loadManifests } from "../../../../src/manifests/load-manifests.ts";
import { CONTEXT, FUNCTION, folderWith } from "../../manifests/manifest-samples.ts";

const ARN = "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-1";
// The first is taken where nothing tells them apart.
const CONNECTORS = [...CONTEXT.connectors, rabbitConnector, activemqConnector];
const WHOLE = `  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: env:LOGIN }]
  queues: [orders]
  endpoints: { ACTIVEMQ_ENDPOINTS: ["amqps://broker.example.com:5671"] }
`;

function load(t: TestContext, lines: string) {
  const text = `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-queue }
spec:
  functionName: orders
  eventSourceArn: ${ARN}
${lines}`;
  return loadManifests([folderWith(t, { "m.yaml": text })], { ...CONTEXT, connectors: CONNECTORS });
}

describe("a mapping of ActiveMQ", () => {
  test("is told from one of RabbitMQ by its endpoints, and has AWS's defaults", (t) => {
    const loaded = load(t, WHOLE);
    assert.ok(loaded.kind === "valid", loaded.kind === "valid" ? "" : formatProblems(loaded.problems));
    const [resource] = loaded.manifests.mappings;
    assert(resource?.kind === "queue");
    const { mapping, settings, connector } = resource;
    assert.equal(connector.kind, "activemq");
    assert.deepEqual([mapping.batchSize, mapping.batchingWindowMs, mapping.concurrencyMax], [100, 500, 5]);
    const { queue, deliveriesMax, batchesMax } = activemqSettings(mapping, settings);
    assert.deepEqual([queue, deliveriesMax, batchesMax], ["orders", 7, 5]);
  });

  const slips: readonly (readonly [name: string, lines: string, problem: RegExp])[] = [
    ["without a queue", WHOLE.replace("  queues: [orders]\n", ""), /The mapping names no queue/],
    ["with a topic's address", WHOLE.replace("[orders]", '["topic://orders"]'), /an address and no name/],
    ["with options of a consumer", WHOLE.replace("[orders]", '["orders?x=1"]'), /an address and no name/],
    ["with a virtual host", WHOLE.replace("BASIC_AUTH", "VIRTUAL_HOST"), /have no VIRTUAL_HOST/],
    ["with another protocol", WHOLE.replace("amqps:", "ssl:"), /is not the address of a broker/],
    [
      "with partial responses",
      `${WHOLE}  functionResponseTypes: [ReportBatchItemFailures]\n`,
      /Unsupported FunctionResponseTypes parameter/,
    ],
    ["with an order of RabbitMQ's", `${WHOLE}  orderBy: none\n`, /orderBy|OrderBy/],
  ];
  for (const [name, lines, problem] of slips) {
    test(`is refused ${name}`, (t) => {
      const loaded = load(t, lines);
      assert.match(loaded.kind === "valid" ? "" : formatProblems(loaded.problems), problem);
    });
  }

  test("that names no endpoints gets those of the broker that the operator has", () => {
    const endpoints = { ACTIVEMQ_ENDPOINTS: ["amqps://broker.example.com"] };
    assert.deepEqual(withEndpoints({ eventSourceArn: ARN }, CONNECTORS, endpoints)["endpoints"], endpoints);
  });

  test("that names no endpoints is refused where the operator has those of two kinds of brokers", () => {
    const endpoints = {
      ACTIVEMQ_ENDPOINTS: ["amqps://broker.example.com"],
      RABBITMQ_ENDPOINTS: ["amqps://rabbit.example.com"],
    };
    assert.throws(() => withEndpoints({ eventSourceArn: ARN }, CONNECTORS, endpoints), {
      fault: "InvalidParameterValueException",
      message:
        "There are endpoints of RABBITMQ_ENDPOINTS and ACTIVEMQ_ENDPOINTS, and the ARN does not tell which of them the mapping reads. Give --endpoint for one of them only, or declare the mapping in a manifest, whose endpoints name one: endpoints: { RABBITMQ_ENDPOINTS: [ADDRESS] }.",
    });
    const own = { eventSourceArn: ARN, endpoints: { RABBITMQ_ENDPOINTS: ["amqps://rabbit.example.com"] } };
    assert.equal(withEndpoints(own, CONNECTORS, endpoints), own);
  });

  test("keeps its queue when it is updated", () => {
    const { spec } = readUpdateMembers({ Queues: ["others"], BatchSize: 5 }, CONNECTORS);
    assert.deepEqual(spec, { batchSize: 5 });
  });
});
