import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { FolderWatch } from "../ports/folder-watch.ts";

/** Without a hint a change is found by looking. */
const LOOK_MS = 1_000;
/** Editors write a file in several steps: what comes within this is one change. */
const QUIET_MS = 150;

export interface WatchedFiles {
  /** What is there already, as `read` has it. */
  readonly known: string;
  /** Another text when the files are others. */
  read(): string;
  onChange(): void;
  /** Where changes are to be expected. */
  folders(): ReadonlySet<string>;
}

export interface FileWatchOptions {
  readonly watched: readonly WatchedFiles[];
  readonly clock: Pick<Clock, "schedule">;
  watchFolders(onHint: () => void): FolderWatch;
}

interface Looked {
  known: string;
  seen: string;
}

/**
 * Says when files have become others: at once when a hint has come and nothing follows it, and else when a change has
 * stood still from one look to the next. A file that is being written is not read half.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #looked: ReadonlyMap<WatchedFiles, Looked>;
  readonly #folders: FolderWatch;
  #timer: ScheduledCall;
  #hinted: ScheduledCall | undefined;
  #isStopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    const started = options.watched.map((files) => {
      return [files, { known: files.known, seen: files.read() }] as const;
    });
    this.#looked = new Map(started);
    this.#folders = options.watchFolders(() => this.#onHint());
    this.#watchFolders();
    this.#timer = this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
    this.#hinted?.cancel();
    this.#folders.close();
  }

  #plan(): ScheduledCall {
    return this.#options.clock.schedule(LOOK_MS, () => {
      this.#look(false);
      if (!this.#isStopped) this.#timer = this.#plan();
    });
  }

  #onHint(): void {
    if (this.#isStopped) return;
    this.#hinted?.cancel();
    this.#hinted = this.#options.clock.schedule(QUIET_MS, () => this.#look(true));
  }

  /** `isQuiet`: nothing has touched the files for a while. */
  #look(isQuiet: boolean): void {
    for (const [files, looked] of this.#looked) {
      const now = files.read();
      const isWhole = isQuiet || now === looked.seen;
      looked.seen = now;
      if (!isWhole || now === looked.known) continue;
      looked.known = now;
      files.onChange();
    }
    if (!this.#isStopped) this.#watchFolders();
  }

  /** Anew each time: manifests name other modules, and modules import others. */
  #watchFolders(): void {
    this.#folders.watch(new Set(this.#options.watched.flatMap((files) => [...files.folders()])));
  }
}
