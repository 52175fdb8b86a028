import type { QueueMapping } from "../../model/mapping.ts";
import type { QueueEvents } from "../../ports/queue-source.ts";
import { compileFilterCriteria, type FilterMatcher } from "../filter/filter.ts";
import type { HeldMessage } from "./held-message.ts";

export interface SievedMessages {
  readonly wanted: readonly HeldMessage[];
  /** No filter pattern matches them. */
  readonly unwanted: readonly HeldMessage[];
  /** Whether a pattern matches cannot be told: the source could not say what is in them. */
  readonly broken: readonly HeldMessage[];
  /** What is wrong with the first that is broken. */
  readonly error: unknown;
}

/** Tells messages for the function from those that its mapping filters out, one by one (filters §2). */
export class MessageSieve {
  readonly #events: QueueEvents;
  readonly #filter: FilterMatcher | undefined;

  constructor({ filterPatterns }: QueueMapping, events: QueueEvents) {
    this.#events = events;
    if (filterPatterns.length === 0) return;
    this.#filter = compileFilterCriteria(filterPatterns, events.filterDataKey, { dataPattern: "any" });
  }

  sort(held: readonly HeldMessage[]): SievedMessages {
    const filter = this.#filter;
    const wanted: HeldMessage[] = [];
    const unwanted: HeldMessage[] = [];
    const broken: HeldMessage[] = [];
    let firstError: unknown;
    for (const each of held) {
      try {
        const { damage } = each.message;
        if (damage !== undefined) throw new Error(damage);
        const isWanted = filter === undefined || filter.matches(this.#events.filterDocument(each.message));
        (isWanted ? wanted : unwanted).push(each);
      } catch (error) {
        // plant: a-message-that-cannot-be-looked-into-fails-its-whole-receive
        if (broken.length === 0) firstError = error;
        broken.push(each);
      }
    }
    return { wanted, unwanted, broken, error: firstError };
  }
}
