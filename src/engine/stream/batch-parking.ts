import type { ParkingCause } from "../../model/parked-key.ts";
import type { BufferedRecord } from "./buffered-record.ts";

/** What a batch of a shard has of parked keys. */
export interface BatchParking {
  /** Nothing is to be parked now: too much fails for it to be the keys. */
  readonly isShut: boolean;
  readonly whenFull: "block" | "destination";
  /** The function has done something: what fails now is not an outage. */
  succeeded(): void;
  /**
   * Parks a key with records that failed to the end. `followers` are asked for at once when that is durable: what the
   * batch still has of the key, in order; they and what is read of it from then on line up behind. `stopped`: the
   * shard is closed.
   */
  park(
    key: string,
    records: readonly BufferedRecord[],
    cause: ParkingCause,
    followers: () => readonly BufferedRecord[],
  ): Promise<"parked" | "full" | "stopped">;
}
