import type { Lease } from "../../leases/lease.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { MappingParking } from "./mapping-parking.ts";
import type { ShardEnvironment } from "./shard-environment.ts";

export interface ShardParkingOptions {
  readonly environment: ShardEnvironment;
  readonly parking: MappingParking;
  readonly lease: Lease;
  /** Aborts when nothing new may start. */
  readonly stopSignal: AbortSignal;
  /** Aborts when the shard is closed. */
  readonly closeSignal: AbortSignal;
  /** Which log is read now; `undefined`: the source does not tell. */
  logId(): string | undefined;
  settle(records: readonly BufferedRecord[]): void;
  /** What lanes have of a key and no batch was cut of, in order: it leaves them. */
  takeWaiting(key: string): readonly BufferedRecord[];
  /** The key is parked no more: these go on as if they had just been read. */
  giveBack(records: readonly BufferedRecord[]): void;
  /** Another owner has the shard. */
  onFenced(): void;
  onDefect(error: unknown): void;
}
