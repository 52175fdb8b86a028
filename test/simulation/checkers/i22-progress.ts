import type { Checkpoint } from "../../../src/model/checkpoint.ts";
import { endOf, logIdOf } from "../world/log.ts";
import { hasReachedEnd } from "../world/world-progress.ts";
import type { Checker } from "./checker.ts";

/**
 * At quiescence, and when all processes have stopped, the durable position of each shard is the source's stable end,
 * also where the tail holds markers, aborted records or expired ranges and no record.
 */
export const progress: Checker = {
  id: "I22",
  title: "progress beyond records",
  check({ mapping, history, report }) {
    const last = new Map<string, Checkpoint>();
    for (const event of mapping.events) {
      if (event.kind === "registered" || event.kind === "checkpointed")
        last.set(logIdOf(event.shard), event.checkpoint);
    }
    for (const shard of mapping.stream.current) {
      if (shard.places.length === 0) continue;
      const checkpoint = last.get(logIdOf(shard));
      if (checkpoint !== undefined && hasReachedEnd(shard, checkpoint)) continue;
      const { resume } = checkpoint ?? {};
      const place = resume?.kind === "after" ? resume.position : (resume?.kind ?? "nothing");
      report(history.endedAt, `${shard.shardId} ends at ${endOf(shard)}, and what is durable is ${place}`);
    }
  },
};
