import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type OutageTold, outageTold } from "./outage-plan.ts";

/**
 * `npm run outages [-- --processes N] [-- --times N] [-- --outages MS,MS] [-- --only TEXT]`: takes each source and each
 * store away for 0.1, 1, 3 and 30 s, under load and while nothing comes, from eight processes, twenty times, and prints
 * a table. Exit status 1 when something did not work again within ten seconds, when what was durable came again, or
 * when the state did not say what was wrong. Of hours: for CI the same tests take short outages once.
 */
const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "8" },
    times: { type: "string", default: "20" },
    outages: { type: "string", default: "100,1000,3000,30000" },
    only: { type: "string" },
  },
});
const FILES = ["source-outages.test.ts", "store-outages.test.ts"];
Object.assign(process.env, {
  MILLRACE_TEST_OUTAGES: "full",
  MILLRACE_TEST_OUTAGE_PROCESSES: values.processes,
  MILLRACE_TEST_OUTAGE_TIMES: values.times,
  MILLRACE_TEST_OUTAGE_MS: values.outages,
  ...(values.only === undefined ? {} : { MILLRACE_TEST_OUTAGE_SUBJECT: values.only }),
});

const rows = new Map<string, OutageTold[]>();
const failures: string[] = [];
const files = FILES.map((name) => fileURLToPath(new URL(name, import.meta.url)));
for await (const event of run({ files, concurrency: 1 })) {
  if (event.type === "test:diagnostic") note(outageTold(event.data.message));
  else if (event.type === "test:fail" && event.data.details.type !== "suite")
    failures.push(`${event.data.name}: ${causeOf(event.data.details.error)}`);
}
print();
process.exitCode = failures.length > 0 || rows.size === 0 ? 1 : 0;

function note(told: OutageTold | undefined): void {
  if (told === undefined) return;
  const key = `${told.subject} ${told.outageMs} ${told.load}`;
  rows.set(key, [...(rows.get(key) ?? []), told]);
  const { subject, outageMs, load, backMs, repeated, records } = told;
  console.log(
    `${subject}, ${outageMs} ms, ${load}: again after ${backMs} ms, ${repeated} of ${records} repeated`,
  );
}

function print(): void {
  console.log(`\n${values.processes} processes, each outage ${values.times} times\n`);
  console.log("| away | for | | times | slowest return | repeated | the state said |");
  console.log("|---|---|---|---|---|---|---|");
  for (const all of rows.values()) {
    const [first] = all;
    if (first === undefined) continue;
    const slowestMs = Math.max(...all.map(({ backMs }) => backMs));
    const sum = (of: (told: OutageTold) => number) => all.reduce((total, told) => total + of(told), 0);
    const repeated = `${sum((told) => told.repeated)} of ${sum((told) => told.records)}`;
    const said = [...new Set(all.flatMap((told) => told.said))].map((text) => text.slice(0, 80)).slice(0, 3);
    const { subject, outageMs, load } = first;
    const cells = [subject, `${outageMs} ms`, load, all.length, `${slowestMs} ms`, repeated, said.join("; ")];
    console.log(`| ${cells.join(" | ")} |`);
  }
  console.log(
    failures.length === 0 ? "\nall held" : `\n${failures.length} did not hold:\n${failures.join("\n")}`,
  );
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
