import type { LoadResult, LoadWindow } from "../load-result.ts";
import { clockTime, count, mebibytes, milliseconds, rate, short } from "./figures.ts";
import { faultBands, largest, lineOfTest, percentiles, smallest } from "./load-plots.ts";
import { markup } from "./markup.ts";
import { page } from "./page.ts";
import { type Plot, renderPlot } from "./plot.ts";
import { linearScale, logScale, timeScale } from "./scale.ts";
import { table, verdictBadge } from "./table.ts";

/** Two tests side by side: a table with ratios, and their plots on the same axes. */
export function comparisonHtml(before: LoadResult, after: LoadResult): string {
  const rows = compared(before, after).map(({ name, texts, ratio }) => [name, ...texts, ratio]);
  const columns = [
    { title: "what" },
    { title: "before", isNumber: true },
    { title: "after", isNumber: true },
    { title: "after ÷ before", isNumber: true },
  ];
  const sides = [before, after].map(({ name, startedAt, version, machine, passed }, index) => {
    const side = index === 0 ? "Before" : "After";
    const machineText = `${machine.cpu}, ${machine.cores} cores`;
    return markup`<p>${side}: <b>${name}</b> ${verdictBadge(passed)} <span class="soft">${startedAt.slice(0, 19).replace("T", " ")} UTC · millrace ${version} · ${machineText}</span></p>
`;
  });
  const body = markup`<h1>Load tests compared</h1>
${sides}${sameScenario(before, after) ? "" : markup`<p class="bad">The scenarios differ: ratios say little.</p>\n`}
<h2>Figures</h2>
${table(columns, rows)}
<h2>Over time</h2>
${plots(before, after).map(renderPlot)}`;
  return page(`${before.name} and ${after.name} – millrace load tests compared`, body);
}

/** The table for a terminal. */
export function formatComparison(before: LoadResult, after: LoadResult): string {
  const rows = [["", "before", "after", "ratio"]];
  for (const { name, texts, ratio } of compared(before, after)) rows.push([name, ...texts, ratio]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  const warning = sameScenario(before, after) ? [] : ["The scenarios differ: ratios say little."];
  return [...warning, ...lines].join("\n");
}

interface Compared {
  readonly name: string;
  readonly texts: readonly [before: string, after: string];
  readonly ratio: string;
}

function compared(before: LoadResult, after: LoadResult): readonly Compared[] {
  const row = (
    name: string,
    of: (result: LoadResult) => number,
    text: (value: number) => string,
  ): Compared => {
    const [a, b] = [of(before), of(after)];
    return { name, texts: [text(a), text(b)], ratio: a === 0 ? "–" : `${(b / a).toFixed(2)} ×` };
  };
  return [
    row("delivered a second", ({ deliveredPerSecond }) => deliveredPerSecond, rate),
    row("median latency", ({ latency }) => latency.p50Ms, milliseconds),
    row("90th percentile", ({ latency }) => latency.p90Ms, milliseconds),
    row("99th percentile", ({ latency }) => latency.p99Ms, milliseconds),
    row("99.9th percentile", ({ latency }) => latency.p999Ms, milliseconds),
    row("slowest", ({ latency }) => latency.maxMs, milliseconds),
    row("records lost", ({ ledger }) => ledger.violations.lost, count),
    row("records repeated", ({ ledger }) => ledger.duplicates, count),
    row(
      "resident memory, at most",
      ({ memory }) => memory.reduce((most, one) => Math.max(most, one.rssBytes), 0),
      mebibytes,
    ),
    row("CPU of the engine, mean", meanCpu, (percent) => `${percent.toFixed(1)} %`),
  ];
}

function meanCpu({ memory }: LoadResult): number {
  const shares = memory.flatMap(({ cpuPercent }) => cpuPercent ?? []);
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
}

function plots(before: LoadResult, after: LoadResult): readonly Plot[] {
  const results = [before, after];
  const endMs = Math.max(
    ...results.map(({ durationMs, windows }) => Math.max(durationMs, windows.at(-1)?.atMs ?? 0)),
  );
  const x = { scale: timeScale(endMs), label: "time since the first record was due", format: clockTime };
  const bands = faultBands(after);
  const series = (of: (window: LoadWindow) => number | undefined) =>
    results.map(({ windows }, index) => ({
      name: index === 0 ? "before" : "after",
      ...lineOfTest(index),
      points: windows.map((window) => [window.atMs, of(window)] as const),
    }));
  const delivered = series(({ delivered: records, seconds }) => records / Math.max(0.001, seconds));
  const p99 = series(({ delivered: records, p99Ms }) => (records > 0 ? p99Ms : undefined));
  const lag = series((window) => window.lag);
  const points = (all: typeof lag) => all.flatMap((one) => one.points);
  return [
    {
      id: "throughput",
      title: "Delivered",
      description: "Records a second that reached the function, in both tests.",
      x,
      y: { scale: linearScale(largest(points(delivered))), label: "records/s", format: short },
      series: delivered,
      bands,
    },
    {
      id: "latency",
      title: "99th percentile of the latency",
      description: "From due to invoked, in both tests, on a logarithmic scale.",
      x,
      y: {
        scale: logScale(smallest(points(p99)), largest(points(p99))),
        label: "latency",
        format: milliseconds,
      },
      series: p99,
      bands,
    },
    percentiles(results, ["before", "after"]),
    {
      id: "lag",
      title: "Lag",
      description: "Records that are sent and not settled, in both tests.",
      x,
      y: { scale: linearScale(largest(points(lag))), label: "records", format: short },
      series: lag,
      bands,
    },
  ];
}

function sameScenario(before: LoadResult, after: LoadResult): boolean {
  return JSON.stringify(before.scenario) === JSON.stringify(after.scenario);
}
