import assert from "node:assert/strict";
import { test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { type MappingRecord, readRow, rowOf, tombstoneOf } from "../../../src/control/mapping-record.ts";
import { DEFAULT_PLACE, lambdaArnPrefix } from "../../../src/model/place.ts";

const UUID = "11111111-1111-4111-8111-111111111111";
const READING = { connectors: CONNECTORS, endpoints: {}, place: DEFAULT_PLACE };
const SPEC = {
  eventSourceArn: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
  functionName: "orders",
  startingPosition: "LATEST",
};
const RECORD: MappingRecord = {
  name: "orders",
  spec: SPEC,
  tags: { team: "shop" },
  isEnabled: false,
  owner: { kind: "api" },
  transition: "Disabling",
  generation: 3,
  lastModifiedMs: 1_700_000_000_000,
};

test("a mapping is kept as a document that all kinds share: what it is, whose, and what becomes of it", () => {
  assert.deepEqual(JSON.parse(rowOf(UUID, RECORD, READING.connectors).document), {
    form: 2,
    name: "orders",
    spec: { ...SPEC, enabled: false, tags: { team: "shop" } },
    owner: { kind: "api" },
    generation: 3,
    transition: "Disabling",
    conditions: [],
    lastModifiedMs: 1_700_000_000_000,
  });
});

test("what was written of a mapping is read back, and its settled row is without a transition", () => {
  const { transition: _transition, ...settled } = RECORD;
  for (const record of [RECORD, settled]) {
    const kept = readRow({ ...rowOf(UUID, record, READING.connectors), version: 5 }, READING);
    assert.deepEqual(kept?.record, { transition: undefined, ...record });
    assert.equal(kept?.resource.mapping.name, "orders");
  }
});

test("a row of the form before is read as what the API owns, and written anew in the form of all kinds", () => {
  const former = {
    form: 1,
    name: "orders",
    spec: SPEC,
    tags: {},
    isEnabled: true,
    generation: 2,
    lastModifiedMs: 7,
  };
  const row = (document: object) => ({
    ...rowOf(UUID, RECORD, READING.connectors),
    document: JSON.stringify(document),
    version: 5,
  });
  const { name, spec, tags, isEnabled, generation, lastModifiedMs } = former;
  const record = { name, spec, tags, isEnabled, generation, lastModifiedMs, owner: { kind: "api" as const } };
  assert.deepEqual(readRow(row(former), READING)?.record, record);
  assert.deepEqual(readRow(row({ ...former, isAdopted: true }), READING)?.record, {
    ...record,
    owner: { kind: "api", isAdopted: true },
  });
  assert.deepEqual(readRow({ ...rowOf(UUID, record, READING.connectors), version: 6 }, READING)?.record, {
    ...record,
    transition: undefined,
  });
});

test("a tombstone and a row of another kind are no mappings; what cannot be read is corrupt", () => {
  assert.equal(readRow({ ...tombstoneOf(UUID), version: 1 }, READING), undefined);
  assert.equal(
    readRow({ ...rowOf(UUID, RECORD, READING.connectors), kind: "function", version: 1 }, READING),
    undefined,
  );
  const good = JSON.parse(rowOf(UUID, RECORD, READING.connectors).document);
  const broken = [
    "{",
    "null",
    JSON.stringify({ ...good, form: 3 }),
    JSON.stringify({ ...good, owner: { kind: "somebody" } }),
    JSON.stringify({ ...good, transition: "Dreaming" }),
    JSON.stringify({ ...good, spec: { ...good.spec, tags: { team: 7 } } }),
    JSON.stringify({ ...good, spec: { ...good.spec, batchSize: "many" } }),
    JSON.stringify({ ...good, unknown: true }),
  ];
  for (const document of broken) {
    assert.throws(
      () => readRow({ ...rowOf(UUID, RECORD, READING.connectors), document, version: 1 }, READING),
      {
        code: "ERR_MILLRACE_STORE_CORRUPT",
      },
    );
  }
});

test("what manifests declare names the places that it likes; what the API said does not, also when manifests own it", () => {
  const near = CONNECTORS.map((connector) => ({ ...connector }));
  const endpoints = { KINESIS_ENDPOINT: ["http://127.0.0.1:4567"] };
  const reading = { ...READING, connectors: near, manifestConnectors: CONNECTORS, endpoints };
  const connectorOf = (owner: MappingRecord["owner"]) => {
    const row = { ...rowOf(UUID, { ...RECORD, owner }, CONNECTORS), version: 1 };
    return readRow(row, reading)?.resource.connector;
  };
  const manifest = { kind: "manifest", set: "default" } as const;
  assert.ok(CONNECTORS.some((connector) => connector === connectorOf(manifest)));
  for (const owner of [{ kind: "api" }, { ...manifest, isAdopted: true }] as const)
    assert.ok(near.some((connector) => connector === connectorOf(owner)));
});

test("relative paths in a mapping's own fields start from the folder of its manifest", () => {
  const spec = {
    functionName: "orders",
    selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:9092"] } },
    topics: ["orders"],
    startingPosition: "LATEST",
    sourceAccessConfigurations: [{ type: "BASIC_AUTH", uri: "file:login.json" }],
  };
  const record = {
    ...RECORD,
    spec,
    folder: "/etc/shop",
    owner: { kind: "manifest", set: "default" },
  } as const;
  const kept = readRow({ ...rowOf(UUID, record, CONNECTORS), version: 1 }, READING);
  assert.deepEqual([kept?.record.folder, kept?.resource.settings.folder], ["/etc/shop", "/etc/shop"]);
});

test("an enrichment and its templates come out of a row as they went in", () => {
  const spec = {
    ...SPEC,
    enrichment: "customers:live",
    enrichmentParameters: { inputTemplate: '{"id":<$.data.id>}' },
    targetParameters: { inputTemplate: "<$.name>" },
  };
  const kept = readRow({ ...rowOf(UUID, { ...RECORD, spec }, READING.connectors), version: 5 }, READING);
  assert.deepEqual(kept?.record.spec, spec);
  const prefix = lambdaArnPrefix(DEFAULT_PLACE).slice(0, -1);
  assert.deepEqual(kept?.resource.mapping.pipe, {
    enrichment: {
      functionName: "customers",
      functionArn: `${prefix}:function:customers:live`,
      inputTemplate: '{"id":<$.data.id>}',
    },
    inputTemplate: "<$.name>",
    arn: `${prefix}:event-source-mapping:${UUID}`,
  });
});
