import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import { MillraceError } from "../model/errors.ts";
import { type EventMessage, MESSAGE_BYTES_MAX, messageBytes, writeEvent } from "./sqs-event-message.ts";

/** What one batch call takes. */
export const ENTRIES_MAX = 10;

/** @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE for an item that no message holds. */
export function checkedMessage(item: NewAsyncItem, nowMs: number, bytesMax: number): EventMessage {
  const message = writeEvent(item, nowMs);
  const bytes = messageBytes(message);
  if (bytes <= bytesMax) return message;
  throw new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `An event of ${bytes} bytes is too large for SQS, which takes at most ${bytesMax} here. Send a smaller one.`,
  );
}

export function fitsMessage(item: NewAsyncItem): boolean {
  return messageBytes(writeEvent(item, 0)) <= MESSAGE_BYTES_MAX;
}

/** What the function answered last is a part of records; without it an event is tried again all the same. */
export function withoutAnswer({ last, ...state }: AttemptState): AttemptState {
  if (last === undefined) return state;
  const { payload: _dropped, ...rest } = last;
  return { ...state, last: rest };
}

/** The bound of a message is that of a batch, too. */
export function sendBatchesOf(messages: readonly EventMessage[]): readonly (readonly EventMessage[])[] {
  const batches: EventMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const last = batches.at(-1);
    bytes += messageBytes(message);
    if (last !== undefined && last.length < ENTRIES_MAX && bytes <= MESSAGE_BYTES_MAX) last.push(message);
    else {
      batches.push([message]);
      bytes = messageBytes(message);
    }
  }
  return batches;
}

export function batchesOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / ENTRIES_MAX) }, (_, index) =>
    all.slice(index * ENTRIES_MAX, (index + 1) * ENTRIES_MAX),
  );
}
