import type { QueueMapping } from "../../model/mapping.ts";
import type { QueueSource } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { ByteBudget } from "../budget.ts";
import type { HeldMessage } from "./held-message.ts";
import type { MessageLedger } from "./message-ledger.ts";
import type { ReceivesUnderWay } from "./receiver.ts";

export interface ReceiveRoomOptions {
  readonly mapping: QueueMapping;
  /** What it says of its queue may change. */
  readonly source: QueueSource;
  readonly ledger: MessageLedger;
  readonly budget: ByteBudget;
  readonly telemetry: Telemetry;
  readonly payloadBytesMax: number;
}

/** What the largest message so far counts for from one receive to the next: a single large one is forgotten in time. */
const SIZE_MEMORY = 0.95;

/**
 * How many messages may be received: no receive without room for its result. A queue without order may bring one batch
 * more for each that may run. One with order (FIFO) never brings more than the batch that can start at once: what waits
 * behind a message that fails would have to go back, and each way back is a receive that no function saw.
 */
export class ReceiveRoom {
  readonly #options: ReceiveRoomOptions;
  #largestBytes = 0;

  constructor(options: ReceiveRoomOptions) {
    this.#options = options;
  }

  get isOrdered(): boolean {
    return this.#options.source.description.isFifo;
  }

  noteSizes(received: readonly HeldMessage[]): void {
    this.#largestBytes *= SIZE_MEMORY;
    for (const { message } of received)
      this.#largestBytes = Math.max(this.#largestBytes, message.encodedBytes + 1);
  }

  /** `batchesMax`: what may run of that which is received now. */
  of({ receives, expected, bytes }: ReceivesUnderWay, batchesMax: number, runningBatches: number): number {
    const { ledger, budget, telemetry } = this.#options;
    if (batchesMax === 0) return 0;
    // Who holds nothing may receive in any case: no mapping starves behind another's stalled function.
    // plant: a-receive-needs-no-room-while-nothing-waits
    const holdsNothing = ledger.bytes === 0 && expected === 0;
    // plant: receiving-ignores-the-byte-budget
    if (!holdsNothing && budget.room <= bytes) {
      telemetry.mark("receive paused by a full byte budget");
      return 0;
    }
    const free = batchesMax - runningBatches;
    // plant: one-busy-group-holds-up-all-others
    // plant: more-of-a-fifo-queue-is-received-than-can-start
    // plant: a-restart-storm-with-more-of-a-fifo-queue-received-than-can-start
    if (this.isOrdered) return this.#ofOneBatch(free - receives);
    const { mapping, source } = this.#options;
    const perBatch = Math.max(mapping.batchSize, source.description.receiveMessagesMax);
    const room = Math.max(1, free) * perBatch;
    const inHand = ledger.buffer.sizeWithin(room) + expected + ledger.unwanted;
    // plant: receives-ask-for-more-than-there-are-places
    return room - inHand;
  }

  #ofOneBatch(places: number): number {
    const { mapping, ledger, payloadBytesMax } = this.#options;
    const waiting = ledger.buffer.size;
    const waitingBatches = Math.ceil(waiting / mapping.batchSize);
    const fitting =
      this.#largestBytes === 0 ? mapping.batchSize : Math.floor(payloadBytesMax / this.#largestBytes);
    const room = Math.max(1, Math.min(mapping.batchSize, fitting));
    if (places - waitingBatches > 0) return room;
    // A batch that waits for its window is filled.
    const isFilling = mapping.batchingWindowMs > 0 && places > 0 && waiting < room;
    return isFilling ? room - waiting : 0;
  }
}
