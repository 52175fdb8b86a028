import type { Interval } from "./interval-set.ts";
import { PatternFault } from "./pattern-fault.ts";

type Place = readonly string[];

/** Reads the operand of `numeric`: one comparison, or a lower bound followed by an upper one (filters §4). */
export function parseNumericExpression(operand: unknown, place: Place): Interval<number | bigint> {
  if (!Array.isArray(operand)) throw new PatternFault("Value of numeric must be an array.", place);
  const terms: readonly unknown[] = operand;
  const operator = terms[0];
  if (typeof operator !== "string") {
    throw new PatternFault(`Invalid member in numeric match: ${jsonToken(terms, 0)}`, place);
  }
  switch (operator) {
    case "=":
      return onlyTerm(terms, point(bound(terms[1], "equals", place)), place);
    case "<":
    case "<=":
      return onlyTerm(terms, below(bound(terms[1], operator, place), operator === "<="), place);
    case ">":
    case ">=": {
      const low = above(bound(terms[1], operator, place), operator === ">=");
      return terms.length === 2 ? low : parseUpperBound(terms, low, place);
    }
    default:
      throw new PatternFault(`Unrecognized numeric range operator: ${operator}`, place);
  }
}

function parseUpperBound(
  terms: readonly unknown[],
  low: Interval<number | bigint>,
  place: Place,
): Interval<number | bigint> {
  const operator = terms[2];
  if (typeof operator !== "string") {
    throw new PatternFault(`Bad value in numeric range: ${jsonToken(terms, 2)}`, place);
  }
  if (operator !== "<" && operator !== "<=") {
    throw new PatternFault(`Bad numeric range operator: ${operator}`, place);
  }
  const high = bound(terms[3], operator, place);
  if (terms.length > 4) throw new PatternFault("Too many terms in numeric range expression", place);
  if (low.low >= high) throw new PatternFault("Bottom must be less than top", place);
  return { ...low, high, isHighIncluded: operator === "<=" };
}

function onlyTerm(
  terms: readonly unknown[],
  interval: Interval<number | bigint>,
  place: Place,
): Interval<number | bigint> {
  if (terms.length > 2) throw new PatternFault("Too many elements in numeric expression", place);
  return interval;
}

function bound(value: unknown, operator: string, place: Place): number | bigint {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new PatternFault(`Value of ${operator} must be numeric`, place);
  }
  if (!Number.isFinite(Number(value))) throw new PatternFault("Cannot compare number : out of range", place);
  return value;
}

function point(value: number | bigint): Interval<number | bigint> {
  return { low: value, isLowIncluded: true, high: value, isHighIncluded: true };
}

function below(value: number | bigint, isIncluded: boolean): Interval<number | bigint> {
  return {
    low: Number.NEGATIVE_INFINITY,
    isLowIncluded: true,
    high: value,
    isHighIncluded: isIncluded,
  };
}

function above(value: number | bigint, isIncluded: boolean): Interval<number | bigint> {
  return {
    low: value,
    isLowIncluded: isIncluded,
    high: Number.POSITIVE_INFINITY,
    isHighIncluded: true,
  };
}

/** The offending token as AWS's streaming reader names it. */
function jsonToken(terms: readonly unknown[], index: number): string {
  if (index >= terms.length) return "]";
  const value = terms[index];
  if (Array.isArray(value)) return "[";
  return typeof value === "object" && value !== null ? "{" : String(value);
}
