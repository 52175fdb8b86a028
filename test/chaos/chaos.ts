import { parseArgs } from "node:util";
import { ProgressBar } from "../../src/cli/progress-bar.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { exitOnSignals } from "../servers/ends-with-us.ts";
import { startPostgres } from "../servers/postgres.ts";
import type { ChaosProgress } from "./chaos-report.ts";
import { runChaos } from "./run-chaos.ts";
import { disturbancesOf, summaryOf } from "./summary.ts";

/**
 * `npm run chaos -- [--kills N] [--records N] [--processes N] [--shards N] [--every-ms N] [--seed N] [--evidence
 * FILE]`: processes that share a stream by PostgreSQL, of which one is killed, stopped, paused or cut off from its
 * store again and again. Exit status 1 when a law of delivery was broken.
 */
const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    records: { type: "string" },
    processes: { type: "string" },
    shards: { type: "string" },
    "every-ms": { type: "string" },
    seed: { type: "string" },
    evidence: { type: "string" },
  },
});
const options = {
  kills: readCount("kills", 200),
  records: readCount("records", 500_000),
  processes: readCount("processes", 5),
  shards: readCount("shards", 64),
  everyMs: readCount("every-ms", 2_500),
  seed: readCount("seed", Math.floor(Date.now() / 1000) % 100_000_000),
  evidenceFile: values.evidence,
};
if (options.processes < 3) fail("--processes takes 3 or more: two go on while one is disturbed.");

console.log(
  `${options.processes} processes, ${options.shards} shards, ${options.records} records, ${options.kills} kills, seed ${options.seed}`,
);
exitOnSignals();
const bar = new ProgressBar(process.stdout, createSystemClock());
const server = await startPostgres();
try {
  const report = await runChaos(options, server, show);
  bar.stop();
  console.log(summaryOf(report, options));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} finally {
  await server.close();
}

function show(progress: ChaosProgress): void {
  const { done, appended, distinct, repeats, processes } = progress;
  const text = `${disturbancesOf(done)}; ${distinct} of ${appended} records, ${repeats} repeated; ${processes} processes at work`;
  bar.show({ done: distinct, total: options.records, text });
}

function readCount(name: keyof typeof values, otherwise: number): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    fail(`--${name} takes a whole number above 0, not ${JSON.stringify(text)}.`);
  return value;
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
