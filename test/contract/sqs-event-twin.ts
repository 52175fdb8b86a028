import type { Message } from "@aws-sdk/client-sqs";
import type { EventQueueApi, EventReceive } from "../../src/stores/sqs-event-api.ts";
import type { EventMessage } from "../../src/stores/sqs-event-message.ts";

interface Kept {
  readonly message: EventMessage;
  visibleMs: number;
  receipt: string | undefined;
  receiveCount: number;
}

/**
 * A standard queue of SQS on a clock of the test: at most ten messages at once and in no order, whole seconds, receipts
 * that hold nothing once another was given. `atCall` may fail a call, before it takes effect or behind.
 */
export class SqsEventTwin implements EventQueueApi {
  readonly #now: () => number;
  readonly kept = new Set<Kept>();
  #receipts = 0;
  #turn = 0;
  atCall: (action: string, when: "before" | "behind") => void = () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  async send(messages: readonly EventMessage[]): Promise<void> {
    this.atCall("send", "before");
    const nowMs = this.#now();
    for (const message of messages) {
      const visibleMs = nowMs + message.delaySeconds * 1000;
      this.kept.add({ message, visibleMs, receipt: undefined, receiveCount: 0 });
    }
    this.atCall("send", "behind");
  }

  async receive({ messagesMax, holdSeconds }: EventReceive): Promise<readonly Message[]> {
    this.atCall("receive", "before");
    const nowMs = this.#now();
    const visible = [...this.kept].filter(({ visibleMs }) => visibleMs <= nowMs);
    const start = this.#turn++ % Math.max(1, visible.length);
    const taken = [...visible.slice(start), ...visible.slice(0, start)].slice(0, messagesMax);
    for (const each of taken) {
      each.receipt = `AQEB ${++this.#receipts}`;
      each.visibleMs = nowMs + holdSeconds * 1000;
      each.receiveCount++;
    }
    this.atCall("receive", "behind");
    return taken.map(({ message: { body, attributes }, receipt, receiveCount }) => ({
      Body: body,
      MessageAttributes: { ...attributes },
      ReceiptHandle: receipt,
      Attributes: { ApproximateReceiveCount: String(receiveCount) },
    }));
  }

  async remove(receipts: readonly string[]): Promise<void> {
    this.atCall("remove", "before");
    for (const receipt of receipts) {
      const found = this.#heldBy(receipt);
      if (found !== undefined) this.kept.delete(found);
    }
    this.atCall("remove", "behind");
  }

  async hold(receipts: readonly string[], seconds: number): Promise<ReadonlySet<number>> {
    this.atCall("hold", "before");
    const ended = receipts.flatMap((receipt, index) => {
      const found = this.#heldBy(receipt);
      if (found === undefined || found.visibleMs <= this.#now()) return [index];
      found.visibleMs = this.#now() + seconds * 1000;
      return [];
    });
    this.atCall("hold", "behind");
    return new Set(ended);
  }

  async count(): Promise<number> {
    return this.kept.size;
  }

  close(): void {}

  #heldBy(receipt: string): Kept | undefined {
    return [...this.kept].find((each) => each.receipt === receipt);
  }
}
