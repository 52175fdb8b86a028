import type {
  ParkedEntry,
  ParkedKey,
  ParkedKeyState,
  ParkingBounds,
  ParkingCause,
  ParkingTotals,
  PlacedEntry,
} from "../model/parked-key.ts";
import type { Drainer } from "./parking-store.ts";

/**
 * Keeper of keys that stand aside, with their records in order. Shards put records behind them, one drainer of the
 * mapping takes them away, and people say what becomes of them.
 *
 * Laws, which the contract suite `test/contract/parked-keys.ts` checks of every adapter:
 * - What was answered survives kill and loss of power.
 * - Entries of a key are read in the order in which they were put, without a gap, byte for byte. All that one put has
 *   is there, or none of it.
 * - `create` and `append` take effect only for the newest fence of their shard, and only behind all attempts of it that
 *   took effect before: whatever comes late is `fenced` and changes nothing.
 * - `create` makes only a key that is not there, `append` puts only behind one that is, and only behind the tail that
 *   was seen: otherwise it is `stale`, with the key as it is. So what was put by a call whose answer was lost is found
 *   behind `last`, and is not put twice.
 * - Totals are within the bounds: what would exceed them is `full`, and nothing of it is put.
 * - `open` raises the fence before it reads: what a writer before has put is seen, what it puts later is fenced.
 * - `advance` takes effect only for the newest drainer. It removes entries up to a place and none behind it. It is the
 *   only call that removes a key, and only one that drains and has no entry left; a key that is discarding goes on as
 *   its `next` says once nothing up to its `through` is left.
 * - `move` takes effect at the version that was seen, once.
 * - A call that fails rejects with `ERR_MILLRACE_STORE_UNAVAILABLE`. Whether it took effect is then *unknown*, and it
 *   may take effect much later; it may be repeated, a put with a higher attempt.
 */
export interface ParkedKeyStore {
  /** A shard begins under a new owner: whoever had it before puts nothing any more. Answers what stands then. */
  open(mapping: string, shardId: string): Promise<OpenedShard>;
  create(at: ShardWriter, made: NewParkedKey, bounds: ParkingBounds): Promise<PutAnswer | "fenced">;
  /** Each is answered by itself, in the same order; each is of another key. */
  append(
    at: ShardWriter,
    puts: readonly ParkedPut[],
    bounds: ParkingBounds,
  ): Promise<readonly PutAnswer[] | "fenced">;

  /** The drainer of a mapping begins. `fenced`: one of a higher epoch has. */
  drain(drainer: Drainer): Promise<"open" | "fenced">;
  /** The first entries of a key: at most so many and so many bytes, and at least one if there is one. */
  head(mapping: string, id: string, entriesMax: number, bytesMax: number): Promise<readonly PlacedEntry[]>;
  /** All entries up to `through` are over. `closed`: the key is gone. */
  advance(drainer: Drainer, id: string, through: number): Promise<"open" | "closed" | "fenced">;

  /** `stale`: the key is not there, or not at the version that was seen. `cause`: why, where it has a new one. */
  move(
    mapping: string,
    id: string,
    seenVersion: number,
    to: ParkedKeyState,
    cause?: ParkingCause,
  ): Promise<ParkedKey | "stale">;
  get(mapping: string, id: string): Promise<ParkedKey | undefined>;
  /** Keys with an id behind `after`, in the order of their ids. */
  list(mapping: string, after: string, max: number): Promise<readonly ParkedKey[]>;
  /** Cheap: processes ask every second. */
  totals(mapping: string): Promise<ParkingTotals>;
  /** Forgets all keys of a mapping, with what is parked of them. */
  remove(mapping: string): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedShard {
  readonly fence: number;
  /** Those of the mapping, of whichever shard. */
  readonly keys: readonly ParkedKey[];
}

/** Who puts records of a shard, and for the how-manieth time. */
export interface ShardWriter {
  readonly mapping: string;
  readonly shardId: string;
  readonly fence: number;
  /** Higher with each call of this fence, also with one that is repeated. */
  readonly attempt: number;
}

export interface NewParkedKey {
  readonly key: string;
  /** The log that positions of these entries are of: those of another shard, or of one made anew, say nothing. */
  readonly log: string;
  /** At least one, of the writer's shard. */
  readonly entries: readonly ParkedEntry[];
  readonly cause: ParkingCause;
  readonly parkedMs: number;
}

export interface ParkedPut {
  readonly key: string;
  /** As `NewParkedKey.log`. */
  readonly log: string;
  /** `ParkedKey.tailVersion` that was seen. */
  readonly tailVersion: number;
  /** At least one, of the writer's shard. */
  readonly entries: readonly ParkedEntry[];
}

export type PutAnswer =
  | { readonly kind: "parked"; readonly key: ParkedKey }
  /** The key is not there: its records have nothing to wait for. */
  | { readonly kind: "notParked" }
  | { readonly kind: "full" }
  | { readonly kind: "stale"; readonly key: ParkedKey };
