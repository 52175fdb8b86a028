import type { Machine } from "../../src/load/machine.ts";
import type { Measurement } from "./measurement.ts";

/** What one benchmark found, and where. */
export interface BenchOutcome {
  readonly file: string;
  readonly name: string;
  readonly commit: string;
  /** ISO 8601 */
  readonly ranAt: string;
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
}

/** `RESULTS.md`: ratios first, since they are what can be compared between machines. */
export function formatResults(outcomes: readonly BenchOutcome[]): string {
  const parts = outcomes.map(
    (outcome) => `## ${outcome.name}\n\n${origin(outcome)}\n\n${rows(outcome.measurements)}`,
  );
  return `# Results of the benchmarks

<!-- Made by "npm run bench". -->

Ratios and processor times within one run; absolute rates are for orientation only. A load before the run that is above the
number of cores means that others were at work: such figures say little.

${formatTable(outcomes)}
${parts.join("\n")}`;
}

/** The rows of `docs/performance.md`, out of all that was measured. */
export function formatTable(outcomes: readonly BenchOutcome[]): string {
  const lines = outcomes.flatMap(({ measurements }) =>
    measurements.flatMap(({ row, value, unit, goal = "", holds }) => {
      if (row === undefined) return [];
      const limit = row.limit === undefined ? "" : figure(row.limit);
      const verdict = holds === true ? "holds" : "**missed**";
      return [`| ${cell(row.work)} | ${limit} | ${figure(value)} | ${goal} ${unit} | ${verdict} |\n`];
    }),
  );
  return `| work | limit in the same run | found | goal | |\n|---|---:|---:|---:|---|\n${lines.join("")}`;
}

function origin({ file, commit, ranAt, machine }: BenchOutcome): string {
  const { cpu, cores, system, node, loadBefore } = machine;
  return (
    `\`${file}\`, commit ${commit}, ${ranAt.slice(0, 16).replace("T", " ")} UTC, on ${cpu}, ${cores} cores, ${system}, ` +
    `Node.js ${node}, load before ${loadBefore.toFixed(1)}.`
  );
}

function rows(measurements: readonly Measurement[]): string {
  const sorted = measurements.toSorted((a, b) => Number(b.goal !== undefined) - Number(a.goal !== undefined));
  const lines = sorted.map(({ metric, value, unit, goal, holds }) => {
    const verdict = goal === undefined ? "" : `${goal}: ${holds === true ? "holds" : "**missed**"}`;
    return `| ${cell(metric)} | ${figure(value)} ${unit} | ${cell(verdict)} |\n`;
  });
  return `| what | found | goal |\n|---|---:|---|\n${lines.join("")}`;
}

function figure(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
