import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { rabbitConnector } from "../../../../connectors/rabbitmq/connector.ts";
import { rabbitSettings } from "../../../../connectors/rabbitmq/settings.ts";
import { readCreateMembers } from "../../../../src/api/mapping-members.ts";
import {
  formatProblems,
  type LoadedManifests,
  loadManifests,
} from "../../../../src/manifests/load-manifests.ts";
import { CONTEXT, FUNCTION, folderWith } from "../../manifests/manifest-samples.ts";

const ARN = "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-1";
const CONNECTORS = [...CONTEXT.connectors, rabbitConnector];
const LOGIN = "  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: env:LOGIN }]\n";

function load(t: TestContext, lines: string) {
  const text = `${FUNCTION}---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-queue }
spec:
  functionName: orders
  eventSourceArn: ${ARN}
${lines}`;
  const folder = folderWith(t, { "m.yaml": text });
  return loadManifests([folder], { ...CONTEXT, connectors: CONNECTORS });
}

function textOf(loaded: LoadedManifests): string {
  return loaded.kind === "valid" ? "" : formatProblems(loaded.problems);
}

const WHOLE = `${LOGIN}  queues: [orders]
  endpoints: { RABBITMQ_ENDPOINTS: ["amqps://broker.example.com:5671"] }
`;

describe("a mapping of RabbitMQ", () => {
  test("has AWS's defaults: 100 messages, half a second, one batch at once", (t) => {
    const loaded = load(t, WHOLE);
    assert.ok(loaded.kind === "valid", textOf(loaded));
    const [resource] = loaded.manifests.mappings;
    assert(resource?.kind === "queue");
    const { mapping, settings } = resource;
    assert.deepEqual([mapping.batchSize, mapping.batchingWindowMs, mapping.concurrencyMax], [100, 500, 1]);
    const { queue, virtualHost, order, logins } = rabbitSettings(mapping, settings);
    assert.deepEqual([queue, virtualHost, order], ["orders", "/", { by: "queue" }]);
    assert.deepEqual(logins, [{ type: "BASIC_AUTH", uri: "env:LOGIN" }]);
  });

  const slips: readonly (readonly [name: string, lines: string, problem: RegExp])[] = [
    ["without a queue", WHOLE.replace("  queues: [orders]\n", ""), /The mapping names no queue/],
    [
      "without a login",
      WHOLE.replace(LOGIN, ""),
      /Required 'sourceAccessConfigurations' parameter is missing/,
    ],
    [
      "with a login of another source",
      WHOLE.replace("BASIC_AUTH", "SASL_SCRAM_512_AUTH"),
      /have no SASL_SCRAM_512_AUTH/,
    ],
    [
      "with a login in an endpoint",
      WHOLE.replace("broker.", "me:secret@broker."),
      /is not the address of a broker/,
    ],
    [
      "with concurrency that its order does not allow",
      `${WHOLE}  scalingConfig: { maximumConcurrency: 5 }\n`,
      /Unsupported ScalingConfig parameter for given event source mapping type/,
    ],
    [
      "with partial responses, as its event names no messages",
      `${WHOLE}  functionResponseTypes: [ReportBatchItemFailures]\n`,
      /Unsupported FunctionResponseTypes parameter/,
    ],
    [
      "with a stream's parameters",
      `${WHOLE}  maximumRetryAttempts: 3\n`,
      /Unsupported MaximumRetryAttempts parameter/,
    ],
    ["with an order that nobody knows", `${WHOLE}  orderBy: key\n`, /orderBy/],
  ];
  for (const [name, lines, problem] of slips) {
    test(`is refused ${name}`, (t) => {
      const text = textOf(load(t, lines));
      assert.match(text, problem);
      assert.ok(!text.includes("secret@"), "a login is not repeated");
    });
  }

  test("takes large batches without a window, as only SQS asks for one", (t) => {
    const lines = `${WHOLE}  batchSize: 10000\n  maximumBatchingWindowInSeconds: 0\n`;
    assert.equal(textOf(load(t, lines)), "");
  });

  test("runs several batches at once where its order is by a header, or none", (t) => {
    for (const order of ["header:customer", "none"]) {
      assert.equal(
        textOf(load(t, `${WHOLE}  orderBy: "${order}"\n  scalingConfig: { maximumConcurrency: 5 }\n`)),
        "",
      );
    }
  });

  test("is made through Lambda's API by AWS's members", () => {
    const { spec } = readCreateMembers(
      {
        FunctionName: "orders",
        EventSourceArn: ARN,
        Queues: ["orders"],
        SourceAccessConfigurations: [
          { Type: "BASIC_AUTH", URI: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:login" },
          { Type: "VIRTUAL_HOST", URI: "shop" },
        ],
      },
      CONNECTORS,
    );
    assert.deepEqual(spec["queues"], ["orders"]);
    assert.throws(
      () =>
        readCreateMembers(
          {
            FunctionName: "orders",
            EventSourceArn: ARN,
            Queues: ["orders"],
            SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: "file:/etc/passwd" }],
          },
          CONNECTORS,
        ),
      /only manifests may name a file/,
    );
  });
});
