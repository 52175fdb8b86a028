import type { ParkedEntry, ParkedKey } from "../../model/parked-key.ts";
import type { Position } from "../../model/record.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { damageOf, reasonOf } from "./throwing-source.ts";

/** A record on its way to be parked, with what stays of it. */
export interface Waiting {
  readonly buffered: BufferedRecord;
  readonly entry: ParkedEntry;
}

/** `undefined`: no function can have it. It is given up where it would be run. */
export function waitingOf(
  buffered: BufferedRecord,
  { events }: Pick<StreamSource, "events">,
  shardId: string,
  payloadBytesMax: number,
): Waiting | undefined {
  const { record } = buffered;
  if (damageOf(buffered) !== undefined) return undefined;
  if (record.encodedBytes + events.envelopeBytes(shardId) > payloadBytesMax) return undefined;
  const { position, arrivalMs } = record;
  try {
    const itemId = events.itemIdentifier?.(record) ?? position;
    const element = events.element(record);
    return { buffered, entry: { shardId, position, itemId, arrivalMs, element, trace: undefined } };
  } catch (error) {
    buffered.damage = reasonOf("encode", error);
    return undefined;
  }
}

/** A parked key as a shard has it: how it stands in the store, and what waits to be put behind it. */
export class HeldKey {
  readonly key: string;
  readonly #compare: (a: Position, b: Position) => number;
  #tailVersion: number;
  /** The last record of the shard's log that is there. */
  #last: Position | undefined;
  #waiting: Waiting[] = [];

  constructor(parked: ParkedKey, log: string, compare: (a: Position, b: Position) => number) {
    this.key = parked.key;
    this.#compare = compare;
    this.#tailVersion = parked.tailVersion;
    this.#last = parked.last[log];
  }

  get tailVersion(): number {
    return this.#tailVersion;
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** What is read again: it is over, or waits there. */
  has(position: Position): boolean {
    return this.#last !== undefined && this.#compare(position, this.#last) <= 0;
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** The first of what waits, that is not there yet: so many are put. */
  put(count: number, { tailVersion }: ParkedKey): readonly BufferedRecord[] {
    this.#tailVersion = tailVersion;
    const put = this.#waiting.splice(0, count);
    this.#last = put.at(-1)?.entry.position ?? this.#last;
    return put.map(({ buffered }) => buffered);
  }

  /**
   * It stands otherwise than was thought. What is there of this shard was put by a call whose answer was lost, or by
   * who had the shard before: gives the records that wait and are there.
   */
  sees({ tailVersion, last }: ParkedKey, log: string): readonly BufferedRecord[] {
    this.#tailVersion = tailVersion;
    this.#last = last[log];
    // plant: what-a-lost-answer-has-parked-is-parked-again
    return this.takePut();
  }

  /** What waits, and is there. */
  takePut(): readonly BufferedRecord[] {
    const there = this.#waiting.filter(({ entry }) => this.has(entry.position));
    if (there.length > 0) this.#waiting = this.#waiting.filter(({ entry }) => !this.has(entry.position));
    return there.map(({ buffered }) => buffered);
  }

  takeAll(): readonly BufferedRecord[] {
    return this.#waiting.splice(0).map(({ buffered }) => buffered);
  }
}
