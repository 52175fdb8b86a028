import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { hunt } from "./hunt.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

/**
 * `npm run simulate:bugs [-- --seeds N] [-- --only TEXT]`: plants each bug and looks for it in at most N seeds (2,000).
 * Exit status 1 when one is not caught.
 */
const { values } = parseArgs({ options: { seeds: { type: "string" }, only: { type: "string" } } });
const seedsMax = Number(values.seeds ?? 2_000);
const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(values.only ?? ""));
if (bugs.length === 0 || !Number.isSafeInteger(seedsMax) || seedsMax < 1) {
  console.error("nothing to hunt: give --seeds a whole number above 0, and --only a part of a bug's name");
  process.exit(2);
}
const missed: string[] = [];
const next = bugs.values();

await Promise.all(Array.from({ length: availableParallelism() }, huntNext));
console.log(`${bugs.length - missed.length} of ${bugs.length} planted bugs were caught`);
for (const name of missed) console.log(`  not caught: ${name}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function huntNext(): Promise<void> {
  for (let bug = next.next().value; bug !== undefined; bug = next.next().value)
    report(bug, await outcome(bug));
}

async function outcome(bug: PlantedBug) {
  try {
    return await hunt({ bug, seedsMax });
  } catch (error) {
    return { seeds: undefined, message: error instanceof Error ? error.message : String(error) };
  }
}

function report({ name }: PlantedBug, { seeds, message }: Awaited<ReturnType<typeof outcome>>): void {
  if (seeds === undefined) missed.push(name);
  const caught = seeds === undefined ? "NOT CAUGHT" : `seed ${seeds}`;
  console.log(`${caught.padEnd(11)} ${name}: ${message}`);
}
