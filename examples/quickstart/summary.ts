/** What the quick start says of one source. */
export interface Summary {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
  /** Nothing lost, everything in order, exactly the unreadable isolated. */
  readonly isRight: boolean;
}

export function formatSummaries(summaries: readonly Summary[]): string {
  const width = Math.max(...summaries.flatMap(({ rows }) => rows.map(([name]) => name.length)));
  const blocks = summaries.map(({ title, rows }) =>
    [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n"),
  );
  const isRight = summaries.every((summary) => summary.isRight);
  return [...blocks, isRight ? "Everything is right." : "Something is WRONG."].join("\n");
}

export function formatNumber(value: number): string {
  return value.toLocaleString("en");
}

export function formatRepeated(repeated: number): string {
  return `${formatNumber(repeated)}${repeated > 0 ? " (in flight when a run was killed)" : ""}`;
}
