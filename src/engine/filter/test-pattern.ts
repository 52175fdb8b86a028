import { MillraceError } from "../../model/errors.ts";
import { parseExactJson } from "../../model/exact-json.ts";
import { compileRawPattern, explainFault } from "./filter.ts";

/**
 * Whether an event, a JSON object given as text, matches a pattern as it stands: no data key is decoded. Throws
 * `ERR_MILLRACE_FILTER_PATTERN` for a bad pattern and `ERR_MILLRACE_CONFIG` for an event that is not a JSON object.
 */
export function testPattern(patternText: string, eventText: string): boolean {
  const matches = explainFault("Event pattern", () => compileRawPattern(patternText));
  return matches(parseEvent(eventText));
}

function parseEvent(text: string): object {
  let event: unknown;
  try {
    event = parseExactJson(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The event is not valid JSON (${detail}). Give one JSON object.`,
      { cause },
    );
  }
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    const kind = event === null ? "null" : Array.isArray(event) ? "an array" : `a ${typeof event}`;
    throw new MillraceError("ERR_MILLRACE_CONFIG", `The event is ${kind}. Give one JSON object.`);
  }
  return event;
}
