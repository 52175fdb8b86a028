import { writeFileSync } from "node:fs";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type OutageTold, outageTold } from "./outage-plan.ts";

/**
 * `npm run outages [-- --processes N] [-- --times N] [-- --outages MS,MS] [-- --only TEXT] [-- --minutes N]
 * [-- --out FILE]`: takes each source and each store away for 0.1, 1, 3 and 30 s, under load and while nothing comes,
 * from eight processes, twenty times, and prints a table. Exit status 1 when something did not work again within ten
 * seconds, when what was durable came again, or when the state did not say what was wrong.
 *
 * Of hours, and to be left alone: all are taken away once, then all a second time, and so on. After each round, and in
 * `FILE` after each outage, the table of all that was seen so far is told. `--minutes`: no round begins later. For CI
 * the same tests take short outages once.
 */
const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "8" },
    times: { type: "string", default: "20" },
    outages: { type: "string", default: "100,1000,3000,30000" },
    only: { type: "string" },
    minutes: { type: "string" },
    out: { type: "string" },
  },
});
const FILES = ["source-outages.test.ts", "store-outages.test.ts"];
Object.assign(process.env, {
  MILLRACE_TEST_OUTAGES: "full",
  MILLRACE_TEST_OUTAGE_PROCESSES: values.processes,
  MILLRACE_TEST_OUTAGE_TIMES: "1",
  MILLRACE_TEST_OUTAGE_MS: values.outages,
  ...(values.only === undefined ? {} : { MILLRACE_TEST_OUTAGE_SUBJECT: values.only }),
});

const rows = new Map<string, OutageTold[]>();
const failures: string[] = [];
const files = FILES.map((name) => fileURLToPath(new URL(name, import.meta.url)));
const beganMs = performance.now();
const minutesMax = Number(values.minutes ?? Number.POSITIVE_INFINITY);
let rounds = 0;
while (rounds < Number(values.times) && (performance.now() - beganMs) / 60_000 < minutesMax) {
  await runRound();
  rounds++;
  console.log(`\n${tableText()}`);
  // Nothing was seen: it will not be in a next round.
  if (rows.size === 0) break;
}
process.exitCode = failures.length > 0 || rows.size === 0 ? 1 : 0;

async function runRound(): Promise<void> {
  for await (const event of run({ files, concurrency: 1 })) {
    if (event.type === "test:diagnostic") note(outageTold(event.data.message));
    else if (event.type === "test:fail" && event.data.details.type !== "suite")
      failures.push(`round ${rounds + 1}: ${event.data.name}: ${causeOf(event.data.details.error)}`);
    else continue;
    if (values.out !== undefined) writeFileSync(values.out, tableText());
  }
}

function note(told: OutageTold | undefined): void {
  if (told === undefined) return;
  const key = `${told.subject} ${told.outageMs} ${told.load}`;
  rows.set(key, [...(rows.get(key) ?? []), told]);
  const { subject, outageMs, load, backMs, repeated, records } = told;
  console.log(
    `${subject}, ${outageMs} ms, ${load}: again after ${backMs} ms, ${repeated} of ${records} repeated`,
  );
}

/** All that was seen so far; each row says how often. */
function tableText(): string {
  const minutes = ((performance.now() - beganMs) / 60_000).toFixed(0);
  return [
    `${values.processes} processes, after ${minutes} min\n`,
    "| away | for | | times | slowest return | repeated | the state said |",
    "|---|---|---|---|---|---|---|",
    ...[...rows.values()].map(rowText),
    failures.length === 0 ? "\nall held\n" : `\n${failures.length} did not hold:\n${failures.join("\n")}\n`,
  ].join("\n");
}

function rowText(all: readonly OutageTold[]): string {
  const slowestMs = Math.max(...all.map(({ backMs }) => backMs));
  const sum = (of: (told: OutageTold) => number) => all.reduce((total, told) => total + of(told), 0);
  const repeated = `${sum((told) => told.repeated)} of ${sum((told) => told.records)}`;
  const said = [...new Set(all.flatMap((told) => told.said))].map((text) => text.slice(0, 80)).slice(0, 3);
  const [what = "", how = ""] =
    all.map(({ subject, outageMs, load }) => [`${subject} | ${outageMs} ms`, load])[0] ?? [];
  return `| ${[what, how, all.length, `${slowestMs} ms`, repeated, said.join("; ")].join(" | ")} |`;
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
