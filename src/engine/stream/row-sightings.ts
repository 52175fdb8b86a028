import type { Shard } from "../../model/record.ts";
import type { ShardProgress } from "../../ports/progress-store.ts";
import { isOtherLog } from "./lineage.ts";

interface Sighting {
  readonly logId: string | undefined;
  /** Listings that had begun when the row was first seen with this log. */
  readonly begun: number;
}

/**
 * When each row was first seen as the log that it is. Where a row and the listing say two logs of one name, the newer
 * word counts: a row that another process registered anew may be newer than what was listed here.
 */
export class RowSightings {
  #seen: ReadonlyMap<string, Sighting> = new Map();
  #begun = 0;
  #newest = 0;

  /** To be called when a listing begins; what it gives is to be called when it has come. */
  listing(): () => void {
    const ordinal = ++this.#begun;
    return () => {
      this.#newest = ordinal;
    };
  }

  /**
   * Shards whose rows are another log than the listing, or children that it does not have, and it had begun before they
   * were seen: it may be old, and so may be what it says of their parents.
   */
  unsure(rows: readonly ShardProgress[], listed: ReadonlyMap<string, Shard>): ReadonlySet<string> {
    const seen = new Map<string, Sighting>();
    const unsure = new Set<string>();
    for (const row of rows) {
      const { shardId, checkpoint } = row;
      const { logId } = checkpoint;
      const before = this.#seen.get(shardId);
      const isSame = before !== undefined && before.logId === logId;
      const sighting: Sighting = isSame ? before : { logId, begun: this.#begun };
      seen.set(shardId, sighting);
      if (this.#newest > sighting.begun) continue;
      // plant: a-listing-older-than-the-row-tells-its-parents
      if (isOtherLog(checkpoint, listed.get(shardId))) unsure.add(shardId);
      // plant: a-listing-without-the-child-tells-its-parents
      if (!listed.has(shardId) && isUnbegunChild(row)) unsure.add(shardId);
    }
    this.#seen = seen;
    return unsure;
  }
}

/** What its parents are by now says the listing that shows it, where names may come to stand for other logs. */
function isUnbegunChild({ checkpoint, parentShardIds }: ShardProgress): boolean {
  const isBegun = checkpoint.revision > 0 || checkpoint.ended;
  return !isBegun && checkpoint.logId !== undefined && parentShardIds.length > 0;
}
