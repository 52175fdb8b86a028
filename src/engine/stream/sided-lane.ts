import type { WindowCheckpoint } from "../../model/checkpoint.ts";
import { type KeySplit, LAST_PLACE } from "../../model/key-split.ts";
import type { LaneExplanation } from "../explanation.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { Lane, type LaneOptions } from "./lane.ts";

export interface SidedLaneOptions extends Omit<LaneOptions, "isBehind" | "onBehind"> {
  /** How the function's alias deals keys out now. */
  split(): KeySplit | undefined;
}

/**
 * A lane of a shard, in as many sides as its function's alias has versions for its keys: each side runs its batches in
 * order, beside the others. When keys are dealt out in another way all sides come to rest before any record changes
 * sides, so that a key goes on where it was until nothing of it is under way.
 */
export class SidedLane {
  readonly #options: SidedLaneOptions;
  /** How records are dealt out that are here. */
  #split: KeySplit | undefined;
  #sides: readonly Lane[];
  /** A side has records that could not start: they wait for the end of what runs, whatever the weights are by then. */
  #isHeld = false;

  constructor(options: SidedLaneOptions) {
    this.#options = options;
    this.#sides = [this.#side(LAST_PLACE, options.window)];
    this.#split = this.#wanted();
    if (this.#split !== undefined) this.#sides = this.#sidesOf(this.#split);
  }

  /** Batches that are under way. */
  get running(): number {
    let running = 0;
    for (const side of this.#sides) if (side.isRunning) running++;
    return running;
  }

  get isEmpty(): boolean {
    return this.#sides.every((side) => side.isEmpty);
  }

  /** The state of a tumbling window is its shard's, and has one side. */
  get windowCheckpoint(): WindowCheckpoint | undefined {
    return this.#sides[0]?.windowCheckpoint;
  }

  push(buffered: BufferedRecord): void {
    const side = this.#split === undefined ? 0 : sideOf(buffered, this.#split);
    this.#sides[side]?.push(buffered);
  }

  /** What no batch was cut of yet of a key, in order: it leaves the lane. */
  takeWaitingOf(key: string): readonly BufferedRecord[] {
    return this.#sides.flatMap((side) => side.takeWaitingOf(key));
  }

  poke(): void {
    for (const side of this.#sides) side.poke();
  }

  sawIdleRead(sourceMs: number): void {
    for (const side of this.#sides) side.sawIdleRead(sourceMs);
  }

  stop(): void {
    for (const side of this.#sides) side.stop();
  }

  /** Other sides than the first are told as lanes behind all `lanes` of the shard. */
  explain(lane: number, lanes: number): LaneExplanation[] {
    const told = this.#sides.flatMap((side, index) => side.explain(lane + index * lanes) ?? []);
    const running = told.find(({ batch }) => batch !== undefined)?.batch;
    if (running === undefined || !this.#isHeld) return told;
    return told.map((each) => (each.batch === undefined ? { ...each, waitsFor: running } : each));
  }

  /** Records here are dealt out in another way than the alias says now. */
  get #isBehind(): boolean {
    const wanted = this.#wanted();
    // plant: records-stay-on-their-side-when-weights-change
    if (wanted === this.#split) return false;
    if (wanted?.isLike(this.#split) !== true) return true;
    this.#split = wanted;
    return false;
  }

  /** A window goes as a whole. One that was left open ends before anything else. */
  #wanted(): KeySplit | undefined {
    const split = this.#options.split();
    if (split === undefined) return undefined;
    const hasWindows = this.#options.context.mapping.tumblingWindowMs > 0;
    return hasWindows || this.windowCheckpoint !== undefined ? undefined : split;
  }

  /** Deals everything that waits out anew, once nothing is under way. */
  #catchUp(): void {
    const { telemetry } = this.#options.context;
    // plant: keys-move-while-their-batches-run
    if (this.running > 0) {
      this.#isHeld = true;
      telemetry.mark("lane drains before its keys move");
      return;
    }
    this.#isHeld = false;
    const waiting = this.#sides.flatMap((side) => side.takeWaiting());
    // plant: records-that-move-lose-their-order
    waiting.sort((a, b) => a.ordinal - b.ordinal);
    this.stop();
    this.#split = this.#wanted();
    this.#sides =
      this.#split === undefined ? [this.#side(LAST_PLACE, undefined)] : this.#sidesOf(this.#split);
    for (const buffered of waiting) this.push(buffered);
    if (waiting.length > 0) telemetry.mark("waiting records dealt out anew");
    this.poke();
  }

  /** Weights that are as they were again make nothing move, and what was held for their change may start. */
  #sideIsIdle(): void {
    // plant: a-side-that-was-held-is-forgotten
    if (this.#isHeld) {
      this.#isHeld = false;
      this.poke();
    }
    this.#options.onIdle();
  }

  #sidesOf(split: KeySplit): readonly Lane[] {
    return Array.from({ length: split.sides }, (_, side) => this.#side(split.lastPlaceOf(side), undefined));
  }

  #side(routingPlace: number, window: WindowCheckpoint | undefined): Lane {
    return new Lane({
      ...this.#options,
      context: { ...this.#options.context, routingPlace },
      window,
      isBehind: () => this.#isBehind,
      onBehind: () => this.#catchUp(),
      onIdle: () => this.#sideIsIdle(),
    });
  }
}

/** What has no key is dealt out by its place in the log: by chance, and always alike. */
function sideOf({ record: { key, position } }: BufferedRecord, split: KeySplit): number {
  return split.sideOf(key ?? position);
}
