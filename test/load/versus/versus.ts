/**
 * `npm run bench:versus -- REVISION [--with REVISION] [--pairs N] [--only PATH]`: what records cost on their way to a
 * function in this commit (or the one behind `--with`) against another. Each path (dispatch, kinesis, sqs, queue,
 * kafka) is fed to three processes in turn: the other commit, this one, and the other once more. The ratio of the first
 * two is the result, that of the first and the last is the noise. What is compared is CPU time of the whole process, by
 * the median of the pairs' ratios. Ends with status 1 when a path keeps less than 0.97 of the other's speed.
 */
import { parseArgs } from "node:util";
import { median } from "../measurement.ts";
import { type OpenPath, type Path, paths } from "./paths.ts";
import { Side } from "./side.ts";
import { checkOut, type Tree } from "./tree.ts";

const KEPT_MIN = 0.97;
const WARM_UP_ROUNDS = 4;
/** A round takes seconds: one that takes so long does not come to an end. */
const ROUND_MS_MAX = 300_000;
type Role = "other" | "own" | "again";
const ROLES: readonly Role[] = ["other", "own", "again"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    with: { type: "string", default: "HEAD" },
    pairs: { type: "string", default: "15" },
    only: { type: "string", multiple: true },
  },
});
const [revision] = positionals;
const pairs = Number(values.pairs);
const chosen = paths().filter(({ name }) => values.only?.includes(name) ?? true);
if (revision === undefined || !Number.isInteger(pairs) || pairs < 1 || chosen.length === 0) {
  const names = paths().map(({ name }) => name);
  console.error(
    `usage: npm run bench:versus -- REVISION [--with REVISION] [--pairs N] [--only ${names.join("|")}]`,
  );
  process.exit(2);
}

const trees: Tree[] = [];
let slower = 0;
try {
  const other = remember(checkOut(revision));
  const own = remember(checkOut(values.with));
  console.log(`${own.commit} against ${other.commit}, CPU time, medians of ${pairs} pairs; above 1: faster`);
  for (const path of chosen) {
    const costs = await measure(path, { other: other.folder, own: own.folder, again: other.folder });
    const kept = ratios(costs.other, costs.own);
    const noise = ratios(costs.other, costs.again);
    if (median(kept) < KEPT_MIN) slower++;
    const cost = (of: readonly number[]) => (median(of) / path.records).toFixed(2);
    console.log(
      `${path.name.padEnd(9)} ${median(kept).toFixed(3)} (${spread(kept)})   noise ${median(noise).toFixed(3)} (${spread(noise)})   ` +
        `${cost(costs.other)} to ${cost(costs.own)} CPU µs a record${median(kept) < KEPT_MIN ? "   SLOWER" : ""}`,
    );
  }
} finally {
  for (const tree of trees) tree.remove();
}
process.exit(slower === 0 ? 0 : 1);

function remember(tree: Tree): Tree {
  trees.push(tree);
  return tree;
}

/** CPU time of each round in microseconds, when all sides are warm. */
async function measure(
  path: Path,
  folders: Readonly<Record<Role, string>>,
): Promise<Readonly<Record<Role, readonly number[]>>> {
  const costs: Record<Role, number[]> = { other: [], own: [], again: [] };
  const sides = new Map<Role, Side>();
  const content = await path.open();
  try {
    for (const role of ROLES) sides.set(role, await Side.start(folders[role], await content.prepare(role)));
    for (let round = 0; round < WARM_UP_ROUNDS + pairs; round++) {
      // Each goes first as often as any other.
      for (let turn = 0; turn < ROLES.length; turn++) {
        const role = ROLES[(round + turn) % ROLES.length] ?? "own";
        const side = sides.get(role);
        if (side === undefined) continue;
        const micros = await costOf(content, role, side);
        if (round >= WARM_UP_ROUNDS) costs[role].push(micros);
      }
      progress(`${path.name}: round ${round + 1} of ${WARM_UP_ROUNDS + pairs}`);
    }
  } finally {
    progress("");
    for (const side of sides.values()) await side.stop();
    await content.close();
  }
  return costs;
}

async function costOf(content: OpenPath, role: Role, side: Side): Promise<number> {
  const before = await side.cpuMicros();
  await withinRound(content.feed(role), role);
  return (await side.cpuMicros()) - before;
}

/** @throws Error that names the side, when not all of its records have come through. */
async function withinRound(fed: Promise<void>, role: Role): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `the side "${role}" has not seen all records of its round after ${ROUND_MS_MAX / 1_000} s`;
    timer = setTimeout(() => reject(new Error(text)), ROUND_MS_MAX);
  });
  try {
    await Promise.race([fed, late]);
  } finally {
    clearTimeout(timer);
  }
}

function ratios(base: readonly number[], of: readonly number[]): readonly number[] {
  return base.map((micros, pair) => micros / (of[pair] ?? Number.NaN));
}

/** From the lower to the upper quartile. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(2);
  return `${at(0.25)}–${at(0.75)}`;
}

/** In one line of a terminal; elsewhere a line each, since a run that says nothing looks as if it stood still. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  else if (text !== "") process.stderr.write(`${text}\n`);
}
