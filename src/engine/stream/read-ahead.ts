import { assertInvariant } from "../../model/errors.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { ByteBudget } from "../budget.ts";
import type { FullBy } from "../explanation.ts";
import type { EngineSettings } from "../settings.ts";
import type { LowWaterMark } from "./low-water-mark.ts";

export interface ReadBounds {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export interface ReadAheadOptions {
  readonly settings: EngineSettings;
  readonly budget: ByteBudget;
  readonly telemetry: Telemetry;
  /** At most so many records from the low-water mark to the newest read one. */
  readonly recordsMax: number;
  /** Its places: how many they are, without what a filter dropped and what was settled before, which hold no memory. */
  readonly mark: Pick<LowWaterMark, "places">;
  /** Reading has stopped for want of room: batches that wait for more records are to go now. */
  onFull(): void;
}

/**
 * Records of a shard that may be read ahead. Lanes that share them and wait for full batches need room for one batch
 * each, or none would ever be full; the bytes are bounded all the same.
 */
export function readAheadMax(
  { batchingWindowMs, parallelizationFactor, batchSize }: StreamMapping,
  { shardWindowRecords }: Pick<EngineSettings, "shardWindowRecords">,
): number {
  return batchingWindowMs === 0
    ? shardWindowRecords
    : Math.max(shardWindowRecords, parallelizationFactor * batchSize);
}

/** Share of a full window that must be free before reading goes on, so that reads do not shrink to single records. */
const ROOM_SHARE = 1 / 4;

/**
 * How much of a shard is read and not settled, and whether more may be: within the shard's own window and the byte
 * budgets of mapping and process. A shard that holds nothing may read in any case: its progress depends on no other's.
 */
export class ReadAhead {
  readonly #options: ReadAheadOptions;
  #records = 0;
  #bytes = 0;
  #isStopped = false;
  /** Set while the reader waits for room. */
  #wake: (() => void) | undefined;
  /** The budget keeps a quantum for the read that is to come. */
  #isPromised = false;
  /** It waits for its own window, and not for the budget. */
  #isWindowFull = false;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The reader waits for room. */
  get isFull(): boolean {
    return this.#wake !== undefined;
  }

  /** Whose bound the reader waits for; `undefined`: it does not wait. */
  get fullBy(): FullBy | undefined {
    if (!this.isFull) return undefined;
    const { budget, recordsMax, mark } = this.#options;
    if (mark.places >= recordsMax * (1 - ROOM_SHARE)) return { kind: "shard" };
    return budget.fullBy ?? { kind: "mapping" };
  }

  take(bytes: number): void {
    this.#records++;
    this.#bytes += bytes;
    this.#options.budget.take(bytes);
  }

  release(records: number, bytes: number): void {
    const isHeld = records <= this.#records && bytes <= this.#bytes;
    assertInvariant(isHeld, "a shard gives back more than it has read ahead");
    this.#records -= records;
    this.#bytes -= bytes;
    this.#options.budget.release(bytes);
    if (this.#wake !== undefined && this.#mayLook()) this.#wake();
  }

  /** Resolves when there is room for a read; to `undefined` when stopped. */
  async room(): Promise<ReadBounds | undefined> {
    while (!this.#isStopped && !this.#hasRoom()) await this.#waitForRoom();
    if (this.#isStopped) {
      this.hasRead();
      return undefined;
    }
    const { settings, budget, recordsMax, mark } = this.#options;
    const bytes = budget.room + (this.#isPromised ? budget.quantum : 0);
    return {
      recordsMax: Math.max(1, Math.min(settings.readRecords, recordsMax - mark.places)),
      bytesMax: Math.max(1, Math.min(settings.readBytes, bytes)),
    };
  }

  /** The read that there was room for has come, or has failed: what it took is taken, or will be at once. */
  hasRead(): void {
    if (!this.#isPromised) return;
    this.#isPromised = false;
    this.#options.budget.giveBackQuantum();
  }

  stop(): void {
    this.#isStopped = true;
    this.hasRead();
    this.#wake?.();
  }

  /** Gives back what the shard holds: its worker is closed, and nothing of it will be settled. */
  forget(): void {
    this.stop();
    // plant: a-closed-shard-keeps-its-share-of-the-budget
    this.#options.budget.release(this.#bytes);
    this.#records = 0;
    this.#bytes = 0;
  }

  #hasRoom(): boolean {
    if (this.#records === 0) return true;
    const { budget, recordsMax, mark } = this.#options;
    // plant: reading-ahead-ignores-the-byte-budget
    // plant: reading-ahead-ignores-the-window
    return mark.places < recordsMax && (this.#isPromised || budget.hasRoom);
  }

  /** While it waits: whether what was released may be what it waits for. Room in the budget is told by the budget. */
  #mayLook(): boolean {
    if (this.#records === 0) return true;
    const { recordsMax, mark } = this.#options;
    return this.#isWindowFull && mark.places < recordsMax * (1 - ROOM_SHARE);
  }

  async #waitForRoom(): Promise<void> {
    const { telemetry, budget, recordsMax, mark, onFull } = this.#options;
    this.hasRead();
    this.#isWindowFull = mark.places >= recordsMax;
    telemetry.mark(this.#isWindowFull ? "read paused by a full window" : "read paused by a full byte budget");
    let cancelBudgetWait = () => {};
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      // With a full window room in the budget is of no use, and others may have it.
      if (!this.#isWindowFull) {
        cancelBudgetWait = budget.onRoom(() => {
          this.#isPromised = true;
          resolve();
        });
      }
      onFull();
    });
    this.#wake = undefined;
    cancelBudgetWait();
  }
}
