import { type Affix, compileAffixes } from "./affix-set.ts";
import type { Condition, FieldTest, TextCondition } from "./condition.ts";
import { compileIntervals } from "./interval-set.ts";
import { parseIpv4 } from "./ip-block.ts";
import { compileIpv6Blocks } from "./ipv6-set.ts";
import { compileWildcard } from "./wildcard.ts";

export type ValueTest = (value: unknown) => boolean;
/** A `bigint` is an integer that no number holds. */
export type Scalar = string | number | bigint | boolean | null;

/** A field's test, sorted by what its conditions cost. */
export interface CompiledFieldTest {
  /** `exists: true`: every value passes. */
  readonly isAnyValue: boolean;
  /** `exists: false`: an absent field passes. */
  readonly isAbsentAllowed: boolean;
  /** Values that pass by being equal: a look-up for any number of them. */
  readonly exact: readonly Scalar[];
  /** Tests that are called one by one; each is linear in the value. */
  readonly scans: readonly ValueTest[];
  /** All of the above in one: whether a value that is there passes. */
  readonly matches: ValueTest;
}

/** Groups the conditions so that a list of a hundred prefixes, ranges or address blocks costs what one costs. */
export function compileFieldTest(test: FieldTest): CompiledFieldTest {
  const isAnyValue = test.some((condition) => condition.kind === "exists");
  const exact = new Set(test.flatMap((condition) => (condition.kind === "equals" ? [condition.value] : [])));
  const text = textScans(test);
  const addresses = addressScans(test);
  const numbers = numberScans(test);
  const anythingBut = anythingButScans(test);
  const equal = exactTests(exact);
  const matchesText = anyOf([...equal, ...text, ...addresses, ...anythingBut]);
  const matchesOther = anyOf([...equal, ...numbers, ...anythingBut]);
  return {
    isAnyValue,
    isAbsentAllowed: test.some((condition) => condition.kind === "absent"),
    exact: [...exact],
    scans: [...text, ...addresses, ...numbers, ...anythingBut],
    matches: isAnyValue
      ? () => true
      : (value) => (typeof value === "string" ? matchesText(value) : matchesOther(value)),
  };
}

function exactTests(exact: ReadonlySet<Scalar>): ValueTest[] {
  const [only, ...others] = exact;
  if (only === undefined) return [];
  if (others.length === 0) return [(value) => value === only];
  return [(value) => (exact as ReadonlySet<unknown>).has(value)];
}

/** Unrolled for as many as most fields have: a loop over functions costs as much as the functions. */
function anyOf<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [first, second, third] = tests;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (third === undefined) return (value) => first(value) || second(value);
  const others = anyOf(tests.slice(3));
  if (tests.length === 3) return (value) => first(value) || second(value) || third(value);
  return (value) => first(value) || second(value) || third(value) || others(value);
}

function textScans(test: FieldTest): ValueTest[] {
  const texts = test.filter(isTextCondition);
  return compileTexts(texts).map(
    (matches): ValueTest =>
      (value) =>
        typeof value === "string" && matches(value),
  );
}

function isTextCondition(condition: Condition): condition is TextCondition {
  switch (condition.kind) {
    case "prefix":
    case "suffix":
    case "equals-ignore-case":
    case "wildcard":
      return true;
    default:
      return false;
  }
}

interface AffixGroup {
  readonly affixes: Affix[];
  readonly isBackward: boolean;
  readonly ignoresCase: boolean;
}

/** At most four walks for all affixes together, and one search for each wildcard that is more than an affix. */
function compileTexts(conditions: readonly TextCondition[]): ((value: string) => boolean)[] {
  const groups: AffixGroup[] = [];
  const group = (isBackward: boolean, ignoresCase: boolean): Affix[] => {
    const known = groups.find((one) => one.isBackward === isBackward && one.ignoresCase === ignoresCase);
    if (known !== undefined) return known.affixes;
    const added: AffixGroup = { affixes: [], isBackward, ignoresCase };
    groups.push(added);
    return added.affixes;
  };
  const searches: ((value: string) => boolean)[] = [];
  for (const condition of conditions) {
    switch (condition.kind) {
      case "prefix":
        group(false, condition.ignoresCase).push({ text: condition.text, isWhole: false });
        break;
      case "suffix":
        group(true, condition.ignoresCase).push({ text: condition.text, isWhole: false });
        break;
      case "equals-ignore-case":
        group(false, true).push({ text: condition.text, isWhole: true });
        break;
      case "wildcard": {
        const [first = "", last = "", ...more] = condition.wildcard;
        const stars = condition.wildcard.length - 1;
        if (stars === 0) group(false, false).push({ text: first, isWhole: true });
        else if (stars === 1 && last === "") group(false, false).push({ text: first, isWhole: false });
        else if (stars === 1 && first === "" && more.length === 0) {
          group(true, false).push({ text: last, isWhole: false });
        } else searches.push(compileWildcard(condition.wildcard));
      }
    }
  }
  return [...groups.map(({ affixes, ...options }) => compileAffixes(affixes, options)), ...searches];
}

function numberScans(test: FieldTest): ValueTest[] {
  const intervals = test.flatMap((condition) => (condition.kind === "numeric" ? [condition.interval] : []));
  if (intervals.length === 0) return [];
  const isInRange = compileIntervals(intervals);
  return [(value) => (typeof value === "number" || typeof value === "bigint") && isInRange(value)];
}

function addressScans(test: FieldTest): ValueTest[] {
  const scans: ValueTest[] = [];
  const ipv4 = test.flatMap((condition) => (condition.kind === "ipv4" ? [condition.interval] : []));
  const ipv6 = test.flatMap((condition) => (condition.kind === "ipv6" ? [condition.interval] : []));
  if (ipv4.length > 0) {
    const isInBlock = compileIntervals(ipv4);
    scans.push((value) => {
      const address = typeof value === "string" ? parseIpv4(value) : undefined;
      return address !== undefined && isInBlock(address);
    });
  }
  if (ipv6.length > 0) {
    const isInBlock = compileIpv6Blocks(ipv6);
    scans.push((value) => typeof value === "string" && isInBlock(value));
  }
  return scans;
}

/**
 * Members of an array are alternatives, so of several value lists only what is in all of them fails: one look-up for
 * any number of `anything-but`s.
 */
function anythingButScans(test: FieldTest): ValueTest[] {
  const scans: ValueTest[] = [];
  const lists = test.flatMap((condition) => (condition.kind === "anything-but" ? [condition.values] : []));
  const [first, ...others] = lists;
  if (first !== undefined) {
    const inAll = new Set<unknown>([...first].filter((value) => others.every((list) => list.has(value))));
    const [only] = inAll;
    if (inAll.size === 1) scans.push((value) => value !== only);
    else scans.push((value) => !inAll.has(value));
  }
  for (const condition of test) {
    if (condition.kind !== "anything-but-text") continue;
    const excluded = anyOf(compileTexts(condition.conditions));
    scans.push((value) => typeof value !== "string" || !excluded(value));
  }
  return scans;
}
