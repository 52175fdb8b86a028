import assert from "node:assert/strict";
import { test } from "node:test";
import { runScaleDowns } from "../chaos/scale-down/scale-downs.ts";

const SCALE_DOWNS = Number(process.env["MILLRACE_SCALE_DOWNS"] ?? 4);

test("processes that are told to go end what they have begun, and nothing is run twice or lost", async (t) => {
  const report = await runScaleDowns(SCALE_DOWNS);
  t.diagnostic(JSON.stringify(report));
  const { interrupted, repeated, lost, failed } = report;
  assert.deepEqual(
    { interrupted, repeated, lost, failed },
    { interrupted: 0, repeated: 0, lost: 0, failed: [] },
  );
  assert(report.drained > 0, "no process had anything under way when it was told to go");
});
