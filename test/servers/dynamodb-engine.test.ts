import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { createModuleFunction } from "../../src/functions/module.ts";
import { failureDocument } from "../../src/model/failure-record.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { PLAIN_MAPPING, startStreamRun } from "../integration/stream-run.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, openStream, useEndpoint } from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

const HANG = { timeout: 120_000 };
const QUICK = { backoffBaseMs: 1, backoffCapMs: 20 };

interface ChangeEvent {
  readonly Records: readonly {
    readonly dynamodb: {
      readonly Keys: { readonly pk: { readonly S: string } };
      readonly NewImage: { readonly version: { readonly N: string } };
    };
  }[];
}

test(
  "with lanes the versions of an item stay in order, through failures, and none is lost",
  HANG,
  async () => {
    const table = await createTable();
    const items = 25;
    const versions = 8;
    for (let version = 1; version <= versions; version++) {
      const puts = Array.from({ length: items }, (_, item) =>
        table.put({ pk: { S: `item-${item}` }, version: { N: String(version) } }),
      );
      await Promise.all(puts);
    }
    const seen = new Map<string, number[]>();
    let calls = 0;
    const target: FunctionTarget = {
      async invoke(payload) {
        const isFailure = ++calls % 9 === 0;
        const { Records } = JSON.parse(Buffer.from(payload).toString()) as ChangeEvent;
        await new Promise((resolve) => setImmediate(resolve));
        if (isFailure) return { kind: "functionError", errorType: "Error", message: "the ninth" };
        for (const { dynamodb } of Records) {
          const key = dynamodb.Keys.pk.S;
          seen.set(key, [...(seen.get(key) ?? []), Number(dynamodb.NewImage.version.N)]);
        }
        return { kind: "succeeded", payload: Buffer.from("null") };
      },
      close: async () => {},
    };
    const source = await openStream(table.streamArn);
    const mapping = {
      ...PLAIN_MAPPING,
      eventSourceArn: table.streamArn,
      batchSize: 7,
      parallelizationFactor: 4,
    };
    const run = startStreamRun({ source, target, mapping, settings: QUICK });
    await run.until("all changes", () => [...seen.values()].flat().length >= items * versions);
    await run.stop();
    await source.close();
    await table.drop();
    const inOrder = Array.from({ length: versions }, (_, index) => index + 1);
    assert.equal(seen.size, items);
    for (const [key, order] of seen) assert.deepEqual(order, inOrder, key);
  },
);

test(
  "a handler of Powertools for AWS Lambda reports items one by one, and only the poison is discarded",
  HANG,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const handledFile = join(folder, "handled");
    writeFileSync(handledFile, "");
    const target = createModuleFunction({
      functionName: "changes",
      path: join(import.meta.dirname, "../fixtures/functions/dynamodb-batch.ts"),
      concurrency: 1,
      environment: { HANDLED_FILE: handledFile },
      onLog: () => {},
    });
    const table = await createTable();
    const failuresOf = (index: number) => (index === 17 ? 1_000 : index % 10 === 3 ? 1 : 0);
    for (let index = 0; index < 40; index++) {
      await table.put({ pk: { S: `item-${index}` }, failures: { N: String(failuresOf(index)) } });
    }
    await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: { pk: { S: "item-0" } } }));

    const source = await openStream(table.streamArn);
    const run = startStreamRun({
      source,
      target,
      mapping: {
        ...PLAIN_MAPPING,
        eventSourceArn: table.streamArn,
        batchSize: 20,
        retryAttemptsMax: 3,
        bisectBatchOnFunctionError: true,
        reportBatchItemFailures: true,
        onFailureDestination: "file:discarded",
      },
      settings: QUICK,
    });
    const handled = () => new Set(readFileSync(handledFile, "utf8").split("\n").filter(Boolean));
    await run.until("all but the poison handled", () => handled().size === 40 && run.discarded.length > 0);
    await run.stop();
    await Promise.all([target.close(), source.close(), table.drop()]);
    const changes = handled();
    rmSync(folder, { recursive: true });

    assert.ok(changes.has("REMOVE item-0"));
    assert.ok(!changes.has("INSERT item-17"));
    const [discarded] = run.discarded;
    assert.ok(discarded !== undefined && run.discarded.length === 1);
    const { DDBStreamBatchInfo } = failureDocument(discarded) as {
      DDBStreamBatchInfo: Record<string, unknown>;
    };
    assert.equal(DDBStreamBatchInfo["batchSize"], 1);
    assert.equal(DDBStreamBatchInfo["streamArn"], table.streamArn);
    assert.match(
      String(DDBStreamBatchInfo["approximateArrivalOfFirstRecord"]),
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    const event = JSON.parse(Buffer.from(discarded.payload ?? []).toString()) as ChangeEvent;
    assert.deepEqual(
      event.Records.map(({ dynamodb }) => dynamodb.Keys.pk.S),
      ["item-17"],
    );
  },
);
