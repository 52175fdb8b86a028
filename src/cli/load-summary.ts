import type { LoadResult } from "../load/load-result.ts";
import { formatTrend } from "../load/verdicts.ts";
import { formatCount, formatDuration, printable } from "./terminal-text.ts";

/** What a load test found, for a person at a terminal or a reader of a build's log. */
export function formatLoadSummary(result: LoadResult, reportFile: string): string {
  const { ledger, latency, sendLate, trends, deliveredPerSecond, verdicts } = result;
  const rows: (readonly [string, string])[] = [
    ["records sent", sentText(result)],
    ["delivered", `${formatCount(ledger.delivered)}, ${formatCount(deliveredPerSecond)}/s`],
    ["succeeded", formatCount(ledger.succeeded)],
    ...(ledger.discarded > 0 ? [["given up", formatCount(ledger.discarded)] as const] : []),
    ["duplicates", `${formatCount(ledger.duplicates)}, ${formatCount(ledger.duplicatesAllowed)} allowed`],
    ["due to invoked", `p50 ${ms(latency.p50Ms)}, p99 ${ms(latency.p99Ms)}, max ${ms(latency.maxMs)}`],
    ["of it, late to send", `p50 ${ms(sendLate.p50Ms)}, p99 ${ms(sendLate.p99Ms)}`],
    ...(trends.heap === undefined ? [] : [["growth of the heap", formatTrend(trends.heap)] as const]),
    ...(trends.rss === undefined ? [] : [["growth of resident memory", formatTrend(trends.rss)] as const]),
  ];
  const width =
    Math.max(...rows.map(([name]) => name.length), ...verdicts.map(({ name }) => name.length)) + 2;
  const lines = [
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`),
    "",
    ...verdicts.map(
      ({ name, wanted, got, holds }) =>
        `  ${name.padEnd(width)}${got} (${wanted}) ${holds ? "holds" : "MISSED"}`,
    ),
    ...ledger.examples.map((example) => `  ! ${example}`),
    "",
    `${result.passed ? "Passed" : "FAILED"}. Report: ${reportFile}`,
  ];
  return `${result.name}\n${lines.map(printable).join("\n")}\n`;
}

function sentText({ ledger: { accepted, refused, unknown } }: LoadResult): string {
  const rest = [
    ...(refused > 0 ? [`${formatCount(refused)} refused by the source`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} without an answer`] : []),
  ];
  return [formatCount(accepted), ...rest].join(", ");
}

function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : formatDuration(value);
}
