import { memberOf, textMember } from "../model/event-elements.ts";
import type { FailureRow } from "../ports/failure-index.ts";
import type { GivenUpEvent } from "../ports/failure-notes.ts";
import { rowIdOf } from "./failure-names.ts";

const EVENT = "event:";

/** Stands in rows for a mapping: events of a function are of none. */
export function eventsOf(functionName: string): string {
  return EVENT + functionName;
}

/** `undefined`: the row is of a mapping. */
export function functionOfEvents(mapping: string): string | undefined {
  return mapping.startsWith(EVENT) ? mapping.slice(EVENT.length) : undefined;
}

/** An event is one row, however many destinations were told of its end: the first that took it. */
export function eventRow({
  functionName,
  requestId,
  document,
  bytes,
  atMs,
  destination,
  at,
}: GivenUpEvent): FailureRow {
  const condition = textMember(memberOf(document, "requestContext"), "condition");
  const type = textMember(memberOf(document, "responsePayload"), "errorType");
  return {
    id: rowIdOf(requestId),
    mapping: eventsOf(functionName),
    condition: condition === "EventAgeExceeded" ? "RecordAgeExceeded" : "RetryAttemptsExhausted",
    ...(type === undefined ? {} : { error: { type } }),
    shardId: "events",
    items: [{ position: requestId, keyHash: undefined }],
    count: 1,
    bytes,
    atMs,
    where: at === undefined ? { destination } : { destination, at },
    state: "open",
  };
}

/** The event that a record of its end, or a dead letter, has; `undefined`: it was too large, or it is neither. */
export function payloadOf(document: Readonly<Record<string, unknown>>): Uint8Array | undefined {
  for (const name of ["requestPayload", "event"])
    if (Object.hasOwn(document, name)) return new TextEncoder().encode(JSON.stringify(document[name]));
  return undefined;
}
