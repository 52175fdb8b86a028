import { describeError, MillraceError } from "../model/errors.ts";
import { isObject, type JsonObject, textMember } from "../model/event-elements.ts";
import type { KeptFailure } from "../ports/failure-reader.ts";

/** Documents are read whole: the largest event, escaped, is a fraction of this. */
export const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024;

/** The document of a failure, and the event that it has as the text `payload`. `undefined`: it is none. */
export function keptFailure(text: string, failureId: string | undefined): KeptFailure | undefined {
  const parsed = parsedObject(text);
  if (parsed === undefined) return undefined;
  const { payload, id, ...document } = parsed;
  const events = typeof payload === "string" ? [Buffer.from(payload)] : [];
  const known = failureId ?? textMember(parsed, "id");
  return { document, events, ...(known === undefined ? {} : { failureId: known }) };
}

function parsedObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function unreadable(place: string, error: unknown): MillraceError {
  const reason = error instanceof MillraceError ? error.message : describeError(error);
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `Failures in ${place} cannot be read: ${reason}`,
    { cause: error },
  );
}
