import type { Redrive, RedriveCounts, RedriveItem } from "../model/redrive.ts";
import type { DeadLetters, SentLetter, TakenLetter } from "../ports/dead-letters.ts";
import type { RedriveFeed, RedriveWindow, ToldEnd, WindowBounds } from "../ports/redrives.ts";
import { keyHashOf, rowIdOf } from "./failure-names.ts";
import { isLetterOf } from "./letter-selection.ts";

/** Hidden for so long at most: what is loaded durably is taken off when the next window is asked for. */
const HOLD_MS = 300_000;
/** Messages of a window, at most: a queue gives few at a time. */
const WINDOW_MAX = 100;
/** A queue may say that it has nothing though it has. */
const EMPTY_TAKES = 2;
/** What does not fit the selection is given back, and may come again and again. */
const TAKES_MAX = 200;

export interface DeadLetterFeedOptions {
  lettersOf(mapping: string): Promise<DeadLetters>;
}

/**
 * Feeds redrives with a queue's dead letters. A message is moved: it is taken off once the store has it, so that those
 * of its group behind it can be had, and is sent back when it fails again or is not redriven after all.
 */
export class DeadLetterFeed implements RedriveFeed {
  readonly #options: DeadLetterFeedOptions;
  /** By redrive: what the window before this gave. */
  readonly #given = new Map<string, readonly TakenLetter[]>();

  constructor(options: DeadLetterFeedOptions) {
    this.#options = options;
  }

  async window(redrive: Redrive, cursor: string | undefined, bounds: WindowBounds): Promise<RedriveWindow> {
    const letters = await this.#options.lettersOf(redrive.mapping);
    await letters.remove(this.#given.get(redrive.id) ?? []);
    this.#given.delete(redrive.id);
    const { wanted, others, isEnd } = await takeWanted(letters, redrive, bounds);
    await letters.giveBack(others);
    if (wanted.length > 0) this.#given.set(redrive.id, wanted);
    const number = Number(cursor ?? 0);
    const items = wanted.map((letter) => itemOf(letter, letters.name));
    return { items, next: isEnd && wanted.length === 0 ? undefined : String(number + 1) };
  }

  /** What failed again is a dead letter again. */
  async ended(redrive: Redrive, ends: readonly ToldEnd[]): Promise<void> {
    const failed = ends
      .filter(({ state }) => state === "failed")
      .flatMap(({ item }) => sentOf(redrive, item));
    if (failed.length === 0) return;
    const letters = await this.#options.lettersOf(redrive.mapping);
    await letters.send("letters", failed);
  }

  /** What was not handed over is a dead letter again. */
  async finished(
    redrive: Redrive,
    _counts: RedriveCounts,
    left: AsyncIterable<readonly RedriveItem[]>,
  ): Promise<void> {
    const letters = await this.#options.lettersOf(redrive.mapping);
    await letters.remove(this.#given.get(redrive.id) ?? []);
    this.#given.delete(redrive.id);
    for await (const items of left) {
      const sent = items.flatMap((item) => sentOf(redrive, item));
      if (sent.length > 0) await letters.send("letters", sent);
    }
  }
}

interface Taken {
  readonly wanted: readonly TakenLetter[];
  readonly others: readonly TakenLetter[];
  readonly isEnd: boolean;
}

async function takeWanted(
  letters: DeadLetters,
  { selection, createdMs }: Redrive,
  { itemsMax, bytesMax }: WindowBounds,
): Promise<Taken> {
  const wanted: TakenLetter[] = [];
  const others: TakenLetter[] = [];
  const signal = new AbortController().signal;
  let bytes = 0;
  let empty = 0;
  for (let takes = 0; takes < TAKES_MAX && wanted.length < Math.min(itemsMax, WINDOW_MAX); takes++) {
    const taken = await letters.take(Math.min(itemsMax, WINDOW_MAX) - wanted.length, HOLD_MS, signal);
    empty = taken.length === 0 ? empty + 1 : 0;
    if (empty === EMPTY_TAKES) return { wanted, others, isEnd: true };
    for (const letter of taken) {
      // What this redrive has sent back is the next one's: taken again it would stand behind the rest of its group.
      const isOlder = (letter.arrivalMs ?? 0) <= createdMs;
      (isOlder && isLetterOf(letter, letters.name, selection) ? wanted : others).push(letter);
      bytes += letter.element.length;
    }
    if (bytes >= bytesMax) break;
  }
  return { wanted, others, isEnd: others.length > 0 && wanted.length === 0 };
}

function itemOf({ itemId, position, key, arrivalMs, element }: TakenLetter, queue: string): RedriveItem {
  const failureId = rowIdOf(`${queue}/${itemId}`);
  return {
    id: `${failureId}#0`,
    failureId,
    itemId,
    shardId: "",
    position,
    key: keyHashOf(key),
    arrivalMs,
    element,
  };
}

function sentOf({ id }: Redrive, item: RedriveItem): readonly SentLetter[] {
  return item.element === undefined ? [] : [{ id: `${id}-${item.failureId}`, element: item.element }];
}
