import type { DatabaseSync } from "node:sqlite";
import { fileAt } from "./database-file.ts";
import { LockWait, type WaitClock } from "./lock-wait.ts";
import { SQLITE_BUSY, sqliteErrorCode } from "./sqlite-error.ts";

export interface LiveFileOptions<Tables> {
  readonly path: string;
  /** Opens what is at the path, with a busy time-out of 0. */
  readonly open: () => DatabaseSync;
  /** Prepares statements. */
  readonly attach: (database: DatabaseSync) => Tables;
  /** How long a work waits for a lock of another process. */
  readonly lockWaitMs: number;
  /** What is thrown as long as the path leads nowhere. */
  readonly missing: () => Error;
  /** What is thrown as long as the file that is there now cannot be opened. Left out: what opening it threw. */
  readonly unreadable?: (error: unknown) => Error;
  readonly clock?: WaitClock | undefined;
}

/**
 * A database file that is looked at by its path before each use. Who removes a file does not end those that have it
 * open: they would read and write what nobody else sees any more, for ever. While there is none at the path every work
 * fails; once there is another, it is opened in its place.
 */
export class LiveFile<Tables> {
  readonly #options: LiveFileOptions<Tables>;
  readonly #writes: LockWait;
  readonly #reads: LockWait;
  #database: DatabaseSync;
  #tables: Tables;
  #file: string | undefined;
  #generation = 0;
  #isClosed = false;

  private constructor(options: LiveFileOptions<Tables>, database: DatabaseSync, file: string | undefined) {
    const { lockWaitMs, clock } = options;
    this.#options = options;
    this.#writes = new LockWait(lockWaitMs, clock);
    this.#reads = new LockWait(lockWaitMs, clock);
    this.#database = database;
    this.#tables = attached(options, database);
    this.#file = file;
  }

  static async open<Tables>(options: LiveFileOptions<Tables>): Promise<LiveFile<Tables>> {
    const { clock, lockWaitMs } = options;
    return await new LockWait(lockWaitMs, clock).run(() => LiveFile.openNow(options));
  }

  /** Throws SQLite's error when the file is locked. */
  static openNow<Tables>(options: LiveFileOptions<Tables>): LiveFile<Tables> {
    const { database, file } = openSettled(options);
    return new LiveFile(options, database, file);
  }

  /** Tables of the file that was opened last. */
  get tables(): Tables {
    return this.#tables;
  }

  /** How often the file was found to be another one. */
  get generation(): number {
    return this.#generation;
  }

  /** What the path leads to, compared with what is open. Opens nothing. */
  look(): "same" | "missing" | "replaced" {
    const file = fileAt(this.#options.path);
    if (file === undefined) return "missing";
    return file === this.#file ? "same" : "replaced";
  }

  /** `work` only reads. */
  read<T>(work: (tables: Tables, database: DatabaseSync) => T, signal?: AbortSignal): Promise<T> {
    return this.#reads.run(() => this.#use(work), signal);
  }

  /** Writes are made one after the other, in the order of the calls. */
  write<T>(work: (tables: Tables, database: DatabaseSync) => T, signal?: AbortSignal): Promise<T> {
    return this.#writes.run(() => this.#use(work), signal);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    if (this.#database.isOpen) this.#database.close();
  }

  #use<T>(work: (tables: Tables, database: DatabaseSync) => T): T {
    if (!this.#isClosed) this.#follow();
    return work(this.#tables, this.#database);
  }

  #follow(): void {
    const sight = this.look();
    // plant: a-reader-of-a-local-stream-never-looks-at-its-path-again
    // plant: a-stores-file-that-is-another-one-is-not-noticed
    if (sight === "same") return;
    // plant: a-stores-file-that-was-removed-is-not-noticed
    if (sight === "missing") throw this.#options.missing();
    const { database, file, tables } = this.#openAnew();
    const former = this.#database;
    this.#database = database;
    this.#tables = tables;
    this.#file = file;
    this.#generation += 1;
    // SQLite sees by itself that this file is no longer at its path, and leaves the new file's log alone.
    former.close();
  }

  #openAnew() {
    const { unreadable } = this.#options;
    try {
      const { database, file } = openSettled(this.#options);
      return { database, file, tables: attached(this.#options, database) };
    } catch (error) {
      throw unreadable === undefined || sqliteErrorCode(error) === SQLITE_BUSY ? error : unreadable(error);
    }
  }
}

const OPENS_MAX = 10;

/** What is open, and which file it is: the path may be given to another one meanwhile. */
function openSettled<Tables>({ path, open }: LiveFileOptions<Tables>) {
  for (let opens = 1; ; opens++) {
    const before = fileAt(path);
    const database = open();
    const file = fileAt(path);
    if (before === undefined || before === file || opens === OPENS_MAX) return { database, file };
    database.close();
  }
}

function attached<Tables>(options: LiveFileOptions<Tables>, database: DatabaseSync): Tables {
  try {
    return options.attach(database);
  } catch (error) {
    database.close();
    throw error;
  }
}
