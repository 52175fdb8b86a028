import type { WindowCheckpoint } from "../../model/checkpoint.ts";
import type { LaneExplanation } from "../explanation.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { laneOfKey } from "./lane-of-key.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { ShardContext } from "./shard-context.ts";
import { SidedLane, type SidedLaneOptions } from "./sided-lane.ts";

export interface ShardLanesOptions extends Pick<SidedLaneOptions, "split"> {
  readonly context: ShardContext;
  readonly readAhead: ReadAhead;
  /** The tumbling window that was open; only a shard with one lane has one. */
  readonly window: WindowCheckpoint | undefined;
  /** Nothing will come behind what was read. */
  isAtEnd(): boolean;
  /** The last lane that ran has come to rest. */
  onIdle(): void;
  /** A defect: stops the shard's worker. */
  onDefect(error: unknown): void;
}

/** The lanes of a shard: deals records to them by their keys. */
export class ShardLanes {
  readonly #lanes: readonly SidedLane[];
  #keylessRecords = 0;

  constructor({ context, readAhead, window, split, isAtEnd, onIdle, onDefect }: ShardLanesOptions) {
    this.#lanes = Array.from(
      // plant: one-failing-key-stops-its-whole-shard
      { length: context.mapping.parallelizationFactor },
      (_, index) =>
        new SidedLane({
          context,
          readAhead,
          split,
          isAtEnd,
          onIdle: () => {
            if (this.running === 0) onIdle();
          },
          onDefect,
          window: index === 0 ? window : undefined,
        }),
    );
  }

  /** Batches that are under way. */
  get running(): number {
    let running = 0;
    for (const lane of this.#lanes) running += lane.running;
    return running;
  }

  /** Nothing queued, nothing running, no tumbling window open. */
  get isEmpty(): boolean {
    return this.#lanes.every((lane) => lane.isEmpty);
  }

  get windowCheckpoint(): WindowCheckpoint | undefined {
    return this.#lanes[0]?.windowCheckpoint;
  }

  push(buffered: BufferedRecord): void {
    const { key } = buffered.record;
    const lanes = this.#lanes.length;
    // plant: the-lane-does-not-depend-on-the-key
    const index = key === undefined ? this.#keylessRecords++ % lanes : laneOfKey(key, lanes);
    this.#lanes[index]?.push(buffered);
  }

  /** Records that were read before, and go on now. */
  pushAgain(records: readonly BufferedRecord[]): void {
    for (const buffered of records) this.push(buffered);
    this.poke();
  }

  /** What no batch was cut of yet of a key, in order: it leaves its lane. */
  takeWaitingOf(key: string): readonly BufferedRecord[] {
    return this.#lanes[laneOfKey(key, this.#lanes.length)]?.takeWaitingOf(key) ?? [];
  }

  /** To be called after whatever may have made batches due. */
  poke(): void {
    for (const lane of this.#lanes) lane.poke();
  }

  /** A read found the shard without new records. */
  sawIdleRead(sourceMs: number): void {
    for (const lane of this.#lanes) lane.sawIdleRead(sourceMs);
  }

  stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }

  explain(): LaneExplanation[] {
    return this.#lanes.flatMap((lane, index) => lane.explain(index, this.#lanes.length));
  }
}
