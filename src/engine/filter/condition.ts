import type { Interval } from "./interval-set.ts";
import type { Wildcard } from "./wildcard.ts";

/** A test that only strings pass. */
export type TextCondition =
  | { readonly kind: "prefix"; readonly text: string; readonly ignoresCase: boolean }
  | { readonly kind: "suffix"; readonly text: string; readonly ignoresCase: boolean }
  | { readonly kind: "equals-ignore-case"; readonly text: string }
  | { readonly kind: "wildcard"; readonly wildcard: Wildcard };

/** One member of a field's array of match rules, checked and read. */
export type Condition =
  | TextCondition
  | { readonly kind: "equals"; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: "numeric"; readonly interval: Interval<number | bigint> }
  | { readonly kind: "ipv4"; readonly interval: Interval<number> }
  | { readonly kind: "ipv6"; readonly interval: Interval<string> }
  | { readonly kind: "exists" }
  | { readonly kind: "absent" }
  | { readonly kind: "anything-but"; readonly values: ReadonlySet<string | number | bigint> }
  /** A value passes unless it is a string that passes one of these. */
  | { readonly kind: "anything-but-text"; readonly conditions: readonly TextCondition[] };

/** What a rule asks of one field: any of the conditions. */
export type FieldTest = readonly Condition[];
