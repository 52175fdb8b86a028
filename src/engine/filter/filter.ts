import type { FilterDocument } from "../../ports/stream-source.ts";
import { compileRules } from "./compiled-rules.ts";
import { parsePattern, type Rule } from "./pattern.ts";
import { PatternFault, patternError } from "./pattern-fault.ts";
import { RulesByForms } from "./rules-by-forms.ts";

export { ESM_INVALID_PATTERN } from "./pattern-fault.ts";

/** A mapping's filters, compiled once. */
export interface FilterMatcher {
  /** Whether any of the patterns matches; true when there is none. Never throws on a JSON value. */
  matches(document: FilterDocument): boolean;
  /** Bound of the steps that one match takes for each value, key and character of an event, over all patterns. */
  readonly stepsPerUnitMax: number;
}

export interface FilterOptions {
  /**
   * What a pattern may hold at the data key: an object only, as for streams, where a plain-string pattern is an error
   * at creation (filters §3), or also an array of match rules for the data as a whole, as for queues and some streams.
   */
  readonly dataPattern: "object" | "any";
}

/**
 * Compiles a mapping's filter patterns (filters §4). `dataKey` is the member of the filter document that holds the
 * record's data: a pattern with fields below it does not match a record whose data is not JSON (streams §8.1).
 *
 * Throws `ERR_MILLRACE_FILTER_PATTERN`, which names the pattern, the place in it and the reason in AWS's words; a
 * pattern whose worst case is not bounded is refused as too complex.
 */
export function compileFilterCriteria(
  patterns: readonly string[],
  dataKey: string,
  options: FilterOptions = { dataPattern: "object" },
): FilterMatcher {
  const compiled = patterns.map((text, index) => {
    const subject =
      patterns.length === 1 ? "Filter pattern" : `Filter pattern ${index + 1} of ${patterns.length}`;
    return explainFault(subject, () => compilePattern(text, dataKey, options));
  });
  return {
    matches: (document) => compiled.length === 0 || compiled.some((pattern) => pattern.matches(document)),
    stepsPerUnitMax: compiled.reduce((sum, pattern) => sum + pattern.stepsPerUnitMax, 0),
  };
}

/** The reason, in AWS's exact text where it has one, why a pattern is not valid; `undefined` for a valid one. */
export function validatePattern(text: string): string | undefined {
  try {
    compileRules(parsePattern(text));
    return undefined;
  } catch (error) {
    if (error instanceof PatternFault) return error.reason;
    throw error;
  }
}

/** Whether a JSON object matches a pattern as it is, without rules for a data key. Throws a `PatternFault`. */
export function compileRawPattern(text: string): (document: object) => boolean {
  const { matches } = compileRules(parsePattern(text));
  return matches;
}

export function explainFault<T>(subject: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof PatternFault ? patternError(error, subject) : error;
  }
}

function compilePattern(text: string, dataKey: string, options: FilterOptions): FilterMatcher {
  const rules = parsePattern(text);
  if (options.dataPattern === "object" && rules.some((rule) => rule.has(dataKey))) {
    const reason = `"${dataKey}" must be an object; a pattern for plain-string data is not possible for this source`;
    throw new PatternFault(reason, [dataKey]);
  }
  const withData = compileRules(rules);
  const withoutData = compileRules(rules.filter((rule) => !needsJsonData(rule, dataKey)));
  const byForms = new RulesByForms(rules, withData);
  return {
    matches: ({ document, isDataJson, dataForms }) => {
      if (!isObject(document)) return false;
      if (dataForms !== undefined) return byForms.of(dataForms).matches(document);
      return isDataJson ? withData.matches(document) : withoutData.matches(document);
    },
    stepsPerUnitMax: withData.stepsPerUnitMax,
  };
}

function needsJsonData(rule: Rule, dataKey: string): boolean {
  return [...rule.keys()].some((path) => path.startsWith(`${dataKey}.`));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
