/**
 * `npm run bench [-- NAME…]`: every benchmark of this folder, or those whose file names hold one of the words. Speed is
 * given as ratios within one run, since machines differ and drift; the exit status is 1 when a goal is missed.
 */
import { readdir } from "node:fs/promises";
import { formatMeasurement, type Measurement } from "./measurement.ts";

interface Benchmark {
  readonly name: string;
  run(): Promise<readonly Measurement[]>;
}

const words = process.argv.slice(2);
const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith(".bench.ts")).toSorted();
const chosen = files.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
if (chosen.length === 0) {
  console.error(`no benchmark matches ${words.join(", ")}: there are ${files.join(", ")}`);
  process.exit(2);
}

let missed = 0;
for (const file of chosen) {
  const benchmark = (await import(`./${file}`)) as Benchmark;
  console.log(`\n${benchmark.name} (${file})`);
  for (const line of await benchmark.run()) {
    if (line.holds === false) missed++;
    console.log(`  ${formatMeasurement(line)}`);
  }
}
console.log(missed === 0 ? "\nevery goal holds" : `\n${missed} goals missed`);
process.exitCode = missed === 0 ? 0 : 1;
