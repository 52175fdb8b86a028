import type { Redrive, RedriveCounts, RedriveItem } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeadLetters, SentLetter, TakenLetter } from "../ports/dead-letters.ts";
import type { RedriveFeed, RedriveWindow, ToldEnd, WindowBounds } from "../ports/redrives.ts";
import { keyHashOf, rowIdOf } from "./failure-names.ts";
import { isLetterOf } from "./letter-selection.ts";

/**
 * Hidden for so long, unless it is taken off before: what a process took that died comes again then, and is known if it
 * was loaded.
 */
const HOLD_MS = 20_000;
/** A request that was given up may reach the queue so much later, and hide letters for nobody. */
const LATE_MS = 15_000;
/** Messages of a window, at most: a queue gives few at a time. */
const WINDOW_MAX = 100;
/** A queue may say that it has nothing though it has. */
const EMPTY_TAKES = 2;
/** What does not fit the selection is given back, and may come again and again. */
const TAKES_MAX = 200;

export interface DeadLetterFeedOptions {
  readonly clock: Pick<Clock, "monotonic">;
  lettersOf(mapping: string): Promise<DeadLetters>;
}

/** What this process knows of a redrive that it feeds. */
interface Feeding {
  /** Letters that it has given, as many as the redrive has; `undefined`: others have fed it before. */
  readonly given: Set<string> | undefined;
  /** The window that was given last, until its letters are taken off. */
  last: GivenWindow | undefined;
  /** Monotonic: somebody may hide letters of it until then. */
  hiddenUntilMs: number;
}

interface GivenWindow {
  readonly from: string | undefined;
  readonly next: string;
  readonly items: readonly RedriveItem[];
  readonly letters: readonly TakenLetter[];
  readonly takenMs: number;
}

/**
 * Feeds redrives with a queue's dead letters. A message is moved: it is taken off as soon as the store has it, so that
 * those of its group behind it can be had, and is sent back when it fails again or is not redriven after all. An empty
 * queue is not the end as long as a process that died, or somebody who looks at the letters, may hide some of them.
 */
export class DeadLetterFeed implements RedriveFeed {
  readonly #options: DeadLetterFeedOptions;
  readonly #feedings = new Map<string, Feeding>();

  constructor(options: DeadLetterFeedOptions) {
    this.#options = options;
  }

  async window(
    redrive: Redrive,
    cursor: string | undefined,
    bounds: WindowBounds,
  ): Promise<RedriveWindow | undefined> {
    const { clock } = this.#options;
    const letters = await this.#options.lettersOf(redrive.mapping);
    const feeding = this.#feedingOf(redrive, cursor);
    const { last } = feeding;
    if (last !== undefined && last.from === cursor && clock.monotonic() < last.takenMs + HOLD_MS) return last;
    await this.#settle(letters, feeding, cursor);
    const takenMs = clock.monotonic();
    const { wanted, others } = await this.#take(letters, feeding, redrive, bounds);
    // plant: an-empty-queue-is-the-end-of-its-dead-letters
    if (wanted.length === 0) {
      const isEnd = await this.#isEnd(letters, feeding, redrive, others);
      return isEnd ? { items: [], next: undefined } : undefined;
    }
    const items = wanted.map((letter) => itemOf(letter, letters.name));
    feeding.last = { from: cursor, next: cursorBehind(cursor, items), items, letters: wanted, takenMs };
    for (const { id } of items) if (!hasAll(feeding, redrive)) feeding.given?.add(id);
    // plant: dead-letters-are-taken-off-before-they-are-durable
    return feeding.last;
  }

  async loaded(redrive: Redrive, cursor: string | undefined): Promise<void> {
    const feeding = this.#feedings.get(redrive.id);
    if (feeding === undefined) return;
    await this.#settle(await this.#options.lettersOf(redrive.mapping), feeding, cursor);
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
    const feeding = this.#feedings.get(redrive.id);
    if (feeding !== undefined) await this.#settle(letters, feeding, redrive.cursor);
    for await (const items of left) {
      const sent = items.flatMap((item) => sentOf(redrive, item));
      if (sent.length > 0) await letters.send("letters", sent);
    }
    this.#feedings.delete(redrive.id);
  }

  async #take(
    letters: DeadLetters,
    feeding: Feeding,
    redrive: Redrive,
    bounds: WindowBounds,
  ): Promise<Taken> {
    try {
      const taken = await takeWanted(letters, redrive, bounds);
      await letters.giveBack(taken.others);
      return taken;
    } catch (error) {
      // What is taken and was not had comes again.
      this.#hide(feeding);
      throw error;
    }
  }

  #hide(feeding: Feeding): void {
    feeding.hiddenUntilMs = this.#options.clock.monotonic() + HOLD_MS;
  }

  #feedingOf({ id }: Redrive, cursor: string | undefined): Feeding {
    let feeding = this.#feedings.get(id);
    if (feeding === undefined) {
      const given = cursor === undefined ? new Set<string>() : undefined;
      feeding = { given, last: undefined, hiddenUntilMs: this.#options.clock.monotonic() + HOLD_MS };
      this.#feedings.set(id, feeding);
    }
    return feeding;
  }

  /**
   * Nothing is there but what is not meant, and what the queue says of itself agrees: at once where as many came as
   * were selected, since it may tell what was; else when no letter of before is hidden any more.
   */
  async #isEnd(
    letters: DeadLetters,
    feeding: Feeding,
    redrive: Redrive,
    others: readonly TakenLetter[],
  ): Promise<boolean> {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs >= feeding.hiddenUntilMs + LATE_MS) return true;
    if (!hasAll(feeding, redrive) && nowMs < feeding.hiddenUntilMs) return false;
    return (await letters.count(new AbortController().signal)) <= others.length;
  }

  /** The redrive is loaded up to the cursor: what was given last is durable, or it is not, and comes again. */
  async #settle(letters: DeadLetters, feeding: Feeding, cursor: string | undefined): Promise<void> {
    const { last } = feeding;
    if (last === undefined) return;
    if (last.next === cursor) await letters.remove(last.letters);
    else this.#hide(feeding);
    feeding.last = undefined;
  }
}

/** As many as were selected, and all of them by this process: nobody who died hides any. */
function hasAll({ given }: Feeding, { selected }: Redrive): boolean {
  return given !== undefined && given.size >= selected;
}

/** Another for other letters: so a window that was loaded in secret is not taken for the one that follows it. */
function cursorBehind(cursor: string | undefined, items: readonly RedriveItem[]): string {
  const number = Number.parseInt(cursor ?? "0", 10) + 1;
  return `${number}/${rowIdOf(items.map(({ id }) => id).join())}`;
}

interface Taken {
  readonly wanted: readonly TakenLetter[];
  readonly others: readonly TakenLetter[];
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
    if (empty === EMPTY_TAKES) return { wanted, others };
    for (const letter of taken) {
      // What this redrive has sent back is the next one's: taken again it would stand behind the rest of its group.
      const isOlder = (letter.arrivalMs ?? 0) <= createdMs;
      (isOlder && isLetterOf(letter, letters.name, selection) ? wanted : others).push(letter);
      bytes += letter.element.length;
    }
    if (bytes >= bytesMax) break;
  }
  return { wanted, others };
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
