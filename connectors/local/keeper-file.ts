import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { PutOutcome } from "../../src/ports/embedded-sources.ts";
import type { LiveFile } from "../../src/sqlite/live-file.ts";
import { LockWait } from "../../src/sqlite/lock-wait.ts";
import { SQLITE_IOERR, sqliteErrorCode } from "../../src/sqlite/sqlite-error.ts";
import {
  createStreamDatabase,
  LOCK_WAIT_MS,
  openLiveStreamFile,
  streamFileError,
} from "./stream-database.ts";
import { type StreamFile, useStreamFile } from "./stream-file.ts";

/** Beside the store's own default. */
export const DEFAULT_FILE = ".millrace/sources.db";

/** One transaction holds the file's write lock for no longer than so much takes. */
const ITEMS_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;

export interface OpenKeeperFile {
  readonly file: StreamFile;
  readonly database: DatabaseSync;
}

/** A file of streams and queues, opened to put something in: it follows its path, and waits beside the event loop. */
export class KeeperFile {
  readonly path: string;
  readonly #live: LiveFile<OpenKeeperFile>;

  private constructor(path: string, live: LiveFile<OpenKeeperFile>) {
    this.path = path;
    this.#live = live;
  }

  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND when there is none and it may not be made. */
  static async open(at: string, mayCreate: boolean): Promise<KeeperFile> {
    const path = resolve(at);
    const wait = new LockWait(LOCK_WAIT_MS);
    if (mayCreate) await wait.run(() => createStreamDatabase(path, 0).close());
    const attach = (database: DatabaseSync) => ({ file: useStreamFile(path, database, {}), database });
    return new KeeperFile(path, await wait.run(() => openLiveStreamFile(path, attach, undefined)));
  }

  read<T>(work: (open: OpenKeeperFile) => T): Promise<T> {
    return this.#guard(this.#live.read(work));
  }

  write<T>(work: (open: OpenKeeperFile) => T): Promise<T> {
    return this.#guard(this.#live.write(work));
  }

  /**
   * Stores items in their order, a transaction for so many of them: `store` takes all that it is given or none. What is
   * not valid is refused alone; behind what could not be stored nothing is tried.
   */
  async put<Item>(
    items: readonly Item[],
    { check, bytesOf, store }: PutWork<Item>,
  ): Promise<readonly PutOutcome[]> {
    const outcomes: PutOutcome[] = items.map((item) => refusalOf(() => check(item)) ?? { kind: "failed" });
    const left = items.flatMap((item, index) =>
      outcomes[index]?.kind === "refused" ? [] : [{ item, index }],
    );
    let from = 0;
    // Ends: each round takes at least one item, and there are so many.
    while (from < left.length) {
      const part = left.slice(from, from + countWithin(left, from, bytesOf));
      const stored = await this.write((open) =>
        store(
          open,
          part.map(({ item }) => item),
        ),
      ).catch((error: unknown) => faultOfPut(error, from === 0));
      // plant: what-was-refused-moves-the-answers-of-others
      for (const [at, { index }] of part.entries())
        outcomes[index] = Array.isArray(stored) ? (stored[at] ?? { kind: "unknown" }) : stored;
      if (!Array.isArray(stored)) break;
      from += part.length;
      if (from < left.length) await setImmediate();
    }
    return outcomes;
  }

  async close(): Promise<void> {
    this.#live.close();
  }

  async #guard<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw streamFileError(this.path, error);
    }
  }
}

export interface PutWork<Item> {
  /** Throws what is wrong with the item. */
  check(item: Item): void;
  bytesOf(item: Item): number;
  store(open: OpenKeeperFile, items: readonly Item[]): PutOutcome[];
}

function refusalOf(check: () => void): PutOutcome | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (hasErrorCode(error, "ERR_MILLRACE_CONFIG")) return { kind: "refused", reason: error.message };
    throw error;
  }
}

function countWithin<Item>(
  left: readonly { readonly item: Item }[],
  from: number,
  bytesOf: (item: Item) => number,
): number {
  let bytes = 0;
  let count = 0;
  for (let at = from; at < left.length && count < ITEMS_MAX; at++) {
    const each = left[at];
    bytes += each === undefined ? 0 : bytesOf(each.item);
    if (count > 0 && bytes > BYTES_MAX) break;
    count += 1;
  }
  return count;
}

/**
 * A transaction takes all or none; of one whose commit met a failing disk nobody knows what the disk has taken. Where
 * nothing was stored before, whoever asked hears the cause itself.
 */
function faultOfPut(error: unknown, isFirst: boolean): PutOutcome {
  const cause = error instanceof Error ? error.cause : undefined;
  if (sqliteErrorCode(cause) === SQLITE_IOERR) return { kind: "unknown" };
  if (isFirst) throw error;
  return { kind: "failed" };
}
