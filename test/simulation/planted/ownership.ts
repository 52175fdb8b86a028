import { bug, type PlantedBug, STREAM } from "./planted-bug.ts";

/** Leases, lineage of shards, stop, and what goes on for ever or not at all. */
export const OWNERSHIP_BUGS: readonly PlantedBug[] = [
  // The world's own promises: a store that answers and has not written would be found, as a real one was on a full disk.
  bug("the store answers a renewal and has not written it", ["I6"], {
    file: "test/simulation/world/store-rows.ts",
    find: 'row.counter++;\n    return { kind: "renewed", handoverTo: row.handoverTo };',
    replace: 'return { kind: "renewed", handoverTo: row.handoverTo };',
  }),
  bug("the store answers a checkpoint and has not written it", ["I4", "I5", "I7", "I16"], {
    file: "test/simulation/world/store-rows.ts",
    find: "row.checkpoint = copy(checkpoint);",
    replace: "if (checkpoint.revision % 3 === 0) row.checkpoint = copy(checkpoint);",
  }),
  bug("records that are too old are forgotten", ["I16", "I2"], {
    file: `${STREAM}/batch-run.ts`,
    find: "(isAged ? aged : isGone ? gone : live).push(buffered);",
    replace: "(isAged ? [] : isGone ? gone : live).push(buffered);",
  }),
  bug("invocations start without a live lease", ["I6"], {
    file: `${STREAM}/shard-worker.ts`,
    find: 'if (!this.#options.isLeaseLive()) return "leaseless";',
    replace: "",
  }),
  bug("a lease is counted from the answer, not from the question", ["I6"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "held.liveUntilMs = liveUntilMs(askedMs, settings);",
    replace: "held.liveUntilMs = liveUntilMs(clock.monotonic(), settings);",
  }),
  bug("a lease is taken after half its time", ["I6"], {
    file: "src/engine/lease/lease-book.ts",
    find: "this.#stoodStillMs(shardId, nowMs) >= this.#leaseDurationMs;",
    replace: "this.#stoodStillMs(shardId, nowMs) >= this.#leaseDurationMs / 2;",
  }),
  bug("a lease that moves is taken for one that stands still", ["I6"], {
    file: "src/engine/lease/lease-book.ts",
    find: "if (seen?.epoch !== epoch || seen.counter !== counter) {",
    replace: "if (seen?.epoch !== epoch) {",
  }),
  bug("a child starts before its parents are done", ["I12"], {
    file: `${STREAM}/lineage.ts`,
    find: "return !checkpoint.ended || isOtherLog(checkpoint, listed.get(parentId));",
    replace: "return isOtherLog(checkpoint, listed.get(parentId));",
  }),
  bug("a merged child waits for one of its parents only", ["I12"], {
    file: `${STREAM}/lineage.ts`,
    find: "(open.length === 0 ? startable : waiting).push(row);",
    replace: "(open.length === 0 || open.length < parentsOf(row).length ? startable : waiting).push(row);",
  }),
  bug("a shard that is found later begins at its tip", ["I12"], {
    file: `${STREAM}/discovery.ts`,
    find: "const added = found.map((shard) => newShard(shard));",
    replace:
      'const added = found.map((shard) => ({ ...newShard(shard), checkpoint: initialCheckpoint({ kind: "timestamp", epochMs: 9e14 }) }));',
  }),
  bug("shards are listed once", ["I12", "I16"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "return clock.monotonic() - this.#discoveredMs >= settings.discoveryIntervalMs;",
    replace: "return this.#listed === undefined && clock.monotonic() >= 0 * settings.discoveryIntervalMs;",
  }),
  bug("a stopped engine spins over its retries", ["I16"], {
    file: `${STREAM}/shard-worker.ts`,
    find: 'if (this.#state !== "running") return "stop";',
    replace: 'if (this.#state === "closed") return "stop";',
  }),
  bug(
    "what is left of a batch is started after stop",
    ["I15"],
    {
      file: `${STREAM}/batch-run.ts`,
      find: 'if (permission !== "start") return permission;',
      replace:
        'if (permission !== "start" && (permission !== "stop" || segment.failures + segment.pauses > 0)) return permission;',
    },
    {
      file: `${STREAM}/batch-run.ts`,
      find: 'mayStart: () => this.#context.startPermission() === "start",',
      replace: "mayStart: () => true,",
    },
  ),
  bug("a lane's timer survives its stop", ["I15"], {
    file: `${STREAM}/lane.ts`,
    find: "stop(): void {\n    this.#timer?.cancel();",
    replace: "stop(): void {",
  }),
  bug("leases are kept after stop", ["I15"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "await store.release(mapping.uuid, worker.lease);\n    } catch",
    replace: "await store.list(mapping.uuid);\n    } catch",
  }),
  bug("the last checkpoint is not waited for", ["I15", "I7"], {
    file: `${STREAM}/checkpoint-loop.ts`,
    find: "for (let tries = 0; tries < triesMax && !this.isDurable && !this.#isClosed; tries++)",
    replace: "for (let tries = triesMax; tries < triesMax; tries++)",
  }),
  bug("a failed read ends the reading", ["I16"], {
    file: `${STREAM}/read-loop.ts`,
    find: "await outages.pause(failedAt, stopSignal);\n        continue;",
    replace: "return;",
  }),
  bug("a dead owner's lease is taken after three times its duration", ["I16"], {
    file: "src/engine/lease/lease-book.ts",
    find: "this.#stoodStillMs(shardId, nowMs) >= this.#leaseDurationMs;",
    replace: "this.#stoodStillMs(shardId, nowMs) >= 3 * this.#leaseDurationMs;",
  }),
  bug("the store gives a lease twice", ["I6"], {
    file: "test/simulation/world/store-rows.ts",
    find: "if (row === undefined || row.epoch !== seen.epoch || row.counter !== seen.counter) return undefined;",
    replace: "if (row === undefined || row.epoch < seen.epoch) return undefined;",
  }),
  bug("the source hides the parents of its shards", ["I12"], {
    file: "test/simulation/world/source.ts",
    find: "parentShardIds: shard.parents.map((parent) => parent.shardId),",
    replace: "parentShardIds: shard.parents.slice(0, 0).map((parent) => parent.shardId),",
  }),
];
