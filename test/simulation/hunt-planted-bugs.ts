import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { hunt } from "./hunt.ts";
import { OPEN_BUGS } from "./planted/open-bugs.ts";
import type { PlantedBug } from "./planted/planted-bug.ts";
import { PLANTED_BUGS } from "./planted-bugs.ts";

/**
 * `npm run simulate:bugs [-- --seeds N] [-- --only TEXT] [-- --record]`: plants each bug and looks for it in at most N
 * seeds (2,000), first in the one that is recorded to have caught it. `--record` writes down which did. Exit status 1
 * when one is not caught. Those that are known to be open are hunted with `--open` or by name only.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    only: { type: "string" },
    record: { type: "boolean" },
    open: { type: "boolean" },
  },
});
/** A bug's name to the seed that caught it: where the engine has not changed much, it does so again. */
const RECORD = new URL("planted/caught-by.json", import.meta.url);
const caughtBy = new Map<string, number>(Object.entries(JSON.parse(readFileSync(RECORD, "utf8"))));
const seedsMax = Number(values.seeds ?? 2_000);
const isWanted = (name: string) =>
  values.only === undefined ? OPEN_BUGS.has(name) === (values.open === true) : name.includes(values.only);
const bugs = PLANTED_BUGS.filter(({ name }) => isWanted(name));
if (bugs.length === 0 || !Number.isSafeInteger(seedsMax) || seedsMax < 1) {
  console.error("nothing to hunt: give --seeds a whole number above 0, and --only a part of a bug's name");
  process.exit(2);
}
const missed: string[] = [];
const next = bugs.values();

await Promise.all(Array.from({ length: availableParallelism() }, huntNext));
console.log(`${bugs.length - missed.length} of ${bugs.length} planted bugs were caught`);
if (values.only === undefined && values.open !== true)
  console.log(`${OPEN_BUGS.size} more are open: no checker is known to catch them (planted/open-bugs.ts)`);
for (const name of missed) console.log(`  not caught: ${name}`);
if (values.record === true) record();
process.exitCode = missed.length === 0 ? 0 : 1;

async function huntNext(): Promise<void> {
  for (let bug = next.next().value; bug !== undefined; bug = next.next().value)
    report(bug, await outcome(bug));
}

async function outcome(bug: PlantedBug) {
  try {
    return await hunt({ bug, seedsMax, firstSeed: caughtBy.get(bug.name) });
  } catch (error) {
    return { seed: undefined, message: error instanceof Error ? error.message : String(error) };
  }
}

function report({ name }: PlantedBug, { seed, message }: Awaited<ReturnType<typeof outcome>>): void {
  if (seed === undefined) missed.push(name);
  else caughtBy.set(name, seed);
  const caught = seed === undefined ? "NOT CAUGHT" : `seed ${seed}`;
  console.log(`${caught.padEnd(11)} ${name}: ${message}`);
}

function record(): void {
  const present = PLANTED_BUGS.map(({ name }) => [name, caughtBy.get(name)] as const);
  writeFileSync(RECORD, `${JSON.stringify(Object.fromEntries(present), undefined, 2)}\n`);
}
