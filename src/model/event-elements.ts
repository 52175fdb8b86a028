import { elementTexts, memberText, parseExactJson } from "./exact-json.ts";
import { isJson } from "./json-check.ts";

/** What stands in an event, for whoever takes one apart. */
export interface EventElement {
  /** As it stands there. */
  readonly text: string;
  readonly value: JsonObject;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Elements of the list `Records`, as most sources' events have it; `undefined`: it is none. */
export function recordsOf(event: Uint8Array): readonly EventElement[] | undefined {
  const text = textOf(event);
  const records = text === undefined ? undefined : memberText(text, "Records");
  return records === undefined ? undefined : elementsOf(records);
}

/** Elements of a list of objects; `undefined`: it is none. */
export function elementsOf(list: string): readonly EventElement[] | undefined {
  const elements: EventElement[] = [];
  for (const text of elementTexts(list)) {
    const value = parseExactJson(text);
    if (!isObject(value)) return undefined;
    elements.push({ text, value });
  }
  return elements;
}

/** `undefined`: the bytes are no JSON. */
export function textOf(event: Uint8Array): string | undefined {
  if (!isJson(event)) return undefined;
  return new TextDecoder().decode(event);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function textMember(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : undefined;
}

/** JSON where it is some, else a text, else what it was. */
export function inClear(base64: string): unknown {
  const bytes = Buffer.from(base64, "base64");
  const text = bytes.toString();
  if (!Buffer.from(text).equals(bytes)) return base64;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The object that the bytes are; `undefined`: they are none. */
export function objectOf(element: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(element));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
