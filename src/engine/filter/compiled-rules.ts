import type { FieldTest } from "./condition.ts";
import { SCANS_PER_FIELD_MAX } from "./filter-limits.ts";
import type { Rule } from "./pattern.ts";
import { PatternFault, RULE_TOO_COMPLEX } from "./pattern-fault.ts";
import { buildRuleTree, type CompiledRule, type RuleNode } from "./rule-tree.ts";
import { RuleWalk } from "./rule-walk.ts";
import { type CompiledFieldTest, compileFieldTest } from "./value-test.ts";

export interface CompiledRules {
  readonly matches: (document: object) => boolean;
  readonly stepsPerUnitMax: number;
}

/** @throws PatternFault when the worst case of a match is not bounded. */
export function compileRules(rules: readonly Rule[]): CompiledRules {
  const tests = new Map<FieldTest, CompiledFieldTest>();
  const compiled = rules.map((rule) => compileRule(rule, tests));
  const tree = buildRuleTree(compiled);
  const walk = new RuleWalk(tree);
  return {
    matches: (document) => walk.matches(document as Record<string, unknown>),
    stepsPerUnitMax: stepsPerUnit(tree),
  };
}

/** Rules that were forked by an `$or` share the tests of their common fields, compiled once. */
function compileRule(rule: Rule, tests: Map<FieldTest, CompiledFieldTest>): CompiledRule {
  const compiled = new Map<string, CompiledFieldTest>();
  for (const [path, test] of rule) {
    const known = tests.get(test) ?? compileFieldTest(test);
    tests.set(test, known);
    compiled.set(path, known);
  }
  return compiled;
}

/**
 * Each value and key of an event is visited once and tested with the scans of one field; a scan looks at each character
 * at most twice. The walk's look-up budgets come on top, whatever the event's size.
 */
function stepsPerUnit(node: RuleNode): number {
  return STEPS_TO_VISIT + 2 * scansMax(node, []);
}

const STEPS_TO_VISIT = 3;

function scansMax(node: RuleNode, path: readonly string[]): number {
  const scans = node.field?.scans.length ?? 0;
  if (scans > SCANS_PER_FIELD_MAX) {
    throw new PatternFault(
      `${RULE_TOO_COMPLEX} - more than ${SCANS_PER_FIELD_MAX} wildcard, anything-but or range tests of one field`,
      path,
    );
  }
  return node.children.reduce((most, child) => Math.max(most, scansMax(child, [...path, child.key])), scans);
}
