import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { MillraceProcess } from "./cli/millrace-process.ts";

const FUNCTION = fileURLToPath(new URL("../fixtures/functions/misbehaving.ts", import.meta.url));
const DEEDS = [
  "throws",
  "throws a non-error",
  "hangs",
  "blocks its thread",
  "exits",
  "rejects unhandled",
  "returns 7 MB",
  "returns rubbish",
  "returns a circle",
];

test("whatever a function does with a record, that record goes to the destination and all others are processed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-misbehaving-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = openStreamFile(join(folder, "stream.db"));
  const stream = file.createStream({ name: "deeds", shards: 2 });
  const places = stream.append(
    DEEDS.flatMap((deed, index) => [
      { partitionKey: `key-${index}`, data: `good ${index}` },
      { partitionKey: `key-${index}`, data: deed },
      { partitionKey: `key-${index}`, data: `good again ${index}` },
    ]),
  );
  file.close();
  writeFileSync(join(folder, "manifest.yaml"), manifest(folder));

  const run = new MillraceProcess(
    t,
    ["run", "-f", "manifest.yaml", "--store", "memory:", "--api", "off", "--until-caught-up"],
    folder,
  );
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);

  const failed = lines(join(folder, "failed.jsonl")).map((line) => JSON.parse(line));
  const failedPositions = failed.map(({ KinesisBatchInfo }) => KinesisBatchInfo.startSequenceNumber);
  const positions = places.map(({ position }) => position);
  const misdeeds = positions.filter((_, index) => index % 3 === 1);
  assert.deepEqual(failedPositions.toSorted(), misdeeds.toSorted());
  assert.ok(failed.every(({ KinesisBatchInfo }) => KinesisBatchInfo.batchSize === 1));
  const seen = new Set(lines(join(folder, "seen.txt")));
  assert.deepEqual(
    positions.filter((position) => !seen.has(position)).toSorted(),
    misdeeds.toSorted(),
    "every other record succeeded",
  );
});

function manifest(folder: string): string {
  return `
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: misbehaving }
spec:
  module: { path: "${FUNCTION}", isolation: thread, environment: { SEEN_FILE: "${join(folder, "seen.txt")}" } }
  timeoutSeconds: 1
  reservedConcurrency: 4
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: deeds }
spec:
  functionName: misbehaving
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/deeds
  endpoints: { LOCAL_FILE: [stream.db] }
  startingPosition: TRIM_HORIZON
  batchSize: 10
  parallelizationFactor: 2
  bisectBatchOnFunctionError: true
  maximumRetryAttempts: 0
  functionResponseTypes: [ReportBatchItemFailures]
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
`;
}

function lines(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").filter(Boolean);
}
