import { writeFileSync } from "node:fs";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AWAY, type OutageTold, outageTold } from "./outage-plan.ts";

/**
 * `npm run outages [-- --processes N] [-- --times N] [-- --outages MS,MS] [-- --only TEXT] [-- --together N]
 * [-- --minutes N] [-- --out FILE]`: takes each source and each store away for 0.1, 1, 3 and 30 s, under load and while
 * nothing comes, from eight processes, twenty times, and prints a table. Exit status 1 when something did not work
 * again within ten seconds, when what was durable came again, or when the state did not say what was wrong.
 *
 * To be left alone: all are taken away once, then all a second time, and so on. They wait more than they work, so all
 * ten run side by side, each with servers of its own, and a round takes some three minutes; where the machine is busy
 * with other things, fewer `--together` leave it time to be back within ten seconds. After each round, and in `FILE`
 * after each outage, the table of all that was seen so far is told. `--minutes`: nothing begins later. For CI the same
 * tests take short outages once.
 */
const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "8" },
    times: { type: "string", default: "20" },
    outages: { type: "string", default: "100,1000,3000,30000" },
    only: { type: "string", default: "" },
    together: { type: "string", default: "10" },
    minutes: { type: "string" },
    out: { type: "string" },
  },
});

/** One subject, taken away once for each time and load. */
interface Turn {
  readonly round: number;
  readonly file: string;
  readonly subject: string;
}

const rows = new Map<string, OutageTold[]>();
const failures: string[] = [];
const beganMs = performance.now();
const minutesMax = Number(values.minutes ?? Number.POSITIVE_INFINITY);
const subjects = Object.entries(AWAY).flatMap(([name, names]) => {
  const file = fileURLToPath(new URL(name, import.meta.url));
  return names.filter((each) => each.includes(values.only)).map((subject) => ({ file, subject }));
});
const turns: Turn[] = Array.from({ length: Number(values.times) }, (_, index) =>
  subjects.map((subject) => ({ round: index + 1, ...subject })),
).flat();
const leftOfRound = new Map(turns.map(({ round }) => [round, subjects.length]));

await Promise.all(Array.from({ length: Number(values.together) }, takeTurns));
console.log(`\n${tableText()}`);
process.exitCode = failures.length > 0 || rows.size === 0 ? 1 : 0;

async function takeTurns(): Promise<void> {
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    if ((performance.now() - beganMs) / 60_000 >= minutesMax) return;
    await take(turn);
    const left = (leftOfRound.get(turn.round) ?? 0) - 1;
    leftOfRound.set(turn.round, left);
    if (left === 0) console.log(`\nround ${turn.round}\n${tableText()}`);
  }
}

async function take({ round, file, subject }: Turn): Promise<void> {
  const env = {
    ...process.env,
    MILLRACE_TEST_OUTAGES: "full",
    MILLRACE_TEST_OUTAGE_PROCESSES: values.processes,
    MILLRACE_TEST_OUTAGE_TIMES: "1",
    MILLRACE_TEST_OUTAGE_MS: values.outages,
    MILLRACE_TEST_OUTAGE_SUBJECT: subject,
  };
  let seen = 0;
  for await (const event of run({ files: [file], env })) {
    const told = event.type === "test:diagnostic" ? outageTold(event.data.message) : undefined;
    if (told !== undefined) {
      seen++;
      note(told);
    } else if (event.type === "test:fail" && event.data.details.type !== "suite")
      failures.push(`round ${round}: ${subject}: ${event.data.name}: ${causeOf(event.data.details.error)}`);
    else continue;
    if (values.out !== undefined) writeFileSync(values.out, tableText());
  }
  if (seen === 0) failures.push(`round ${round}: ${subject}: nothing was seen of it`);
}

function note(told: OutageTold): void {
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
    `${values.processes} processes, ${values.together} side by side, after ${minutes} min\n`,
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
