import { elementTexts, memberTexts } from "./exact-json.ts";

/** `/user/id`: a place in JSON (RFC 6901), by its parts. `undefined`: the text is no pointer. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * What stands at a place of a JSON text: a text as it reads, anything else as it was written, so that no number is
 * rounded. `undefined`: nothing, or null. `json` must be valid JSON.
 */
export function textAt(json: string, pointer: readonly string[]): string | undefined {
  let value: string | undefined = json.trim();
  for (const part of pointer) {
    if (value === undefined) return undefined;
    value = partOf(value, part);
  }
  if (value === undefined || value === "null") return undefined;
  return value.startsWith('"') ? String(JSON.parse(value)) : value;
}

function partOf(json: string, part: string): string | undefined {
  if (json.startsWith("[")) {
    if (!/^(?:0|[1-9]\d{0,8})$/.test(part)) return undefined;
    let left = Number(part);
    for (const element of elementTexts(json)) if (left-- === 0) return element;
    return undefined;
  }
  let found: string | undefined;
  for (const { name, text } of memberTexts(json)) if (name === part) found = text;
  return found;
}
