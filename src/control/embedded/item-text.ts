import { isJson } from "../../model/json-check.ts";
import { parsePointer, textAt } from "../../model/json-pointer.ts";

/** An item as somebody wrote it, or what is wrong with it. */
export type ReadItem<Item> = { readonly item: Item } | { readonly reason: string };

/**
 * Where something of an item comes from: the same for all, or from a place in each.
 */
export interface ValueRule {
  readonly value?: string | undefined;
  /** A JSON pointer. */
  readonly from?: string | undefined;
}

/** What is wrong with a rule, before anything is read. */
export function ruleProblem(name: string, { value, from }: ValueRule): string | undefined {
  if (value !== undefined && from !== undefined) return `Give ${name} or a place to take it from, not both.`;
  if (from !== undefined && parsePointer(from) === undefined)
    return `${JSON.stringify(from.slice(0, 80))} is not a JSON pointer such as /user/id.`;
  return undefined;
}

export type RuledValue = { readonly text: string | undefined } | { readonly reason: string };

export function valueBy(name: string, { value, from }: ValueRule, data: string): RuledValue {
  if (from === undefined) return { text: value };
  if (!isJson(Buffer.from(data)))
    return { reason: `It is not JSON: its ${name} cannot be taken from ${from}.` };
  const text = textAt(data, parsePointer(from) ?? []);
  return text === undefined ? { reason: `It has nothing at ${from}, which its ${name} is to be.` } : { text };
}

/** A member that may hold any JSON: a text as it reads, anything else as it was written. */
export function contentOf(json: string): string {
  return json.startsWith('"') ? String(JSON.parse(json)) : json;
}
