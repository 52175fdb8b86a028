import { exactJsonText } from "../../model/exact-json.ts";

/** What an event has below a path such as `$.detail.items[0].id`; `undefined`: nothing is there. */
export function partOf(event: unknown, path: string): unknown {
  if (!path.startsWith("$")) return undefined;
  let value = event;
  for (const [, name, index, quoted] of path.slice(1).matchAll(STEP)) {
    const key = name ?? quoted ?? index;
    if (typeof value !== "object" || value === null || key === undefined || !Object.hasOwn(value, key))
      return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

const STEP = /\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]/g;
const PLACEHOLDER = /<([A-Za-z0-9_.-]+)>/g;

/**
 * A template with its placeholders filled in. Within quotation marks a text stands as it is, and anything else as its
 * JSON text; outside of them each is JSON, and what is not there is `null`. The answer is a JSON text, or a text that
 * is made one; `undefined`: it would be longer than `charsMax`, since a template may name a large event many times.
 */
export function filledTemplate(
  template: string,
  lookUp: (name: string) => unknown,
  charsMax: number,
): string | undefined {
  let isQuoted = false;
  let filled = "";
  let fromIndex = 0;
  for (const { 0: text, 1: name = "", index } of template.matchAll(PLACEHOLDER)) {
    const before = template.slice(fromIndex, index);
    isQuoted = isQuotedBehind(before, isQuoted);
    const value = lookUp(name);
    filled += before + (isQuoted ? withinQuotes(value) : (exactJsonText(value) ?? "null"));
    fromIndex = index + text.length;
    if (filled.length > charsMax) return undefined;
  }
  filled += template.slice(fromIndex);
  return isJson(filled) ? filled : JSON.stringify(filled);
}

function isQuotedBehind(text: string, wasQuoted: boolean): boolean {
  const marks = text.replaceAll(/\\./g, "").split('"').length - 1;
  return marks % 2 === 0 ? wasQuoted : !wasQuoted;
}

function withinQuotes(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : (exactJsonText(value) ?? "");
  return JSON.stringify(text).slice(1, -1);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
