import { z } from "zod";
import type { CursorMove } from "../ports/async-queue.ts";
import type { Cell, CellStore } from "../ports/cell-store.ts";

export interface CellCursorsOptions {
  readonly cells: CellStore;
  readonly now: () => number;
}

/** Names of cells begin with this; the cursor's name follows. */
const PREFIX = "async-cursor/";
/** Whoever has said that he moves a cursor, and has not, is taken for dead. */
const CLAIM_MS = 30_000;

const documentSchema = z.object({
  at: z.string(),
  /** Somebody sends what belongs to the move from here. */
  claimedUntilMs: z.number().optional(),
});
type Document = z.output<typeof documentSchema>;

/**
 * Cursors of a queue that cannot move one in the write of its items. Whoever moves one claims it first, then sends,
 * then moves it: of several at once exactly one sends. Who dies in between leaves a claim that ends, and what it sent
 * may be sent once more; nothing is passed over.
 */
export class CellCursors {
  readonly #cells: CellStore;
  readonly #now: () => number;

  constructor({ cells, now }: CellCursorsOptions) {
    this.#cells = cells;
    this.#now = now;
  }

  async places(prefix: string): Promise<ReadonlyMap<string, string>> {
    const cells = await this.#cells.read(PREFIX + prefix);
    const places = cells.map((cell) => [cell.name.slice(PREFIX.length), readDocument(cell).at] as const);
    return new Map(places.filter(([, at]) => at !== ""));
  }

  async move({ name, from, to }: CursorMove, send: () => Promise<void>): Promise<"put" | "stale"> {
    const key = PREFIX + name;
    const cell = (await this.#cells.read(key)).find((each) => each.name === key);
    const { at, claimedUntilMs = 0 } = readDocument(cell);
    if (at !== from || claimedUntilMs > this.#now()) return "stale";
    const claim: Document = { at, claimedUntilMs: this.#now() + CLAIM_MS };
    // plant: a-cursor-in-a-cell-is-moved-by-whoever-comes
    const claimed = await this.#cells.swap(key, cell?.revision ?? 0, JSON.stringify(claim));
    if (claimed.kind === "stale") return "stale";
    try {
      await send();
    } catch (error) {
      await this.#cells.swap(key, claimed.revision, documentAt(from)).catch(() => undefined);
      throw error;
    }
    // A claim that ended meanwhile is another's by now: what is sent twice was put by both.
    await this.#cells.swap(key, claimed.revision, documentAt(to));
    return "put";
  }
}

function documentAt(at: string): string | undefined {
  return at === "" ? undefined : JSON.stringify({ at } satisfies Document);
}

/** What another version wrote stands nowhere that this one knows: nothing is moved from there. */
function readDocument(cell: Cell | undefined): Document {
  if (cell === undefined) return { at: "" };
  try {
    return documentSchema.safeParse(JSON.parse(cell.document)).data ?? { at: cell.document };
  } catch {
    return { at: cell.document };
  }
}
