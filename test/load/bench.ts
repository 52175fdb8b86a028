/**
 * `npm run bench [-- NAME…]`: every benchmark of this folder, or those whose file names hold one of the words, each in
 * a process of its own, and then `RESULTS.md` from all results that there are. Speed is given as ratios within one run,
 * since machines differ and drift; the exit status is 1 when a goal is missed. With `--resume` what this commit has
 * results of is not run again: a long run that was cut off goes on.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BenchOutcome, formatResults, formatTable } from "./bench-results.ts";
import { formatMeasurement } from "./measurement.ts";

const FOLDER = import.meta.dirname;
const OUTCOMES = join(FOLDER, "../../.data/bench");
const RESULTS = join(FOLDER, "RESULTS.md");

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { resume: { type: "boolean" } },
});
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".bench.ts"))
  .toSorted();
const chosen = files.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
if (chosen.length === 0) {
  console.error(`no benchmark matches ${words.join(", ")}: there are ${files.join(", ")}`);
  process.exit(2);
}

const commit = readCommit();
mkdirSync(OUTCOMES, { recursive: true });
let missed = 0;
let failed = 0;
for (const file of chosen) {
  const known = values.resume === true ? readOutcome(file) : undefined;
  const outcome = known?.commit === commit ? known : runOne(file);
  if (outcome === undefined) {
    failed++;
    continue;
  }
  console.log(`\n${outcome.name} (${file})`);
  for (const line of outcome.measurements) {
    if (line.holds === false) missed++;
    console.log(`  ${formatMeasurement(line)}`);
  }
}
const outcomes = files.flatMap((file) => readOutcome(file) ?? []);
writeFileSync(RESULTS, formatResults(outcomes));
console.log(`\n${formatTable(outcomes)}`);
console.log(
  `\n${missed === 0 ? "every goal holds" : `${missed} goals missed`}${failed === 0 ? "" : `, ${failed} failed`}`,
);
process.exitCode = missed === 0 && failed === 0 ? 0 : 1;

/** Keeps what came out, before the next one runs. */
function runOne(file: string): BenchOutcome | undefined {
  const out = join(OUTCOMES, `${file}.json`);
  const args = ["--expose-gc", join(FOLDER, "bench-one.ts"), file, out, commit];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status === 0) return readOutcome(file);
  console.error(`\n${file} ended with status ${status}`);
  return undefined;
}

function readOutcome(file: string): BenchOutcome | undefined {
  try {
    return JSON.parse(readFileSync(join(OUTCOMES, `${file}.json`), "utf8")) as BenchOutcome;
  } catch {
    return undefined;
  }
}

/** With a mark when the working tree is not what the commit says. */
function readCommit(): string {
  const git = (...args: readonly string[]) =>
    spawnSync("git", args, { cwd: FOLDER, encoding: "utf8" }).stdout.trim();
  const isChanged =
    git("status", "--porcelain", "--", "../../src", "../../connectors", ".", ":!RESULTS.md") !== "";
  return `${git("rev-parse", "--short=10", "HEAD")}${isChanged ? " with changes" : ""}`;
}
