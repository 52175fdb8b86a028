import { DeadLetterFeed } from "../failures/dead-letter-feed.ts";
import { IndexFeed } from "../failures/redrive-feed.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import type { Redrive, RedriveCounts, RedriveItem } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { RedriveFeed, Redrives, ToldEnd, WindowBounds } from "../ports/redrives.ts";
import type { FailureReaders } from "./failure-readers.ts";

export interface RedriveFeedsOptions {
  readonly index: FailureIndex;
  readonly readers: FailureReaders;
  readonly redrives: Pick<Redrives, "items">;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  /** A mapping as it is now, by its UUID. @throws MillraceError, ControlFault */
  resourceOf(mapping: string): Promise<MappingResource>;
}

/** What redrives are fed with: rows of the list for streams, dead letters for queues. */
export class RedriveFeeds implements RedriveFeed {
  readonly #options: RedriveFeedsOptions;
  readonly #ofIndex: IndexFeed;
  readonly #ofLetters: DeadLetterFeed;
  readonly #letters = new Map<string, Promise<DeadLetters>>();

  constructor(options: RedriveFeedsOptions) {
    this.#options = options;
    const { index, redrives, clock, readers } = options;
    this.#ofIndex = new IndexFeed({
      index,
      items: (...asked) => redrives.items(...asked),
      clock,
      sourceOf: async (mapping) => {
        const resource = await options.resourceOf(mapping);
        const events = resource.connector.eventRecords;
        if (events === undefined) return unable(resource.mapping.name);
        return { events, readerOf: (destination) => readers.readerOf(resource, destination) };
      },
    });
    this.#ofLetters = new DeadLetterFeed({ clock, lettersOf: (mapping) => this.#lettersOf(mapping) });
  }

  async window(redrive: Redrive, cursor: string | undefined, bounds: WindowBounds) {
    return await (await this.#feedOf(redrive)).window(redrive, cursor, bounds);
  }

  async loaded(redrive: Redrive, cursor: string | undefined): Promise<void> {
    await (await this.#feedOf(redrive)).loaded(redrive, cursor);
  }

  async ended(redrive: Redrive, ends: readonly ToldEnd[]): Promise<void> {
    await (await this.#feedOf(redrive)).ended(redrive, ends);
  }

  async tracesOf(redrive: Redrive, failureIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return (await (await this.#feedOf(redrive)).tracesOf?.(redrive, failureIds)) ?? new Map();
  }

  async finished(
    redrive: Redrive,
    counts: RedriveCounts,
    left: AsyncIterable<readonly RedriveItem[]>,
  ): Promise<void> {
    await (await this.#feedOf(redrive)).finished(redrive, counts, left);
    const letters = this.#letters.get(redrive.mapping);
    this.#letters.delete(redrive.mapping);
    await (await letters)?.close();
  }

  async close(): Promise<void> {
    const opened = [...this.#letters.values()];
    this.#letters.clear();
    await Promise.allSettled(opened.map(async (letters) => (await letters).close()));
  }

  async #feedOf({ mapping }: Redrive): Promise<RedriveFeed> {
    const { kind } = await this.#options.resourceOf(mapping);
    return kind === "queue" ? this.#ofLetters : this.#ofIndex;
  }

  #lettersOf(mapping: string): Promise<DeadLetters> {
    const known = this.#letters.get(mapping);
    if (known !== undefined) return known;
    const opening = this.#openLetters(mapping);
    opening.catch(() => this.#letters.delete(mapping));
    this.#letters.set(mapping, opening);
    return opening;
  }

  async #openLetters(mapping: string): Promise<DeadLetters> {
    const resource = await this.#options.resourceOf(mapping);
    const { name } = resource.mapping;
    if (resource.kind !== "queue") return unable(name);
    const letters = await resource.connector.openDeadLetters?.(resource.mapping, resource.settings);
    return letters ?? unable(name);
  }
}

function unable(name: string): never {
  throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `What ${name} gave up cannot be redriven.`);
}
