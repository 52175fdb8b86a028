/**
 * `node test/volume/volume.ts [--megabytes N] [--step N] [--only SOURCE] [--stores | --servers]`: takes so many
 * megabytes (5,000; from real servers 500) of each source through the engine and prints what its process holds every so
 * many (500; 50). `--stores`: with the stores that are servers'; `--servers`: from real servers. Ends with status 1
 * when the process holds more than 1 MiB more for each gigabyte from the first gigabyte on, or descriptors or timers
 * grow; of less than two gigabytes, in which a slope does not show, when it holds 16 MiB more.
 */
import { parseArgs } from "node:util";
import { runVolume } from "./run-volume.ts";
import {
  growthOf,
  SOURCE_SERVER_RUNS,
  STORE_SERVER_RUNS,
  slopePerGigabyte,
  VOLUME_RUNS,
  type VolumeSample,
} from "./volume-plan.ts";

const MIB = 1024 * 1024;
const SLOPE_MIB_MAX = 1;
const GROWTH_MIB_MAX = 16;
const WARM_BYTES = 1e9;
const JUDGED_BYTES_MIN = 2e9;
/** Connections and timers come and go: so many more than at first are not a leak yet. */
const HANDLES_MORE_MAX = 8;
const HELD = {
  heap: ({ heap }: VolumeSample) => heap,
  external: ({ external }: VolumeSample) => external,
  "array buffers": ({ arrayBuffers }: VolumeSample) => arrayBuffers,
};

const { values } = parseArgs({
  options: {
    megabytes: { type: "string" },
    step: { type: "string" },
    only: { type: "string" },
    stores: { type: "boolean" },
    servers: { type: "boolean" },
  },
});
const totalBytes = Number(values.megabytes ?? (values.servers ? "500" : "5000")) * 1e6;
const stepBytes = Number(values.step ?? (values.servers ? "50" : "500")) * 1e6;
const plan = values.servers ? SOURCE_SERVER_RUNS : values.stores ? STORE_SERVER_RUNS : VOLUME_RUNS;
let isFailed = false;

for (const run of plan.filter(({ source }) => values.only === undefined || source === values.only)) {
  const began = performance.now();
  const from = run.feed === "server" ? "a real server" : "canned";
  console.log(`\n${run.source} (${from}) -> ${run.fn}, store ${run.store}`);
  const samples = await runVolume(run, { stepBytes, totalBytes }, (sample) => console.log(lineOf(sample)));
  console.log(`${totalBytes / 1e9} GB in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  for (const fault of faultsOf(samples)) {
    isFailed = true;
    console.log(`FAILED: ${run.source}: ${fault}`);
  }
}
process.exitCode = isFailed ? 1 : 0;

function faultsOf(samples: readonly VolumeSample[]): readonly string[] {
  const isLong = totalBytes >= JUDGED_BYTES_MIN;
  const warm = isLong ? samples.filter(({ delivered }) => delivered >= WARM_BYTES) : samples.slice(1);
  const bound = isLong ? SLOPE_MIB_MAX : GROWTH_MIB_MAX;
  const measured = Object.entries(HELD).map(
    ([name, of]) => [name, (isLong ? slopePerGigabyte(warm, of) : growthOf(warm, of)) / MIB] as const,
  );
  const unit = isLong ? "MiB a GB" : "MiB more";
  console.log(`${unit}: ${measured.map(([name, mib]) => `${name} ${mib.toFixed(2)}`).join(", ")}`);
  const faults = measured
    .filter(([, mib]) => mib > bound)
    .map(([name, mib]) => `${name}: ${mib.toFixed(2)} ${unit}, and at most ${bound} are right`);
  const more = growthOf(warm, ({ descriptors, timers }) => descriptors + timers);
  return more > HANDLES_MORE_MAX ? [...faults, `${more} descriptors and timers more`] : faults;
}

function lineOf({ delivered, heap, external, arrayBuffers, descriptors, timers }: VolumeSample): string {
  const mib = (bytes: number) => (bytes / MIB).toFixed(1).padStart(7);
  const gb = (delivered / 1e9).toFixed(2).padStart(6);
  return `${gb} GB  heap ${mib(heap)}  external ${mib(external)}  array buffers ${mib(arrayBuffers)} MiB  descriptors ${descriptors}  timers ${timers}`;
}
