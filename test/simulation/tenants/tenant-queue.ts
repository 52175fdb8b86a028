import type {
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../../src/ports/queue-source.ts";
import type { VirtualTime } from "../virtual-clock.ts";

/** A message of the simulated queue, and what became of it. */
export interface TenantMessage extends QueueMessage {
  readonly tenant: string;
  readonly sentAt: number;
  /** Messages before it when it was sent, in the queue and in the process's hands; of one that came back all. */
  ahead: number;
  /** When it came into the process's hands last; `undefined`: it is in the queue. */
  receivedAt: number | undefined;
  hiddenUntil: number;
  isDone: boolean;
}

const BYTES = 100;

/** A queue without order in virtual time: it gives the oldest first, and hides what it gives until it is settled. */
export class TenantQueue {
  readonly #time: VirtualTime;
  readonly #waiting: TenantMessage[] = [];
  readonly #receivers: (() => void)[] = [];
  readonly #onReceived: (message: TenantMessage) => void;
  #sent = 0;

  constructor(time: VirtualTime, onReceived: (message: TenantMessage) => void) {
    this.#time = time;
    this.#onReceived = onReceived;
  }

  /** `inHand`: messages that wait in the process's hands. */
  send(tenant: string, inHand: number): TenantMessage {
    const message: TenantMessage = {
      messageId: `${tenant}-${++this.#sent}`,
      groupId: undefined,
      sentMs: this.#time.now,
      receiveCount: 1,
      bytes: BYTES,
      encodedBytes: BYTES,
      tenant,
      sentAt: this.#time.now,
      ahead: this.#waiting.length + inHand,
      receivedAt: undefined,
      hiddenUntil: 0,
      isDone: false,
    };
    this.#waiting.push(message);
    this.#receivers.shift()?.();
    return message;
  }

  open(visibilityMs: number): QueueSource {
    return {
      description: {
        kind: "test",
        eventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:test",
        isFifo: false,
        visibilityMs,
        receiveMessagesMax: 10,
      },
      events: {
        envelopeBytes: 2,
        filterDataKey: "body",
        encode: (messages) => Buffer.from(JSON.stringify(messages.map(({ messageId }) => messageId))),
        element: ({ messageId }) => Buffer.from(JSON.stringify(messageId)),
        eventOf: (elements) => Buffer.from(`[${elements.map((each) => Buffer.from(each)).join()}]`),
        filterDocument: (message) => ({ document: { tenant: asSent(message).tenant }, isDataJson: true }),
      },
      receive: (bounds, signal) => this.#receive(bounds, signal),
      acknowledge: async (messages) => messages.map((message) => this.#acknowledge(asSent(message))),
      release: async (messages) => messages.map((message) => this.#comesBack(asSent(message))),
      extend: async (messages, holdMs) => messages.map((message) => this.#extend(asSent(message), holdMs)),
      close: async () => {},
    };
  }

  #extend(message: TenantMessage, holdMs: number): Settlement {
    if (message.isDone || message.receivedAt === undefined) return "lost";
    message.hiddenUntil = this.#time.now + holdMs;
    return "settled";
  }

  #hide(message: TenantMessage): void {
    const end = () => {
      if (message.isDone || message.receivedAt === undefined) return;
      if (this.#time.now >= message.hiddenUntil) this.#comesBack(message);
      else this.#time.schedule(message.hiddenUntil - this.#time.now, end);
    };
    this.#time.schedule(message.hiddenUntil - this.#time.now, end);
  }

  /** Its hold has ended. */
  #comesBack(message: TenantMessage): Settlement {
    if (message.isDone || message.receivedAt === undefined) return "lost";
    message.receivedAt = undefined;
    message.ahead = Number.POSITIVE_INFINITY;
    this.#waiting.push(message);
    this.#receivers.shift()?.();
    return "settled";
  }

  #acknowledge(message: TenantMessage): Settlement {
    if (message.isDone) return "lost";
    message.isDone = true;
    return "settled";
  }

  async #receive(
    { messagesMax, waitMs, holdMs }: ReceiveBounds,
    signal: AbortSignal,
  ): Promise<readonly QueueMessage[]> {
    if (this.#waiting.length === 0) await this.#arrival(waitMs, signal);
    const given = this.#waiting.splice(0, Math.min(10, messagesMax));
    for (const message of given) {
      message.receivedAt = this.#time.now;
      message.hiddenUntil = this.#time.now + holdMs;
      this.#hide(message);
      this.#onReceived(message);
    }
    return given;
  }

  #arrival(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        const index = this.#receivers.indexOf(end);
        if (index >= 0) this.#receivers.splice(index, 1);
        resolve();
      };
      const timer = this.#time.schedule(waitMs, end);
      this.#receivers.push(end);
      signal.addEventListener("abort", end, { once: true });
    });
  }
}

function asSent(message: QueueMessage): TenantMessage {
  if ("tenant" in message) return message as TenantMessage;
  throw new TypeError("the engine handed back a message that the queue never gave");
}
