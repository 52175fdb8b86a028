import type { QueueAttempt } from "../../queue-history.ts";
import type { SimDelivery } from "../../world/queue-message.ts";

/** A batch that is split since its size was refused goes on in parts: nothing has failed, and no batch is new. */
export function isParted({ told, deliveries }: QueueAttempt): boolean {
  return told === "payloadTooLarge" && deliveries.length > 1;
}

export class PartedBatches {
  readonly #deliveries = new Set<SimDelivery>();

  told(attempt: QueueAttempt): void {
    if (isParted(attempt)) for (const each of attempt.deliveries) this.#deliveries.add(each);
  }

  /** It is a part of a batch that was begun before. */
  hasPart({ deliveries }: QueueAttempt): boolean {
    return deliveries.every((each) => this.#deliveries.has(each));
  }
}
