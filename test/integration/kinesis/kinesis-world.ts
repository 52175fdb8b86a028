import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export interface ManifestParts {
  /** `spec` of the function, as YAML flow members. */
  readonly functionSpec: string;
  readonly streamArn: string;
  /** Lines of the mapping's `spec`. */
  readonly mapping: readonly string[];
}

/** A folder of its own with a manifest of one function and one mapping over a Kinesis stream. */
export function writeKinesisManifest(
  t: TestContext,
  { functionSpec, streamArn, mapping }: ManifestParts,
): { folder: string; manifest: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-kinesis-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const manifest = join(folder, "orders.yaml");
  writeFileSync(
    manifest,
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { ${functionSpec} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-stream }
spec:
  functionName: orders
  eventSourceArn: ${streamArn}
  startingPosition: TRIM_HORIZON
${mapping.map((line) => `  ${line}\n`).join("")}`,
  );
  return { folder, manifest };
}
