import assert from "node:assert/strict";
import { test } from "node:test";
import { runVolume } from "./run-volume.ts";
import { growthOf, VOLUME_RUNS } from "./volume-plan.ts";

const STEP_BYTES = 50e6;
const TOTAL_BYTES = Number(process.env["MILLRACE_VOLUME_MEGABYTES"] ?? 300) * 1e6;
/** Of 200 MB that go through behind the second sample. What is kept of each byte shows tenfold. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
const HANDLES_MORE_MAX = 8;

for (const run of VOLUME_RUNS) {
  const { source, fn, store } = run;
  test(`an engine keeps nothing of what has gone through: ${source}, function ${fn}, store ${store}`, async (t) => {
    const samples = await runVolume(run, { stepBytes: STEP_BYTES, totalBytes: TOTAL_BYTES });
    t.diagnostic(JSON.stringify(samples));
    assert.equal(samples.length, TOTAL_BYTES / STEP_BYTES);
    const warm = samples.slice(1);
    for (const of of [
      ({ heap }: (typeof warm)[number]) => heap,
      ({ external }: (typeof warm)[number]) => external,
      ({ arrayBuffers }: (typeof warm)[number]) => arrayBuffers,
    ]) {
      assert.ok(growthOf(warm, of) <= GROWTH_BYTES_MAX, `held after each step: ${JSON.stringify(samples)}`);
    }
    const handles = growthOf(warm, ({ descriptors, timers }) => descriptors + timers);
    assert.ok(handles <= HANDLES_MORE_MAX, JSON.stringify(samples));
  });
}
