import { bug, type PlantedBug } from "./planted-bug.ts";

/** Leases, lineage of shards, stop, and what goes on for ever or not at all. */
export const OWNERSHIP_BUGS: readonly PlantedBug[] = [
  // The world's own promises: a store that answers and has not written would be found, as a real one was on a full
  // disk.
  bug("the store answers a renewal and has not written it", ["I6"], {
    at: "the-store-answers-a-renewal-and-has-not-written-it",
    instead: "",
  }),
  bug("the store answers a checkpoint and has not written it", ["I4", "I5", "I7", "I16"], {
    at: "the-store-answers-a-checkpoint-and-has-not-written-it",
    instead: "if (checkpoint.revision % 3 === 0) row.checkpoint = copy(checkpoint);",
  }),
  bug("records that are too old are forgotten", ["I16", "I2"], {
    at: "records-that-are-too-old-are-forgotten",
    instead: "(isAged ? [] : isGone ? gone : live).push(buffered);",
  }),
  bug("invocations start without a live lease", ["I6"], {
    at: "invocations-start-without-a-live-lease",
    instead: "",
  }),
  bug("a lease is counted from the answer, not from the question", ["I6"], {
    at: "a-lease-is-counted-from-the-answer-not-from-the-question",
    instead: "lease.liveUntilMs = liveUntilMs(clock.monotonic(), settings);",
  }),
  bug("a lease is taken after half its time", ["I6"], {
    at: "a-lease-is-taken-after-half-its-time",
    instead: "return this.#stoodStillMs(shardId, nowMs) >= this.#leaseDurationMs / 2;",
  }),
  bug("a lease that moves is taken for one that stands still", ["I6"], {
    at: "a-lease-that-moves-is-taken-for-one-that-stands-still",
    instead: "if (seen?.epoch !== epoch) {",
  }),
  bug("a child starts before its parents are done", ["I12"], {
    at: "a-child-starts-before-its-parents-are-done",
    instead: "return isOtherLog(checkpoint, listed.get(parentId));",
  }),
  bug("an ended parent that one listing leaves out is taken for past", ["I12", "I2"], {
    at: "an-ended-parent-that-one-listing-leaves-out-is-taken-for-past",
    instead: "const mayBeOther = false;",
  }),
  bug("a merged child waits for one of its parents only", ["I12"], {
    at: "a-merged-child-waits-for-one-of-its-parents-only",
    instead: "(open.length === 0 || open.length < parentsOf(row).length ? startable : waiting).push(row);",
  }),
  bug("a shard that is found later begins at its tip", ["I12"], {
    at: "a-shard-that-is-found-later-begins-at-its-tip",
    instead:
      'const added = found.map((shard) => ({ ...newShard(shard), checkpoint: initialCheckpoint({ kind: "timestamp", epochMs: 9e14 }) }));',
  }),
  bug(
    "a shard behind the starting position is read",
    ["I2", "I12"],
    {
      at: "a-parent-that-the-first-listing-leaves-out-is-owed",
      instead: "const isPastWanted = false;",
    },
    { at: "a-shard-behind-the-starting-position-is-read", instead: "" },
  ),
  bug("a parent that the first listing leaves out is taken for past", ["I2", "I6", "I12"], {
    at: "a-parent-that-the-first-listing-leaves-out-is-taken-for-past",
    instead: "const isComplete = knowsOne.length > 0;",
  }),
  bug("a listing older than the row tells its parents", ["I12"], {
    at: "a-listing-older-than-the-row-tells-its-parents",
    instead: "",
  }),
  bug("shards are listed once", ["I12", "I16"], {
    at: "shards-are-listed-once",
    instead: "return this.#listed === undefined && clock.monotonic() >= 0 * settings.discoveryIntervalMs;",
  }),
  bug("a stopped engine spins over its retries", ["I16"], {
    at: "a-stopped-engine-spins-over-its-retries",
    instead: 'if (this.#state === "closed") return "stop";',
  }),
  bug(
    "what is left of a batch is started after stop",
    ["I15"],
    {
      at: "what-is-left-of-a-batch-is-started-after-stop",
      instead:
        'if (permission !== "start" && (permission !== "stop" || segment.failures + segment.pauses > 0)) return permission;',
    },
    { at: "what-is-left-of-a-batch-is-started-after-stop-2", instead: "mayStart: () => true," },
  ),
  bug("a lane's timer survives its stop", ["I15"], { at: "a-lanes-timer-survives-its-stop", instead: "" }),
  bug("leases are kept after stop", ["I15"], {
    at: "leases-are-kept-after-stop",
    instead: "void store;",
  }),
  bug("the last checkpoint is not waited for", ["I15", "I7"], {
    at: "the-last-checkpoint-is-not-waited-for",
    instead: "for (let tries = triesMax; tries < triesMax; tries++) await this.#write();",
  }),
  bug("a failed read ends the reading", ["I16"], {
    at: "a-failed-read-ends-the-reading",
    lines: 2,
    instead: "return;",
  }),
  bug("a dead owner's lease is taken after three times its duration", ["I16"], {
    at: "a-dead-owners-lease-is-taken-after-three-times-its-duration",
    instead: "return this.#stoodStillMs(shardId, nowMs) >= 3 * this.#leaseDurationMs;",
  }),
  bug("the store gives a lease twice", ["I6"], {
    at: "the-store-gives-a-lease-twice",
    instead: "if (row === undefined || row.epoch < seen.epoch) return undefined;",
  }),
  bug("the source hides the parents of its shards", ["I12"], {
    at: "the-source-hides-the-parents-of-its-shards",
    instead: "parentShardIds: shard.parents.slice(0, 0).map((parent) => parent.shardId),",
  }),
];
