/**
 * `node test/volume/volume.ts [--megabytes N] [--step N] [--only SOURCE]`: takes so many megabytes (5,000) of each source through
 * the engine, prints what its process holds every so many (500), and ends with status 1 when it holds more than 1 MiB more for
 * each gigabyte from the first gigabyte on, or descriptors or timers grow.
 */
import { parseArgs } from "node:util";
import { runVolume } from "./run-volume.ts";
import { slopePerGigabyte, VOLUME_RUNS, type VolumeSample } from "./volume-plan.ts";

const MIB = 1024 * 1024;
const SLOPE_MIB_MAX = 1;
const WARM_BYTES = 1e9;
const JUDGED_BYTES_MIN = 2e9;
/** Connections and timers come and go: so many more than at first are not a leak yet. */
const HANDLES_MORE_MAX = 8;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "5000" },
    step: { type: "string", default: "500" },
    only: { type: "string" },
  },
});
const totalBytes = Number(values.megabytes) * 1e6;
const stepBytes = Number(values.step) * 1e6;
let isFailed = false;

for (const run of VOLUME_RUNS.filter(({ source }) => values.only === undefined || source === values.only)) {
  const began = performance.now();
  const samples = await runVolume(run, stepBytes, totalBytes);
  const seconds = (performance.now() - began) / 1000;
  const warm = samples.filter(({ delivered }) => delivered >= Math.min(WARM_BYTES, totalBytes / 3));
  const slopes = {
    heap: slopePerGigabyte(warm, ({ heap }) => heap) / MIB,
    external: slopePerGigabyte(warm, ({ external }) => external) / MIB,
    "array buffers": slopePerGigabyte(warm, ({ arrayBuffers }) => arrayBuffers) / MIB,
  };
  console.log(
    `\n${run.source} -> ${run.fn}, store ${run.store}: ${totalBytes / 1e9} GB in ${seconds.toFixed(0)} s`,
  );
  for (const sample of samples) console.log(lineOf(sample));
  const faults = Object.entries(slopes).filter(([, slope]) => slope > SLOPE_MIB_MAX);
  const handles = (sample: VolumeSample | undefined) => (sample?.descriptors ?? 0) + (sample?.timers ?? 0);
  const more = handles(samples.at(-1)) - handles(warm[0]);
  console.log(
    `MiB a GB: ${Object.entries(slopes)
      .map(([name, slope]) => `${name} ${slope.toFixed(2)}`)
      .join(", ")}`,
  );
  if (totalBytes < JUDGED_BYTES_MIN) console.log("not judged: a slope shows from two gigabytes on");
  else if (faults.length > 0 || more > HANDLES_MORE_MAX) {
    isFailed = true;
    console.log(`FAILED: more than ${SLOPE_MIB_MAX} MiB a GB, or ${more} descriptors and timers more`);
  }
}
process.exitCode = isFailed ? 1 : 0;

function lineOf({ delivered, heap, external, arrayBuffers, descriptors, timers }: VolumeSample): string {
  const mib = (bytes: number) => (bytes / MIB).toFixed(1).padStart(7);
  const gb = (delivered / 1e9).toFixed(2).padStart(6);
  return `${gb} GB  heap ${mib(heap)}  external ${mib(external)}  array buffers ${mib(arrayBuffers)} MiB  descriptors ${descriptors}  timers ${timers}`;
}
