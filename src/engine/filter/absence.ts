import type { FieldBits, RuleBits } from "./rule-bits.ts";
import type { RuleNode } from "./rule-tree.ts";

/**
 * AWS tests a rule's fields in the order of their paths, and `exists: false` against all elements of an array until a
 * field before it has chosen one. So the first field that the array has anywhere, of those that may be absent and stand
 * before all others, must be in the chosen element; `given` has the rules that hold for elements with that field.
 */
export function settleAbsence(
  node: RuleNode,
  some: RuleBits,
  present: FieldBits,
  given: readonly number[] | undefined,
): RuleBits {
  let open = node.all;
  let rules = 0;
  if (given !== undefined) {
    for (const leading of node.leading) {
      if ((leading.bit & present) === 0) continue;
      rules |= (given[bitIndex(leading.bit)] ?? 0) & leading.rules & open;
      open &= ~leading.rules;
    }
  }
  return rules | (open & (some | node.childrenWhenAbsent));
}

/** Number of the highest bit. */
export function bitIndex(bits: number): number {
  return 31 - Math.clz32(bits);
}
