import { parseExactJson } from "../../model/exact-json.ts";
import type { FieldTest } from "./condition.ts";
import { PATTERN_CHARS_MAX, PATTERN_DEPTH_MAX, RULES_MAX } from "./filter-limits.ts";
import { parseFieldTest } from "./match-expression.ts";
import { PatternFault, RULE_TOO_COMPLEX } from "./pattern-fault.ts";

/** All fields must pass their test. Keys are dot-joined paths: `{"a.b":…}` and `{"a":{"b":…}}` are one field. */
export type Rule = ReadonlyMap<string, FieldTest>;

/**
 * Reads a pattern into the rules of which one must hold. Each `$or` forks the rules that were read before it, and a
 * field that is written twice keeps the last test, in the order of the text: both as AWS's compiler does it. Throws a
 * `PatternFault`.
 */
export function parsePattern(text: string): readonly Rule[] {
  if (text.length > PATTERN_CHARS_MAX) {
    const size = `${text.length} characters, at most ${PATTERN_CHARS_MAX}`;
    throw new PatternFault(`Pattern is too long (${size})`, []);
  }
  const pattern = parseJson(text);
  if (!isObject(pattern)) throw new PatternFault("Filter is not an object", []);
  const reading: Reading = { rules: [new Map()] };
  readObject(reading, pattern, { path: [], depth: 1, isInsideOr: false });
  return reading.rules;
}

interface Reading {
  rules: Map<string, FieldTest>[];
}

interface Location {
  readonly path: readonly string[];
  readonly depth: number;
  readonly isInsideOr: boolean;
}

const OR = "$or";

function readObject(reading: Reading, object: object, at: Location): void {
  const entries = Object.entries(object);
  if (entries.length === 0) throw new PatternFault("Empty objects are not allowed", at.path);
  if (at.depth > PATTERN_DEPTH_MAX) throw tooDeep(at.path);
  for (const [key, value] of entries) {
    const path = [...at.path, key];
    if (key === OR && Array.isArray(value) && isOrOperator(value)) {
      readOr(reading, value, { ...at, path });
    } else if (at.isInsideOr && RESERVED_IN_OR.has(key)) {
      throw new PatternFault(`${key} is Ruler reserved fieldName which cannot be used inside ${OR}.`, path);
    } else if (isObject(value)) {
      readObject(reading, value, { ...at, path, depth: at.depth + 1 });
    } else if (Array.isArray(value)) {
      writeField(reading, path, parseFieldTest(value, path));
    } else {
      throw new PatternFault(`"${key}" must be an object or an array`, path);
    }
  }
}

function writeField(reading: Reading, path: readonly string[], test: FieldTest): void {
  const name = path.join(".");
  if (name.split(".").length > PATTERN_DEPTH_MAX) throw tooDeep(path.slice(0, 1));
  for (const rule of reading.rules) rule.set(name, test);
}

/** `$or` is a plain field where a member names one of the words that AWS keeps for match expressions. */
function isOrOperator(members: readonly unknown[]): boolean {
  return !members.some(
    (member) => isObject(member) && Object.keys(member).some((key) => RESERVED_IN_OR.has(key)),
  );
}

function readOr(reading: Reading, members: readonly unknown[], at: Location): void {
  if (members.length < 2) {
    throw new PatternFault(`There must have at least 2 Objects in ${OR} relationship.`, at.path);
  }
  const before = reading.rules;
  const after: Map<string, FieldTest>[] = [];
  for (const member of members) {
    if (!isObject(member)) {
      throw new PatternFault(`Only JSON object is allowed in array of ${OR} relationship.`, at.path);
    }
    const branch: Reading = { rules: before.map((rule) => new Map(rule)) };
    readObject(branch, member, { path: at.path.slice(0, -1), depth: at.depth + 1, isInsideOr: true });
    after.push(...branch.rules);
    if (after.length > RULES_MAX) {
      throw new PatternFault(
        `${RULE_TOO_COMPLEX} - its ${OR} alternatives combine to more than ${RULES_MAX} rules; split it into several filters`,
        at.path,
      );
    }
  }
  reading.rules = after;
}

const RESERVED_IN_OR = new Set([
  "exactly",
  "equals-ignore-case",
  "prefix",
  "suffix",
  "anything-but",
  "exists",
  "wildcard",
  "numeric",
  "cidr",
  "=",
  "<",
  "<=",
  ">",
  ">=",
  "regex",
  "not-wildcard",
  "not-equals-ignore-case",
  "date-after",
  "date-on-or-after",
  "date-before",
  "date-on-or-before",
  "in-date-range",
  "ip-address-in-range",
  "ip-address-not-in-range",
]);

function tooDeep(path: readonly string[]): PatternFault {
  return new PatternFault(`${RULE_TOO_COMPLEX} - nested deeper than ${PATTERN_DEPTH_MAX} levels`, path);
}

function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new PatternFault(`Pattern is not valid JSON (${error instanceof Error ? error.message : ""})`, []);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
