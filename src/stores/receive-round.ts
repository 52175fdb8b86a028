import type { AsyncItem, AsyncReceive } from "../ports/async-queue.ts";
import { bytesOf } from "./async-bounds.ts";

/** What one receive has taken, and what it gives back. */
export class ReceiveRound {
  readonly taken: AsyncItem[] = [];
  /** Receipts by the seconds for which they are left alone. */
  readonly given = new Map<number, string[]>();
  /** The shortest of the lanes that have room. */
  readonly holdMs: number;
  readonly #lanes: ReadonlyMap<string, { room: number; readonly holdMs: number }>;
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  #bytes = 0;
  #isFull = false;

  constructor({ lanes, itemsMax, bytesMax }: AsyncReceive) {
    const open = lanes.filter((each) => each.itemsMax > 0);
    this.#lanes = new Map(open.map((each) => [each.lane, { room: each.itemsMax, holdMs: each.holdMs }]));
    this.holdMs = Math.min(...open.map(({ holdMs }) => holdMs));
    this.#itemsMax = itemsMax;
    this.#bytesMax = bytesMax;
  }

  /** Items that may still be taken. */
  get room(): number {
    if (this.#isFull) return 0;
    const ofLanes = [...this.#lanes.values()].reduce((sum, { room }) => sum + room, 0);
    return Math.min(this.#itemsMax - this.taken.length, ofLanes);
  }

  get isEmpty(): boolean {
    return this.taken.length === 0 && this.given.size === 0;
  }

  readonly holdOf = (lane: string): number => this.#lanes.get(lane)?.holdMs ?? this.holdMs;

  /** False: nobody asked for it, or there is no room. */
  take(item: AsyncItem): boolean {
    const lane = this.#lanes.get(item.lane);
    if (this.room <= 0 || lane === undefined || lane.room <= 0) return false;
    const bytes = bytesOf(item);
    this.#isFull = this.taken.length > 0 && this.#bytes + bytes > this.#bytesMax;
    if (this.#isFull) return false;
    this.#bytes += bytes;
    lane.room--;
    this.taken.push(item);
    return true;
  }

  back(receipt: string, seconds: number): void {
    this.given.set(seconds, [...(this.given.get(seconds) ?? []), receipt]);
  }
}
