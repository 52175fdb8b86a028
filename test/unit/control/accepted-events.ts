import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import type { Accepted, AsyncEvents } from "../../../src/ports/async-events.ts";
import type { CursorMove } from "../../../src/ports/async-queue.ts";
import { createMemoryAsyncQueue } from "../../../src/stores/memory-async-queue.ts";

/** A way into a queue that keeps what was accepted, and runs none of it. */
export class AcceptedEvents implements AsyncEvents {
  readonly accepted: NewAsyncItem[] = [];
  /** No more of them is taken. */
  isFull = false;
  readonly #cursors = createMemoryAsyncQueue(() => 0);

  async accept(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<Accepted> {
    if (this.isFull && items.length > 0) return "full";
    if ((await this.#cursors.put([], cursor)) === "stale") return "stale";
    this.accepted.push(...items);
    return "accepted";
  }

  cursors(prefix: string): Promise<ReadonlyMap<string, string>> {
    return this.#cursors.cursors(prefix);
  }
}
