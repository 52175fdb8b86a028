import type { LoadResult } from "../load-result.ts";
import { formatTrend } from "../verdicts.ts";
import { clockTime, count, mebibytes, milliseconds, rate } from "./figures.ts";
import { loadPlots } from "./load-plots.ts";
import { type Markup, markup } from "./markup.ts";
import { page } from "./page.ts";
import { type Card, cards, table, verdictBadge } from "./table.ts";

/** The report of one load test: one file that needs nothing else, to be read by people, on paper too. */
export function reportHtml(result: LoadResult): string {
  const { name, startedAt, version, durationMs, passed } = result;
  const body = markup`<div class="head"><h1>Load test ${name}</h1>${verdictBadge(passed)}</div>
<p class="soft">${startedAt.slice(0, 19).replace("T", " ")} UTC · took ${clockTime(durationMs)} · millrace ${version}</p>
${cards(keyFigures(result))}
<h2>What had to hold</h2>
${verdictTable(result)}${violationList(result)}
<h2>Over time</h2>
${loadPlots(result)}
<h2>Records</h2>
${ledgerTable(result)}
${faultSection(result)}<h2>Scenario</h2>
<pre>${result.scenarioText.trimEnd()}</pre>
<h2>Machine</h2>
${machineTable(result)}`;
  return page(`${name} – millrace load test`, body);
}

function keyFigures({ ledger, latency, deliveredPerSecond, trends, memory }: LoadResult): readonly Card[] {
  const peak = memory.reduce((most, { rssBytes }) => Math.max(most, rssBytes), 0);
  const lost = ledger.violations.lost;
  return [
    { name: "Delivered", value: rate(deliveredPerSecond), note: `${count(ledger.delivered)} records` },
    { name: "Median latency", value: milliseconds(latency.p50Ms), note: "from due to invoked" },
    {
      name: "99th percentile",
      value: milliseconds(latency.p99Ms),
      note: `slowest ${milliseconds(latency.maxMs)}`,
    },
    { name: "Lost", value: count(lost), note: `of ${count(ledger.accepted)} accepted` },
    {
      name: "Repeated",
      value: count(ledger.duplicates),
      note: `at most ${count(ledger.duplicatesAllowed)} allowed`,
    },
    {
      name: "Memory",
      value: mebibytes(peak),
      note: trends.heap === undefined ? "resident, at most" : `heap ${formatTrend(trends.heap)}`,
    },
  ];
}

function verdictTable({ verdicts }: LoadResult): Markup {
  const rows = verdicts.map(({ name, wanted, got, holds }) => [
    name,
    wanted,
    got,
    holds ? markup`<span class="good">holds</span>` : markup`<span class="bad">missed</span>`,
  ]);
  return table([{ title: "what" }, { title: "wanted" }, { title: "found" }, { title: "verdict" }], rows);
}

function violationList({ ledger: { examples } }: LoadResult): Markup {
  if (examples.length === 0) return markup``;
  const items = examples.map((example) => markup`<li>${example}</li>\n`);
  return markup`<p>The first breaches:</p><ul>
${items}</ul>
`;
}

function ledgerTable({ ledger, invocations, sendLate }: LoadResult): Markup {
  const rows: (readonly [string, string, string])[] = [
    ["generated", count(ledger.generated), "records that were due"],
    ["accepted", count(ledger.accepted), "by the source"],
    ["refused", count(ledger.refused), "by the source: excused from everything"],
    ["without an answer", count(ledger.unknown), "the source's answer was lost: excused too"],
    ["delivered", count(ledger.delivered), "reached the function at least once"],
    ["succeeded", count(ledger.succeeded), "in the function's eyes"],
    ["given up", count(ledger.discarded), "and accepted by the failure destination"],
    ["attempted", count(ledger.attempted), "over all invocations, retries included"],
    [
      "repeated after success",
      count(ledger.duplicates),
      `${count(ledger.duplicatesAllowed)} allowed by crashes and late answers`,
    ],
    ["of other runs", count(ledger.foreign), "in the same source, not looked at"],
    [
      "late to leave",
      milliseconds(sendLate.p99Ms),
      `99th percentile of due to sent; median ${milliseconds(sendLate.p50Ms)}`,
    ],
    ...Object.entries(invocations).map(
      ([fate, calls]) => [`invocations: ${fate}`, count(calls), "as the function decided"] as const,
    ),
  ];
  return table([{ title: "what" }, { title: "how many", isNumber: true }, { title: "meaning" }], rows);
}

function faultSection({ faults }: LoadResult): Markup {
  if (faults.length === 0) return markup``;
  const rows = faults.map(({ kind, fromMs, toMs }) => [
    kind,
    clockTime(fromMs),
    clockTime(toMs),
    milliseconds(toMs - fromMs),
  ]);
  const columns = [
    { title: "fault" },
    { title: "from" },
    { title: "to" },
    { title: "lasted", isNumber: true },
  ];
  return markup`<h2>Faults</h2>
${table(columns, rows)}<p class="note">A crash lasts until the engine says that it is ready again.</p>
`;
}

function machineTable({ machine, engineStarts }: LoadResult): Markup {
  return table(
    [{ title: "what" }, { title: "value" }],
    [
      ["processor", `${machine.cpu}, ${machine.cores} cores`],
      ["memory", mebibytes(machine.memoryBytes)],
      ["system", machine.system],
      ["Node.js", machine.node],
      [
        "load before the test",
        `${machine.loadBefore.toFixed(1)} (above ${machine.cores}: others were at work too)`,
      ],
      ["starts of the engine", count(engineStarts)],
    ],
  );
}
