import type { ShardProgress } from "../../ports/progress-store.ts";
import { isAskedFor, type KnownLineage, openParents } from "./lineage.ts";

const NO_ROWS: ReadonlyMap<string, ShardProgress> = new Map();

/**
 * Shards that turned out to be another log under their name while they were read. The parents of that log are others
 * than those that were looked at when the shard was begun: the worker waits until a listing made since then shows none
 * that is open.
 */
export class TurnedShards {
  /** By shard: the newest listing that had begun when it turned, and whom to tell. */
  readonly #waiting = new Map<string, { readonly after: number; go(): void }>();
  #begun = 0;
  #newest = 0;

  /** Resolves when the shard may go on, or with the signal. */
  wait(shardId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener("abort", go);
        this.#waiting.delete(shardId);
        resolve();
      };
      if (signal.aborted) return go();
      signal.addEventListener("abort", go);
      this.#waiting.set(shardId, { after: this.#begun, go });
    });
  }

  /** To be called when a listing begins; what it gives is to be called when it has come. */
  listing(): () => void {
    const ordinal = ++this.#begun;
    return () => {
      this.#newest = ordinal;
    };
  }

  /** Lets go whom nothing holds up, and gives the shards that the source is to be asked for. */
  look(rows: readonly ShardProgress[], lineage: KnownLineage): readonly string[] {
    const byId = new Map(rows.map((row) => [row.shardId, row]));
    const unknown: string[] = [];
    for (const [shardId, { after, go }] of [...this.#waiting]) {
      if (this.#newest <= after) continue;
      const parents = lineage.listed.get(shardId)?.parentShardIds;
      // Not listed any more: once the source itself has said that it is gone, the next read finds it so.
      const open = openParents(parents ?? [shardId], parents === undefined ? NO_ROWS : byId, lineage);
      if (open.length === 0) go();
      unknown.push(
        ...open.filter((parentId) => parents === undefined || isAskedFor(parentId, byId, lineage)),
      );
    }
    return unknown;
  }
}
