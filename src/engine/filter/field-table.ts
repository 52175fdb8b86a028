import { type RuleBits, uniteBits } from "./rule-bits.ts";
import type { CompiledFieldTest, ValueTest } from "./value-test.ts";
import { work } from "./work.ts";

/** The tests that up to 32 rules have of one field, so that one look at a value answers for all of them. */
export interface FieldTable {
  readonly rules: RuleBits;
  /** Where all rules share one test. */
  readonly only: ValueTest | undefined;
  readonly anyValue: RuleBits;
  readonly exact: ReadonlyMap<unknown, RuleBits>;
  readonly scans: readonly { readonly matches: ValueTest; readonly rules: RuleBits }[];
}

export function tabulateField(tests: ReadonlyMap<CompiledFieldTest, RuleBits>): FieldTable {
  const exact = new Map<unknown, RuleBits>();
  const scans: { matches: ValueTest; rules: RuleBits }[] = [];
  let anyValue = 0;
  for (const [test, rules] of tests) {
    if (test.isAnyValue) anyValue |= rules;
    for (const value of test.exact) exact.set(value, (exact.get(value) ?? 0) | rules);
    for (const matches of test.scans) scans.push({ matches, rules });
  }
  const [only] = tests.keys();
  return {
    rules: uniteBits([...tests.values()]),
    only: tests.size === 1 ? only?.matches : undefined,
    anyValue,
    exact,
    scans,
  };
}

/** The rules whose test of the field the value passes. */
export function testField(field: FieldTable, value: unknown): RuleBits {
  work.steps++;
  if (field.only !== undefined) return field.only(value) ? field.rules : 0;
  let rules = field.anyValue | (field.exact.get(value) ?? 0);
  for (const scan of field.scans) {
    if ((scan.rules & ~rules) !== 0 && scan.matches(value)) rules |= scan.rules;
  }
  return rules;
}
