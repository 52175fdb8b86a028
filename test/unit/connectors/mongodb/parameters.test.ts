import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { mongoConnector } from "../../../../connectors/mongodb/connector.ts";
import { clusterAddress } from "../../../../connectors/mongodb/endpoint.ts";
import { mongoSettings } from "../../../../connectors/mongodb/settings.ts";
import { readUpdateMembers } from "../../../../src/api/mapping-members.ts";
import { formatProblems, loadManifests } from "../../../../src/manifests/load-manifests.ts";
import { CONTEXT, FUNCTION, folderWith } from "../../manifests/manifest-samples.ts";

const ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:shop";
const CONNECTORS = [...CONTEXT.connectors, mongoConnector];
const WHOLE = `  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: env:LOGIN }]
  documentDBEventSourceConfig: { databaseName: shop, collectionName: orders }
  startingPosition: LATEST
  endpoints: { MONGODB_ENDPOINTS: ["mongodb://db-1.example.com:27017"] }
`;

function mappingOf(lines: string, name = "orders-changes"): string {
  return `---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: orders
  eventSourceArn: ${ARN}
${lines}`;
}

function load(t: TestContext, ...mappings: readonly string[]) {
  const text = `${FUNCTION}${mappings.join("")}`;
  return loadManifests([folderWith(t, { "m.yaml": text })], { ...CONTEXT, connectors: CONNECTORS });
}

function problemsOf(t: TestContext, ...mappings: readonly string[]): string {
  const loaded = load(t, ...mappings);
  return loaded.kind === "valid" ? "" : formatProblems(loaded.problems);
}

describe("a mapping of a change stream", () => {
  test("has AWS's defaults, and stops where the history is lost", (t) => {
    const loaded = load(t, mappingOf(WHOLE));
    assert.ok(loaded.kind === "valid", loaded.kind === "valid" ? "" : formatProblems(loaded.problems));
    const [resource] = loaded.manifests.mappings;
    assert(resource?.kind === "stream");
    const { mapping, settings, connector } = resource;
    assert.equal(connector.kind, "mongodb");
    assert.deepEqual(
      [mapping.batchSize, mapping.batchingWindowMs, mapping.parallelizationFactor, mapping.retryAttemptsMax],
      [100, 500, 1, undefined],
    );
    const { database, collection, fullDocument, historyLost } = mongoSettings(mapping, settings);
    assert.deepEqual(
      [database, collection, fullDocument, historyLost],
      ["shop", "orders", "Default", "stop"],
    );
  });

  test("takes what AWS has for other streams only", (t) => {
    const more = `${WHOLE}  parallelizationFactor: 4
  maximumRetryAttempts: 3
  bisectBatchOnFunctionError: true
  functionResponseTypes: [ReportBatchItemFailures]
  filterCriteria: { filters: [{ pattern: '{"event":{"operationType":["insert"]}}' }] }
  historyLost: oldest
`;
    assert.equal(problemsOf(t, mappingOf(more)), "");
  });

  const config = "  documentDBEventSourceConfig: { databaseName: shop, collectionName: orders }\n";
  const slips: readonly (readonly [name: string, lines: string, problem: RegExp])[] = [
    ["without a database", WHOLE.replace(config, ""), /documentDBEventSourceConfig' parameter is missing/],
    ["with a database's name that is none", WHOLE.replace("shop,", "sh.op,"), /databaseName/],
    ["with a collection of the system", WHOLE.replace("orders }", "system.users }"), /collectionName/],
    ["without a starting position", WHOLE.replace("  startingPosition: LATEST\n", ""), /[sS]tartingPosition/],
    ["without saying how to log in", WHOLE.replace(/ {2}source.*\n/, ""), /Access.*parameter is missing/],
    ["with a login of Kafka's", WHOLE.replace("BASIC_AUTH", "SASL_SCRAM_512_AUTH"), /have no SASL_SCRAM/],
    [
      "with two logins of a type",
      WHOLE.replace("LOGIN }", "A }, { type: BASIC_AUTH, uri: env:B }"),
      /already/,
    ],
    ["with a login in its endpoint", WHOLE.replace("//db-1", "//me:secret@db-1"), /is not the address/],
    ["with an option of the driver's", WHOLE.replace(":27017", ":27017/?ssl=false"), /is not the address/],
    ["with tumbling windows", `${WHOLE}  tumblingWindowInSeconds: 5\n`, /TumblingWindowInSeconds/],
    ["with what is no choice", `${WHOLE}  historyLost: skip\n`, /historyLost/],
  ];
  for (const [name, lines, problem] of slips)
    test(`is refused ${name}`, (t) => assert.match(problemsOf(t, mappingOf(lines)), problem));

  test("is one of several of a cluster, of other collections, for one function", (t) => {
    const other = WHOLE.replace("orders }", "customers }");
    const whole = WHOLE.replace(", collectionName: orders", "");
    const names = ["a", "b", "c"];
    const mappings = [WHOLE, other, whole].map((lines, index) => mappingOf(lines, names[index]));
    assert.equal(problemsOf(t, ...mappings), "");
    assert.match(problemsOf(t, mappingOf(WHOLE, "a"), mappingOf(WHOLE, "b")), /namespace \("shop.orders"\)/);
  });

  test("keeps its database and its collection when it is updated", () => {
    const body = { DocumentDBEventSourceConfig: { DatabaseName: "others" }, BatchSize: 5 };
    assert.deepEqual(readUpdateMembers(body, CONNECTORS).spec, { batchSize: 5 });
  });
});

describe("the endpoints of a cluster", () => {
  test("are one connection string, with TLS unless they say otherwise", () => {
    const members = ["mongodb://db-1.example.com:27017", "mongodb://db-2.example.com"];
    assert.deepEqual(clusterAddress(members), {
      connectionString: "mongodb://db-1.example.com:27017,db-2.example.com/",
      hasTls: true,
    });
    assert.deepEqual(clusterAddress(["mongodb://localhost:27017/?tls=false&replicaSet=rs0"]), {
      connectionString: "mongodb://localhost:27017/?replicaSet=rs0&tls=false",
      hasTls: false,
    });
    assert.equal(
      clusterAddress(["mongodb+srv://shop.example.com"]).connectionString,
      "mongodb+srv://shop.example.com/",
    );
  });
});
