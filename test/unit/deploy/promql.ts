/** What a PromQL expression names: enough of the language to hold our own expressions against the registry. */
export interface SeriesUse {
  readonly metric: string;
  /** Of its matchers, and of what the expression groups by. */
  readonly labels: readonly string[];
}

const WORDS = new Set([
  "and",
  "bool",
  "by",
  "group_left",
  "group_right",
  "ignoring",
  "offset",
  "on",
  "or",
  "unless",
  "without",
]);

/**
 * Metrics of an expression, each with the labels of its own matchers and with all that the expression groups or matches
 * by. A name before a parenthesis is a function or an aggregation.
 */
export function seriesUses(expression: string): readonly SeriesUse[] {
  const grouped: string[] = [];
  const texts = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const rest = texts.replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_all, labels: string) => {
    grouped.push(...names(labels));
    return " ";
  });
  const uses: SeriesUse[] = [];
  for (const [, metric = "", next = "", matchers = ""] of rest.matchAll(
    /(?<![\w$.])([a-zA-Z_:][\w:]*)\s*(\{([^}]*)\}|\()?/g,
  )) {
    if (next === "(" || WORDS.has(metric) || /^[\dsmhdwy]+$/.test(metric)) continue;
    const own = (matchers === "" ? "" : matchers)
      .split(",")
      .flatMap((matcher) => names(matcher.split(/[=!]/)[0] ?? ""));
    uses.push({ metric, labels: [...own, ...grouped] });
  }
  return uses;
}

function names(text: string): string[] {
  return [...text.matchAll(/[a-zA-Z_]\w*/g)].map(([name]) => name);
}
