/**
 * `npm run bombs [-- --empty N] [--plant-step]`: the real process with a heap of 512 MB, and at once all that a few
 * bytes of somebody else can do to it: record batches, frames, aggregates, answers of functions. Prints how each ended,
 * what the process held, and how long its event loop was held, as its own probe saw it and as a process saw it that
 * asked every 20 ms. Ends with status 1 when a bound is broken. `--plant-step` holds the loop for 300 ms, which both
 * have to see.
 */
import { parseArgs } from "node:util";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { runBombs } from "./run-bombs.ts";

const MIB = 1024 * 1024;
const RSS_MAX = DEFAULT_SETTINGS.processBudgetBytes + 128 * MIB;
const STEP_MS_MAX = 200;

const { values } = parseArgs({
  options: { empty: { type: "string", default: "6500000" }, "plant-step": { type: "boolean" } },
});
const report = await runBombs({
  emptyRecords: Number(values.empty),
  plantsStep: values["plant-step"] ?? false,
  onProgress: (line) => console.log(line),
});
const { endings, rssMax, steps, asker, calmLatestMs, witness } = report;
console.log("\nended ms   took ms  neighbour first  others meanwhile");
for (const { bomb, how, atMs, tookMs, isNeighbourFirst, calmMeanwhile } of endings) {
  console.log(
    `${String(atMs).padStart(8)} ${String(tookMs).padStart(9)}  ${String(isNeighbourFirst).padEnd(15)}  ${String(calmMeanwhile).padStart(6)}  ${how}: ${bomb}`,
  );
}
console.log(`resident at most: ${(rssMax / MIB).toFixed(0)} MiB of ${RSS_MAX / MIB}`);
console.log(
  `probe: longest step of a second up to ${steps.longestUpToSeconds} s; ${steps.all - steps.short} of ${steps.all} seconds with one of more than 0.2 s`,
);
console.log(
  `from within: the longest step took ${witness.ownMs.toFixed(0)} ms of the main thread's processor time, ${witness.long.length} of ${witness.wakes} took more than 200 ms (${witness.long.map(({ atMs, ownMs }) => `${ownMs} at ${atMs}`).join(", ")}); the longest wait for a turn was ${witness.lateMs.toFixed(0)} ms`,
);
console.log(
  `asked from outside: ${asker.asked} answers, ${asker.failures} failures, slowest ${asker.slowest.join(", ")} ms; the asker itself was late by ${asker.ownLateMs} ms at most`,
);
console.log(
  `a record of another mapping was delivered ${calmLatestMs} ms after it came into being at the latest`,
);

const isHeld = steps.all > steps.short;
const isSeenOutside = (asker.slowest.at(-1) ?? 0) > STEP_MS_MAX;
const faults = [
  ...(rssMax > RSS_MAX ? ["more memory than the budget and 128 MiB"] : []),
  ...endings
    .filter(({ isNeighbourFirst }) => !isNeighbourFirst)
    .map(({ bomb }) => `${bomb}: its neighbour came later`),
  ...(values["plant-step"]
    ? [
        ...(isHeld ? [] : ["the probe did not see the planted step"]),
        ...(isSeenOutside ? [] : ["nobody outside saw it"]),
      ]
    : [
        ...(isHeld ? ["a step of more than 200 ms"] : []),
        ...(isSeenOutside ? ["an answer after more than 200 ms"] : []),
      ]),
];
for (const fault of faults) console.log(`FAILED: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
