import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { ProgressBar } from "../../src/cli/progress-bar.ts";
import { createEngine } from "../../src/engine/create-engine.ts";
import { MARKS } from "../../src/ports/telemetry.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { generateScenario } from "./generate-scenario.ts";
import { addRegression, readRegressions } from "./regressions.ts";
import { runScenario, watchRejections } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { tellStory } from "./story.ts";
import { addTally, createTally, type SeedFailure, type Tally } from "./tally.ts";
import { STOOD_STILL } from "./world/standstill-watch.ts";

/**
 * `npm run simulate -- --seeds N [--seed S] [--record]`: runs the seeds S, S + 1, … on all cores and prints what they
 * came to. Exit status 1 when a rule was broken, or when a run of 2,000 seeds or more never reached a rare state.
 * `--record` keeps the shrunk scenario of the first failure in seeds/regressions.json.
 */
const PORTION = 10;
const MARKS_SEEDS_MIN = 2_000;
/** A third of it is what is written in turn: more copies less and leaves the caches, less copies more. */
const YOUNG_MB = 24;
const SHRINK_RUNS_MAX = 1_000;

/** Of the engine, and what the world itself sees. */
const ALL_MARKS: readonly string[] = [...MARKS, STOOD_STILL];

const { values } = parseArgs({
  options: { seeds: { type: "string" }, seed: { type: "string" }, record: { type: "boolean" } },
});
const count = readCount("--seeds", values.seeds, values.seed === undefined ? MARKS_SEEDS_MIN : 1);
if (count === 0) {
  console.error("--seeds 0 would prove nothing: give a whole number above 0.");
  process.exit(2);
}
// Fresh seeds at every run, unless one is asked for: what was tried yesterday is known.
const first = readCount("--seed", values.seed, Math.floor(Date.now() / 1000) % 100_000_000);

watchRejections();
process.exitCode = await main();

async function main(): Promise<number> {
  const begin = performance.now();
  const brokenAgain = await replayRegressions();
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const cpuBefore = process.cpuUsage();
  const tally = await runSeeds(seeds);
  const { user, system } = process.cpuUsage(cpuBefore);
  tally.failures.sort((a, b) => a.seed - b.seed);
  print(tally, (performance.now() - begin) / 1000, (user + system) / 1e6);
  const [failure] = tally.failures;
  if (failure !== undefined) await explain(failure);
  const missing = count >= MARKS_SEEDS_MIN ? ALL_MARKS.filter((mark) => !tally.marks.has(mark)) : [];
  if (missing.length > 0) console.log(`\nRare states that no seed reached: ${missing.join("; ")}`);
  return brokenAgain > 0 || failure !== undefined || missing.length > 0 ? 1 : 0;
}

function readCount(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${name} takes a whole number from 0 on, not ${JSON.stringify(text)}.`);
  process.exit(2);
}

async function replayRegressions(): Promise<number> {
  let broken = 0;
  for (const { found, scenario } of readRegressions()) {
    const { history, violations } = await runScenario(scenario, { createEngine });
    if (violations.length === 0) continue;
    broken++;
    console.log(`A known failure is back (${found}):\n${tellStory(history, violations)}\n`);
  }
  return broken;
}

/** Each worker gets a portion, and the next one when it is done: slow seeds hold up nobody. */
async function runSeeds(seeds: readonly number[]): Promise<Tally> {
  const sum = createTally();
  const bar = new ProgressBar(process.stdout, createSystemClock());
  let next = 0;
  const workers = Math.min(availableParallelism(), Math.ceil(seeds.length / PORTION));
  const runs = Array.from({ length: workers }, () => runWorker(nextPortion, done));
  await Promise.all(runs);
  bar.stop();
  return sum;

  function nextPortion(): readonly number[] {
    const portion = seeds.slice(next, next + PORTION);
    next += portion.length;
    return portion;
  }

  function done(part: Tally): void {
    addTally(sum, part);
    const text = `${sum.seeds} of ${seeds.length} seeds, ${sum.failures.length} failed`;
    bar.show({ done: sum.seeds, total: seeds.length, text });
  }
}

function runWorker(nextPortion: () => readonly number[], done: (part: Tally) => void): Promise<void> {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  const worker = new Worker(new URL("simulate-worker.ts", import.meta.url), { resourceLimits });
  return new Promise((resolve, reject) => {
    const feed = () => {
      const portion = nextPortion();
      if (portion.length > 0) return worker.postMessage(portion);
      return void worker.terminate().then(() => resolve());
    };
    worker.on("message", (part: Tally) => {
      done(part);
      feed();
    });
    worker.on("error", reject);
    feed();
  });
}

/**
 * A core's second is one of the processor time of the threads that run seeds: others on the machine take none of it,
 * and slow it down all the same, by caches and clocks that they share. `processS`: of all threads, with those of the
 * collector and the compiler, which runs of a few hundred seeds keep busy, and with what runs twice.
 */
function print(tally: Tally, elapsedS: number, processS: number): void {
  const cpuS = tally.cpuMs / 1000;
  const perCore = (amount: number) => Math.round(amount / cpuS).toLocaleString("en");
  const virtualH = (tally.virtualMs / 3_600_000).toFixed(1);
  console.log(`seeds        ${tally.seeds} (${first} to ${first + count - 1}) in ${elapsedS.toFixed(1)} s`);
  console.log(`speed        ${perCore(tally.seeds)} seeds/s/core, ${perCore(tally.events)} events/s/core`);
  console.log(`invocations  ${tally.invocations}, ${perCore(tally.invocations)} invocations/s/core`);
  const all = Math.round(tally.invocations / processS).toLocaleString("en");
  console.log(`             ${all} invocations/s/core with the collector's and the compiler's threads`);
  console.log(`virtual time ${virtualH} h`);
  console.log(`\nfaults       ${[...tally.faults.values()].reduce((sum, amount) => sum + amount, 0)}`);
  for (const [kind, amount] of [...tally.faults].sort()) console.log(`  ${kind.padEnd(42)} ${amount}`);
  console.log("\nrare states, share of seeds");
  for (const mark of ALL_MARKS) {
    const share = ((100 * (tally.marks.get(mark) ?? 0)) / Math.max(1, tally.seeds)).toFixed(1);
    console.log(`  ${mark.padEnd(52)} ${share.padStart(5)} %`);
  }
  console.log(`\nviolations   ${tally.failures.length} of ${tally.seeds} seeds`);
  for (const { seed, violations } of tally.failures.slice(0, 20)) {
    const [violation] = violations;
    if (violation !== undefined) console.log(`  seed ${seed}: ${violation.invariant} ${violation.message}`);
  }
}

async function explain({ seed, violations }: SeedFailure): Promise<void> {
  const [violation] = violations;
  if (violation === undefined) return;
  const { invariant } = violation;
  const fails = async (scenario: Scenario) => {
    const result = await runScenario(scenario, { createEngine });
    return result.violations.some((each) => each.invariant === invariant);
  };
  const whole = generateScenario(seed);
  const shortest = (await fails(whole)) ? await shrink(whole, fails, { runsMax: SHRINK_RUNS_MAX }) : whole;
  const result = await runScenario(shortest, { createEngine });
  console.log(`\nThe shortest story of seed ${seed} that breaks ${invariant}:\n`);
  console.log(tellStory(result.history, result.violations));
  if (values.record === true) {
    addRegression({ found: `seed ${seed}: ${invariant} ${violation.message}`, scenario: shortest });
    console.log("\nKept in test/simulation/seeds/regressions.json.");
  }
  console.log(`\nAgain: npm run simulate -- --seed ${seed}`);
}
