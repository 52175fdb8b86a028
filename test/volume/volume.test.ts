import assert from "node:assert/strict";
import { test } from "node:test";
import { runVolume } from "./run-volume.ts";
import { VOLUME_RUNS, type VolumeSample } from "./volume-plan.ts";

const STEP_BYTES = 50e6;
const TOTAL_BYTES = Number(process.env["MILLRACE_VOLUME_MEGABYTES"] ?? 300) * 1e6;
/** Of 200 MB that go through behind the second sample. What is kept of each byte shows tenfold. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
const HANDLES_MORE_MAX = 8;

for (const run of VOLUME_RUNS) {
  const { source, fn, store } = run;
  test(`an engine keeps nothing of what has gone through: ${source}, function ${fn}, store ${store}`, async () => {
    const samples = await runVolume(run, STEP_BYTES, TOTAL_BYTES);
    assert.equal(samples.length, TOTAL_BYTES / STEP_BYTES);
    const [, first, ...later] = samples;
    assert(first !== undefined);
    for (const of of [({ heap }: VolumeSample) => heap, ({ external }: VolumeSample) => external]) {
      const growth = Math.min(...later.slice(-2).map(of)) - of(first);
      assert.ok(growth <= GROWTH_BYTES_MAX, `held after each step: ${JSON.stringify(samples)}`);
    }
    const handles = ({ descriptors, timers }: VolumeSample) => descriptors + timers;
    assert.ok(Math.min(...later.map(handles)) - handles(first) <= HANDLES_MORE_MAX, JSON.stringify(samples));
  });
}
