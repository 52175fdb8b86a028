import type { ChaosOptions } from "./chaos-plan.ts";
import type { ChaosReport } from "./chaos-report.ts";

/** For people, after a run. */
export function summaryOf(report: ChaosReport, { records }: ChaosOptions): string {
  const { done, resumes, violations } = report;
  const delays = resumes.map(({ resumedMs, watchedMs }) => resumedMs - watchedMs);
  const direct = resumes.filter(({ watchedMs, disturbance }) => watchedMs === disturbance.atMs).length;
  const lines: readonly (readonly [name: string, value: string])[] = [
    ["disturbances", disturbancesOf(done)],
    ["time", `${(report.durationMs / 1000).toFixed(0)} s`],
    ["records", `${report.distinct} of ${records} succeeded`],
    ["invocations", `${report.invocations}, ${report.failures} failed`],
    ["records repeated", `${report.repeats}`],
    ["done before the disturbance", spread(report.repeatAgesMs)],
    ["owners of leases", `${report.epochs}, ${report.checkpoints} checkpoints`],
    ["shards taken over", `${resumes.length}, ${direct} watched from the kill on`],
    ["work resumed after", spread(delays)],
    ["hand-over gap", spread(report.handoverGapsMs)],
    ["leases run out undisturbed", `${report.starved}`],
    ["longest stall of the machine", `${report.longestStallMs} ms`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const shown = lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const verdict = violations.length === 0 ? ["Every law was kept."] : ["VIOLATIONS", ...violations];
  return [...shown, ...verdict].join("\n");
}

export function disturbancesOf({ kill, stop, pause, cut }: ChaosReport["done"]): string {
  return `${kill} killed, ${stop} stopped, ${pause} paused, ${cut} cut off`;
}

function spread(valuesMs: readonly number[]): string {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number) => `${sorted[Math.ceil(share * sorted.length) - 1] ?? "-"} ms`;
  return `median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}`;
}
