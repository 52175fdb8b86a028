import { type FieldTable, tabulateField } from "./field-table.ts";
import { ABSENT_FIELDS_MAX } from "./filter-limits.ts";
import { PatternFault, RULE_TOO_COMPLEX } from "./pattern-fault.ts";
import { addToSlices, type FieldBits, type RuleBits, uniteBits } from "./rule-bits.ts";
import type { CompiledFieldTest } from "./value-test.ts";

/** A rule whose field tests are compiled. Rules that share a field's test share the object. */
export type CompiledRule = ReadonlyMap<string, CompiledFieldTest>;

/**
 * The steps of all rules' paths as one tree, so that one walk over an event tests all rules at once: each value yields
 * the bits of the rules whose part below that value holds.
 */
export interface RuleNode {
  readonly key: string;
  /** `Object.prototype` has a member of that name, which must not be taken for one of the event. */
  readonly isInherited: boolean;
  readonly all: RuleBits;
  /** The tests of the field that ends at this node. */
  readonly field: FieldTable | undefined;
  /** Rules without a test here. */
  readonly untested: RuleBits;
  /**
   * Rules that hold here, with respect to the field of this node, when it has no value: untested or `exists: false`.
   */
  readonly fieldWhenAbsent: RuleBits;
  /** This node's bit if a rule allows its field to be absent, else 0. */
  readonly absentBit: FieldBits;
  readonly children: readonly RuleNode[];
  readonly childrenWhenAbsent: RuleBits;
  /** Rules that hold for this node and all below when there is nothing in the event. */
  readonly whenAbsent: RuleBits;
  /** Some field here or below may be absent. */
  readonly hasAbsent: boolean;
  /** Fields below, in AWS's order of evaluation, that rules allow to be absent before they ask for a value. */
  readonly leading: readonly LeadingAbsent[];
  /** The bits of the leading fields. */
  readonly leadingBits: FieldBits;
  /** Event keys that take several steps at once (`"a.b"`), relative to this node and, below, to its parent. */
  readonly dotted: readonly DottedKey[];
  readonly dottedFromParent: readonly DottedKey[];
  /** Children and dotted keys (`undefined`) by event key. */
  readonly byKey: ReadonlyMap<string, RuleNode | undefined>;
  /**
   * How many children each rule needs present, as a vertical binary number: slice i holds bit i of every rule's count.
   */
  readonly neededSlices: Int32Array;
  /** Room for the same count of an event's object. A node is never counted within itself. */
  readonly countSlices: Int32Array;
}

export interface LeadingAbsent {
  readonly bit: FieldBits;
  readonly rules: RuleBits;
}

export interface DottedKey {
  readonly key: string;
  readonly isInherited: boolean;
  /** What is left of the key behind its first step. */
  readonly rest: string;
}

/** At most 32 rules. Throws a `PatternFault` where the rules are too many to be bounded. */
export function buildRuleTree(rules: readonly CompiledRule[]): RuleNode {
  const all = rules.length === 32 ? -1 : (1 << rules.length) - 1;
  const root = newDraft("", undefined);
  const absentBits = new Map<string, FieldBits>();
  for (const [index, rule] of rules.entries()) addRule(root, rule, 1 << index, absentBits);
  return finishNode(root, all, absentBits);
}

interface Draft {
  readonly key: string;
  /** `undefined` for the root, which has no name; a member of it may have the empty name. */
  readonly path: string | undefined;
  readonly children: Map<string, Draft>;
  readonly tests: Map<CompiledFieldTest, RuleBits>;
  readonly leading: Map<string, RuleBits>;
}

function newDraft(key: string, path: string | undefined): Draft {
  return { key, path, children: new Map(), tests: new Map(), leading: new Map() };
}

function addRule(root: Draft, rule: CompiledRule, bit: RuleBits, absentBits: Map<string, FieldBits>): void {
  const settled = new Set<Draft>();
  // AWS evaluates the fields of a rule in the order of their full paths.
  for (const path of [...rule.keys()].sort()) {
    const test = rule.get(path);
    if (test === undefined) continue;
    if (test.isAbsentAllowed) assignAbsentBit(absentBits, path);
    let node = root;
    for (const step of path.split(".")) {
      if (!settled.has(node)) {
        if (test.isAbsentAllowed) node.leading.set(path, (node.leading.get(path) ?? 0) | bit);
        else settled.add(node);
      }
      node = childDraft(node, step);
    }
    node.tests.set(test, (node.tests.get(test) ?? 0) | bit);
  }
}

function childDraft(node: Draft, step: string): Draft {
  let child = node.children.get(step);
  if (child === undefined) {
    child = newDraft(step, node.path === undefined ? step : `${node.path}.${step}`);
    node.children.set(step, child);
  }
  return child;
}

function assignAbsentBit(absentBits: Map<string, FieldBits>, path: string): void {
  if (absentBits.has(path)) return;
  if (absentBits.size === ABSENT_FIELDS_MAX) {
    throw new PatternFault(`${RULE_TOO_COMPLEX} - more than ${ABSENT_FIELDS_MAX} fields with exists:false`, [
      path,
    ]);
  }
  absentBits.set(path, 1 << absentBits.size);
}

function finishNode(draft: Draft, all: RuleBits, absentBits: ReadonlyMap<string, FieldBits>): RuleNode {
  const children = [...draft.children.values()].map((child) => finishNode(child, all, absentBits));
  const field = draft.tests.size === 0 ? undefined : tabulateField(draft.tests);
  const untested = all & ~(field?.rules ?? 0);
  const absentAllowed = uniteBits(
    [...draft.tests].map(([test, rules]) => (test.isAbsentAllowed ? rules : 0)),
  );
  const fieldWhenAbsent = untested | absentAllowed;
  const childrenWhenAbsent = children.reduce((rules, child) => rules & child.whenAbsent, all);
  const dotted = children.flatMap((child) => child.dottedFromParent);
  const neededSlices = countSlices(children, all);
  return {
    key: draft.key,
    isInherited: isInherited(draft.key),
    all,
    field,
    untested,
    fieldWhenAbsent,
    absentBit: absentAllowed === 0 ? 0 : (absentBits.get(draft.path ?? "") ?? 0),
    children,
    childrenWhenAbsent,
    whenAbsent: fieldWhenAbsent & childrenWhenAbsent,
    hasAbsent: absentAllowed !== 0 || children.some((child) => child.hasAbsent),
    leadingBits: uniteBits([...draft.leading.keys()].map((path) => absentBits.get(path) ?? 0)),
    leading: [...draft.leading]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, rules]) => ({ bit: absentBits.get(path) ?? 0, rules })),
    dotted,
    dottedFromParent: dottedBelow(draft, draft.key),
    byKey: new Map<string, RuleNode | undefined>([
      ...dotted.map(({ key }) => [key, undefined] as const),
      ...children.map((child) => [child.key, child] as const),
    ]),
    neededSlices,
    countSlices: new Int32Array(neededSlices.length),
  };
}

/** All joined names of what is below `draft`, beginning with its own step. */
function dottedBelow(draft: Draft, prefix: string): DottedKey[] {
  const first = draft.key.length + 1;
  return [...draft.children.values()].flatMap((child) => {
    const key = `${prefix}.${child.key}`;
    const own = { key, isInherited: isInherited(key), rest: key.slice(first) };
    return [own, ...dottedBelow({ ...child, key: draft.key }, key)];
  });
}

function countSlices(children: readonly RuleNode[], all: RuleBits): Int32Array {
  const slices = new Int32Array(Math.max(1, 32 - Math.clz32(children.length)));
  for (const child of children) addToSlices(slices, all & ~child.whenAbsent);
  return slices;
}

function isInherited(key: string): boolean {
  return key in Object.prototype;
}
