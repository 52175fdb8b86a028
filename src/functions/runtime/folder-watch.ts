import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";

const LOOK_MS = 1_000;
const BYTES_PER_MB = 1024 * 1024;
/** More than so many files are not counted: a folder that has them is too full in any case. */
const FILES_MAX = 100_000;

/** Looks, while an environment works, at what stands in its folder. */
export class FolderWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #onExceeded: () => void;
  #timer: ScheduledCall | undefined;
  #isWorking = false;

  constructor(folder: string, clock: Clock, megabytesMax: number, onExceeded: () => void) {
    this.#folder = folder;
    this.#clock = clock;
    this.#bytesMax = megabytesMax * BYTES_PER_MB;
    this.#onExceeded = onExceeded;
  }

  /** The timer is left to run out behind it: one that begins and ends with each call would cost more than the look. */
  works(isWorking: boolean): void {
    this.#isWorking = isWorking;
    if (isWorking) this.#timer ??= this.#clock.schedule(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isWorking && (await bytesIn(this.#folder, this.#bytesMax)) > this.#bytesMax) this.#onExceeded();
    this.#timer = undefined;
    if (this.#isWorking) this.works(true);
  }
}

/** Counts until it is more than `enough`. What vanishes meanwhile has none. */
async function bytesIn(folder: string, enough: number): Promise<number> {
  const folders = [folder];
  let [bytes, files] = [0, 0];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const place = next;
    for (const entry of await readdir(place, { withFileTypes: true }).catch(() => [])) {
      files += 1;
      if (files > FILES_MAX) return Number.POSITIVE_INFINITY;
      const path = join(place, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
      if (bytes > enough) return bytes;
    }
  }
  return bytes;
}
