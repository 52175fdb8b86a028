import { isJson } from "./json-check.ts";
import { nestsDeeper, skipSpace, stringEnd, valueEnd } from "./json-scan.ts";

/**
 * JSON whose parts are handed on as they were written. JavaScript's numbers hold 53 bits and no `1e400`: what a
 * function or a record says is not to change because it was looked at.
 */

/**
 * Digits from which on a number may not be what JavaScript reads. A text without such a run is read in the plain way.
 */
const LONG_NUMBER = /(?:^|[\s:,[])-?(?=[\d.]{16})/;
const INTEGER = /^-?\d+$/;
/** An integer with a fraction of noughts, which is the same integer. */
const WHOLE = /^(-?\d+)\.0+$/;
/**
 * As deep as other readers of JSON go. A megabyte of brackets in brackets takes a quarter of a second and a hundred
 * megabytes.
 */
export const JSON_DEPTH_MAX = 1_000;

/** This is JSON, and nested too deep to be read. */
export class JsonTooDeep extends Error {}

/**
 * As `JSON.parse`, but an integer that JavaScript would round is a `bigint`. One that a number holds exactly stays a
 * number, however large, so that two equal integers are equal here too.
 * @throws SyntaxError for what is no JSON, and JsonTooDeep.
 */
export function parseExactJson(text: string): unknown {
  if (text.length > JSON_DEPTH_MAX && nestsDeeper(text, JSON_DEPTH_MAX)) {
    // Texts in colours of a terminal have brackets too, which nothing closes.
    if (!isJson(Buffer.from(text))) throw new SyntaxError("it is not JSON");
    throw new JsonTooDeep(`its JSON is nested more than ${JSON_DEPTH_MAX} deep`);
  }
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactValue as (key: string, value: unknown) => unknown);
}

/** As `JSON.stringify` without a replacer, also of what `parseExactJson` has read: each `bigint` as its digits. */
export function exactJsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? rawJson(String(each)) : each));
  }
}

/** In V8, and not yet in TypeScript's library. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

/** The third argument of a reviver is in V8 and not yet in TypeScript's library. */
function exactValue(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  const { source } = context;
  if (typeof value !== "number" || source === undefined || source.length < 16) return value;
  const digits = WHOLE.exec(source)?.[1] ?? source;
  if (Number.isSafeInteger(value) || !INTEGER.test(digits)) return value;
  const exact = BigInt(digits);
  return Number.isFinite(value) && BigInt(value) === exact ? value : exact;
}

/**
 * The text of a member of a JSON object, exactly as it stands there; of several of one name the last, as `JSON.parse`
 * has it. `undefined`: the text is no object, or has no such member. `text` must be valid JSON.
 */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  for (const member of memberTexts(text)) if (member.name === name) found = member.text;
  return found;
}

export interface MemberText {
  readonly name: string;
  readonly text: string;
}

/**
 * All members of a JSON object as they stand there, in their order; none of anything else. `text` must be valid JSON.
 */
export function* memberTexts(text: string): Generator<MemberText> {
  let at = skipSpace(text, 0);
  if (text[at] !== "{") return;
  at = skipSpace(text, at + 1);
  while (at < text.length && text[at] !== "}") {
    const keyEnd = stringEnd(text, at);
    const key = text.slice(at, keyEnd);
    const name = key.includes("\\") ? String(JSON.parse(key)) : key.slice(1, -1);
    const from = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const to = valueEnd(text, from);
    yield { name, text: text.slice(from, to) };
    at = skipSpace(text, to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

/** All elements of a JSON array as they stand there; none of anything else. `text` must be valid JSON. */
export function* elementTexts(text: string): Generator<string> {
  let at = skipSpace(text, 0);
  if (text[at] !== "[") return;
  at = skipSpace(text, at + 1);
  while (at < text.length && text[at] !== "]") {
    const to = valueEnd(text, at);
    yield text.slice(at, to);
    at = skipSpace(text, to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}
