import type { TraceCarrier } from "../../model/trace-context.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";
import { type HeldMessage, messagesOf } from "./held-message.ts";

/** The source could not make an event of a batch, which its port promises: there was no invocation. */
export class UnmadeEvent extends Error {}

export function encodeBatch({ events }: QueueSource, batch: readonly HeldMessage[]): Uint8Array {
  try {
    return events.encode(messagesOf(batch));
  } catch (error) {
    throw new UnmadeEvent("no event can be made of a batch", { cause: error });
  }
}

export function canEncode(source: QueueSource, held: HeldMessage): boolean {
  try {
    encodeBatch(source, [held]);
    return true;
  } catch {
    return false;
  }
}

/** A trace that cannot be read is none: it costs its message nothing. */
export function carrierOf({ events }: QueueSource, message: QueueMessage): TraceCarrier | undefined {
  try {
    return events.traceCarrier?.(message);
  } catch {
    return undefined;
  }
}
