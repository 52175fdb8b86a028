/** Up to 32 rules, one bit each. */
export type RuleBits = number;
/** Up to 32 fields that may be absent, one bit each. */
export type FieldBits = number;

export function uniteBits(bits: readonly number[]): number {
  return bits.reduce((union, some) => union | some, 0);
}

/** Adds one to the vertical number of each rule in `rules`. */
export function addToSlices(slices: Int32Array, rules: RuleBits): void {
  let carry = rules;
  for (let i = 0; carry !== 0; i++) {
    const slice = slices[i] ?? 0;
    slices[i] = slice ^ carry;
    carry &= slice;
  }
}

/** The rules whose vertical numbers are equal. */
export function equalSlices(a: Int32Array, b: Int32Array): RuleBits {
  let differing = 0;
  for (let i = 0; i < a.length; i++) differing |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return ~differing;
}
