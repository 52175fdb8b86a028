import type { RedriveItem } from "../../../src/model/redrive.ts";
import type { DeadLetters, SentLetter, TakenLetter } from "../../../src/ports/dead-letters.ts";

interface Letter {
  readonly itemId: string;
  readonly group: string | undefined;
  readonly body: string;
  readonly arrivalMs: number;
  hiddenUntilMs: number;
  receipt: string;
}

export interface SimLettersOptions {
  nowMs(): number;
  /** What it hands out at once, at most. */
  readonly handedOutMax?: number;
}

/**
 * A queue of dead letters as SQS has them: what is taken is hidden, and with it all that is behind it of its group. All
 * processes have the same.
 */
export class SimLetters {
  readonly #options: SimLettersOptions;
  #letters: Letter[] = [];
  readonly #sent = new Set<string>();
  #receipts = 0;

  constructor(options: SimLettersOptions) {
    this.#options = options;
  }

  /** Bodies of what is there, hidden or not. */
  get bodies(): readonly string[] {
    return this.#letters.map(({ body }) => body);
  }

  fill(letters: readonly { readonly group: string | undefined; readonly body: string }[]): void {
    for (const { group, body } of letters) this.#add(group, body);
  }

  /** As one process has it. */
  open(): DeadLetters {
    return {
      name: "arn:aws:sqs:eu-west-1:000000000000:dead.fifo",
      peekHides: true,
      peek: async () => [],
      count: async () => this.#letters.length,
      take: async (max, holdMs) => this.#take(max, holdMs),
      remove: async (letters) => {
        const receipts = new Set(letters.map(({ receipt }) => receipt));
        this.#letters = this.#letters.filter(({ receipt }) => !receipts.has(receipt));
      },
      giveBack: async (letters) => {
        const receipts = new Set(letters.map(({ receipt }) => receipt));
        for (const letter of this.#letters) if (receipts.has(letter.receipt)) letter.hiddenUntilMs = 0;
      },
      send: async (_to, messages) => {
        for (const message of messages) this.#send(message);
      },
      close: async () => undefined,
    };
  }

  #send({ id, element }: SentLetter): void {
    if (this.#sent.has(id)) return;
    this.#sent.add(id);
    const { group, body } = JSON.parse(Buffer.from(element).toString());
    this.#add(group, body);
  }

  #add(group: string | undefined, body: string): void {
    const arrivalMs = this.#options.nowMs();
    const itemId = `m${++this.#receipts}`;
    this.#letters.push({ itemId, group, body, arrivalMs, hiddenUntilMs: 0, receipt: "" });
  }

  #take(max: number, holdMs: number): readonly TakenLetter[] {
    const nowMs = this.#options.nowMs();
    const isHidden = ({ hiddenUntilMs }: Letter) => hiddenUntilMs > nowMs;
    const shut = new Set(
      this.#letters
        .filter((letter) => letter.group !== undefined && isHidden(letter))
        .map(({ group }) => group),
    );
    const free = this.#letters.filter((letter) => !isHidden(letter) && !shut.has(letter.group));
    return free.slice(0, Math.min(max, this.#options.handedOutMax ?? max)).map((letter) => {
      letter.hiddenUntilMs = nowMs + holdMs;
      letter.receipt = `r${++this.#receipts}`;
      const { itemId, group, body, arrivalMs, receipt } = letter;
      const element = Buffer.from(JSON.stringify({ group, body }));
      return { shardId: group ?? "", position: itemId, itemId, key: group, arrivalMs, element, receipt };
    });
  }
}

/** The body of the letter that an item was. */
export function bodyOf({ element }: RedriveItem): string {
  return element === undefined ? "" : JSON.parse(Buffer.from(element).toString()).body;
}
