import type { Condition, FieldTest, TextCondition } from "./condition.ts";
import { WILDCARD_COMPLEXITY_MAX } from "./filter-limits.ts";
import { parseIpBlock } from "./ip-block.ts";
import { parseNumericExpression } from "./numeric-expression.ts";
import { PatternFault } from "./pattern-fault.ts";
import { parseWildcard, WILDCARD_TOO_COMPLEX, wildcardComplexity } from "./wildcard.ts";

type Place = readonly string[];

/** Reads a field's array of match rules (filters §4). Throws a `PatternFault` with AWS's text. */
export function parseFieldTest(members: readonly unknown[], place: Place): FieldTest {
  if (members.length === 0) throw new PatternFault("Empty arrays are not allowed", place);
  const test = members.map((member) => parseMember(member, place));
  if (wildcardComplexity(test.flatMap(wildcardsOf)) > WILDCARD_COMPLEXITY_MAX) {
    throw new PatternFault(WILDCARD_TOO_COMPLEX, place);
  }
  return test;
}

function parseMember(member: unknown, place: Place): Condition {
  if (member === null || typeof member === "string" || typeof member === "boolean") {
    return { kind: "equals", value: member };
  }
  if (isNumeric(member)) return { kind: "equals", value: finite(member, place) };
  if (Array.isArray(member) || typeof member !== "object") {
    throw new PatternFault("Match value must be String, number, true, false, or null", place);
  }
  const [first, ...others] = Object.entries(member);
  if (first === undefined) throw new PatternFault("Match expression name not found", place);
  const [operator, operand] = first;
  const condition = parseOperator(operator, operand, place);
  if (others.length > 0) throw new PatternFault(tooManyKeys(operator), place);
  return condition;
}

/** AWS reports a second key of these two in the words of the expression that it was reading. */
function tooManyKeys(operator: string): string {
  return operator === "numeric" || operator === "anything-but"
    ? "Too many elements in numeric expression"
    : "Only one key allowed in match expression";
}

function parseOperator(operator: string, operand: unknown, place: Place): Condition {
  switch (operator) {
    case "exactly":
      return { kind: "equals", value: text(operand, "exact match pattern must be a string", place) };
    case "prefix":
    case "suffix":
      return parseAffix(operator, operand, place);
    case "equals-ignore-case":
      return { kind: operator, text: text(operand, `${operator} match pattern must be a string`, place) };
    case "wildcard":
      return readWildcard(operand, place);
    case "anything-but":
      return parseAnythingBut(operand, place);
    case "numeric":
      return { kind: "numeric", interval: parseNumericExpression(operand, place) };
    case "exists":
      if (typeof operand !== "boolean") {
        throw new PatternFault("exists match pattern must be either true or false.", place);
      }
      return { kind: operand ? "exists" : "absent" };
    case "cidr":
      return readIpBlock(operand, place);
    default:
      throw new PatternFault(`Unrecognized match type ${operator}`, place);
  }
}

function parseAffix(kind: "prefix" | "suffix", operand: unknown, place: Place): Condition {
  if (typeof operand !== "object" || operand === null || Array.isArray(operand)) {
    return { kind, text: text(operand, `${kind} match pattern must be a string`, place), ignoresCase: false };
  }
  const [first, ...others] = Object.entries(operand);
  const title = kind === "prefix" ? "Prefix" : "Suffix";
  if (first === undefined) throw new PatternFault(`${title} expression name not found`, place);
  const [operator, nested] = first;
  if (operator !== "equals-ignore-case") {
    throw new PatternFault(`Unsupported ${kind} pattern: ${operator}`, place);
  }
  const affix = text(nested, "equals-ignore-case match pattern must be a string", place);
  if (others.length > 0) throw new PatternFault("Only one key allowed in match expression", place);
  return { kind, text: affix, ignoresCase: true };
}

function readWildcard(operand: unknown, place: Place): TextCondition {
  const wildcard = parseWildcard(text(operand, "wildcard match pattern must be a string", place));
  if ("reason" in wildcard) throw new PatternFault(wildcard.reason, place);
  return { kind: "wildcard", wildcard };
}

function readIpBlock(operand: unknown, place: Place): Condition {
  // AWS's own text names the wrong operator here; what it answers is kept.
  const block = parseIpBlock(text(operand, "prefix match pattern must be a string", place));
  if ("reason" in block) throw new PatternFault(block.reason, place);
  return typeof block.low === "number"
    ? { kind: "ipv4", interval: block as Extract<Condition, { kind: "ipv4" }>["interval"] }
    : { kind: "ipv6", interval: block as Extract<Condition, { kind: "ipv6" }>["interval"] };
}

const ANYTHING_BUT_OPERAND = "Value of anything-but must be an array or single string/number value.";

function parseAnythingBut(operand: unknown, place: Place): Condition {
  if (Array.isArray(operand)) return parseAnythingButList(operand, place);
  if (typeof operand === "string") return { kind: "anything-but", values: new Set([operand]) };
  if (isNumeric(operand)) return { kind: "anything-but", values: new Set([finite(operand, place)]) };
  if (typeof operand !== "object" || operand === null) throw new PatternFault(ANYTHING_BUT_OPERAND, place);
  const [first, ...others] = Object.entries(operand);
  if (first === undefined) throw new PatternFault("Anything-But expression name not found", place);
  const condition = parseAnythingButText(first[0], first[1], place);
  if (others.length > 0) throw new PatternFault("Too many elements in numeric expression", place);
  return condition;
}

function parseAnythingButList(members: readonly unknown[], place: Place): Condition {
  const values = new Set<string | number | bigint>();
  const types = new Set<string>();
  for (const member of members) {
    if (typeof member !== "string" && !isNumeric(member)) {
      throw new PatternFault("Inside anything but list, start|null|boolean is not supported.", place);
    }
    types.add(typeof member === "string" ? "string" : "number");
    values.add(typeof member === "string" ? member : finite(member, place));
  }
  if (types.size !== 1) {
    throw new PatternFault(
      "Inside anything but list, either all values are number or string, mixed type is not supported",
      place,
    );
  }
  return { kind: "anything-but", values };
}

const ANYTHING_BUT_MEMBER = {
  prefix: "prefix/suffix match pattern must be a string",
  suffix: "prefix/suffix match pattern must be a string",
  wildcard: "wildcard match pattern must be a string",
  "equals-ignore-case":
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
} as const;

type NestedOperator = keyof typeof ANYTHING_BUT_MEMBER;

function parseAnythingButText(operator: string, operand: unknown, place: Place): Condition {
  if (!isNestedOperator(operator)) {
    throw new PatternFault(`Unsupported anything-but pattern: ${operator}`, place);
  }
  if (operand === null || typeof operand === "boolean" || isPlainObject(operand)) {
    throw new PatternFault(ANYTHING_BUT_OPERAND, place);
  }
  const members: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  // AWS accepts an empty list here and then cannot evaluate the rule: refused.
  if (members.length === 0) throw new PatternFault("Empty arrays are not allowed", place);
  return {
    kind: "anything-but-text",
    conditions: members.map((member) => {
      const value = text(member, ANYTHING_BUT_MEMBER[operator], place);
      return parseNestedText(operator, value, place);
    }),
  };
}

function parseNestedText(operator: NestedOperator, value: string, place: Place): TextCondition {
  switch (operator) {
    case "prefix":
    case "suffix":
      if (value === "") throw new PatternFault("Null prefix/suffix not allowed", place);
      return { kind: operator, text: value, ignoresCase: false };
    case "wildcard":
      return readWildcard(value, place);
    case "equals-ignore-case":
      return { kind: operator, text: value };
  }
}

function isNestedOperator(operator: string): operator is NestedOperator {
  return Object.hasOwn(ANYTHING_BUT_MEMBER, operator);
}

function wildcardsOf(condition: Condition): (readonly string[])[] {
  if (condition.kind === "wildcard") return [condition.wildcard];
  return condition.kind === "anything-but-text" ? condition.conditions.flatMap(wildcardsOf) : [];
}

function text(operand: unknown, reason: string, place: Place): string {
  if (typeof operand !== "string") throw new PatternFault(reason, place);
  return operand;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** A number beyond the range of a double reads as infinite and would match every other such number. */
function finite(value: number | bigint, place: Place): number | bigint {
  if (!Number.isFinite(Number(value))) throw new PatternFault("Cannot compare number : out of range", place);
  return value;
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
