import { MillraceError } from "../model/errors.ts";
import type { DeadLetters, SentLetter, TakenLetter } from "../ports/dead-letters.ts";
import type { EventRecord, EventRecords } from "../ports/event-records.ts";
import type { QueueMessage, QueueSource } from "../ports/queue-source.ts";

export interface SourceLettersOptions {
  /** Opened on the queue of dead letters; closed with this. */
  readonly source: QueueSource;
  readonly events: EventRecords;
  send(to: "letters" | "source", messages: readonly SentLetter[]): Promise<void>;
  count(signal: AbortSignal): Promise<number>;
  /** Without side effects; absent: messages are received and given back. */
  peek?(max: number): Promise<readonly EventRecord[]>;
  close?(): void;
}

/** A look hides what it sees for so long, if the looker dies meanwhile. */
const PEEK_HOLD_MS = 30_000;
/** A queue of several hosts may say that it has nothing though it has. */
const EMPTY_RECEIVES = 3;

/** Dead letters of a queue that can be received from and sent to. */
export class SourceLetters implements DeadLetters {
  readonly #options: SourceLettersOptions;
  readonly #held = new Map<string, QueueMessage>();
  #receipts = 0;

  constructor(options: SourceLettersOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.source.description.eventSourceArn;
  }

  get peekHides(): boolean {
    return this.#options.peek === undefined;
  }

  async peek(max: number, signal: AbortSignal): Promise<readonly EventRecord[]> {
    if (this.#options.peek !== undefined) return await this.#options.peek(max);
    const taken = await this.take(max, PEEK_HOLD_MS, signal);
    await this.giveBack(taken);
    return taken;
  }

  count(signal: AbortSignal): Promise<number> {
    return this.#options.count(signal);
  }

  /** A queue that is slow gives again what it gave before the hold ended: that is taken once, by its newer receipt. */
  async take(max: number, holdMs: number, signal: AbortSignal): Promise<readonly TakenLetter[]> {
    const { source } = this.#options;
    const letters = new Map<string, TakenLetter>();
    for (let empty = 0; letters.size < max && empty < EMPTY_RECEIVES; ) {
      const before = letters.size;
      const bounds = { messagesMax: max - letters.size, waitMs: 0, holdMs };
      for (const message of await source.receive(bounds, signal)) {
        for (const letter of this.#letterOf(message)) {
          const older = letters.get(letter.itemId);
          if (older !== undefined) this.#held.delete(older.receipt);
          letters.set(letter.itemId, letter);
        }
      }
      empty = letters.size === before ? empty + 1 : 0;
    }
    return [...letters.values()];
  }

  async remove(letters: readonly TakenLetter[]): Promise<void> {
    await this.#settle(letters, (messages) => this.#options.source.acknowledge(messages));
  }

  async giveBack(letters: readonly TakenLetter[]): Promise<void> {
    await this.#settle(letters, (messages) => this.#options.source.release(messages, 0));
  }

  send(to: "letters" | "source", messages: readonly SentLetter[]): Promise<void> {
    return this.#options.send(to, messages);
  }

  async close(): Promise<void> {
    await this.#options.source.close();
    this.#options.close?.();
  }

  /** What cannot be read stays hidden until its hold ends. */
  #letterOf(message: QueueMessage): readonly TakenLetter[] {
    const { source, events } = this.#options;
    if (message.damage !== undefined) return [];
    const [record] = events.split(source.events.encode([message])) ?? [];
    if (record === undefined) return [];
    const receipt = String(++this.#receipts);
    this.#held.set(receipt, message);
    return [{ ...record, receipt }];
  }

  async #settle(
    letters: readonly TakenLetter[],
    settle: (messages: readonly QueueMessage[]) => Promise<readonly string[]>,
  ): Promise<void> {
    const messages = letters.flatMap(({ receipt }) => this.#held.get(receipt) ?? []);
    if (messages.length === 0) return;
    const answers = await settle(messages);
    if (answers.includes("failed")) {
      throw new MillraceError(
        "ERR_MILLRACE_SOURCE_UNAVAILABLE",
        `Not all dead letters of ${this.name} could be settled; it is tried again.`,
      );
    }
    for (const { receipt } of letters) this.#held.delete(receipt);
  }
}
