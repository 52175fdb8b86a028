/** Runs one benchmark and leaves its outcome in a file: `node bench-one.ts FILE OUT COMMIT`. */
import { writeFileSync } from "node:fs";
import { describeMachine } from "../../src/load/machine.ts";
import type { BenchOutcome } from "./bench-results.ts";
import type { Measurement } from "./measurement.ts";

interface Benchmark {
  readonly name: string;
  run(): Promise<readonly Measurement[]>;
}

const [, , file = "", out = "", commit = ""] = process.argv;
const machine = describeMachine();
const benchmark = (await import(`./${file}`)) as Benchmark;
const outcome: BenchOutcome = {
  file,
  name: benchmark.name,
  commit,
  ranAt: new Date().toISOString(),
  machine,
  measurements: await benchmark.run(),
};
writeFileSync(out, `${JSON.stringify(outcome, undefined, 1)}\n`);
process.exit(0);
