import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";

export interface GivenMessages {
  readonly kind: "given";
  readonly messages: readonly QueueMessage[];
  /** Where it was prolonged since. */
  readonly hold?: Hold | undefined;
}

export type ReceiveOutcome = GivenMessages | { readonly kind: "failed"; readonly error: unknown };

/** How long what a receive gave is ours: the queue may count from any time since it was asked. */
export interface Hold {
  /** Monotonic. */
  readonly askedMs: number;
  readonly holdMs: number;
}

/**
 * A receive that is under way. What it brings is run by whoever has it then: its worker, or the next one (principle 7).
 */
export interface OpenReceive extends Hold {
  readonly messagesMax: number;
  readonly waitMs: number;
  /** What a kept receive brought, where it has come back already. */
  readonly answer?: ReceiveOutcome | undefined;
  /** The same while its hold is being prolonged: it is here, and `outcome` waits for the end of that. */
  readonly prolonging?: readonly QueueMessage[] | undefined;
  /** Never rejects. */
  readonly outcome: Promise<ReceiveOutcome>;
}

export interface ReceiveQuestion {
  readonly messagesMax: number;
  readonly waitMs: number;
  readonly holdMs: number;
}

export function openReceive(
  source: QueueSource,
  { messagesMax, waitMs, holdMs }: ReceiveQuestion,
  askedMs: number,
  signal: AbortSignal,
): OpenReceive {
  // A source that throws, where its port says that it rejects, costs this receive only.
  const ask = async () => await source.receive({ messagesMax, waitMs, holdMs }, signal);
  const outcome = ask().then(
    (messages): ReceiveOutcome => ({ kind: "given", messages }),
    (error: unknown): ReceiveOutcome => ({ kind: "failed", error }),
  );
  return { messagesMax, askedMs, waitMs, holdMs, outcome };
}
