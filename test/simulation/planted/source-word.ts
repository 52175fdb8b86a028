import { bug, type PlantedBug, STREAM } from "./planted-bug.ts";

/** What only the source can say is taken from a clock of ours, from one answer, or from a listing. */
export const SOURCE_WORD_BUGS: readonly PlantedBug[] = [
  bug("the age of a record is judged by the host's wall clock", ["I20", "I1", "I5", "I3"], {
    file: `${STREAM}/expiry.ts`,
    find: "read.answeredMs === undefined ? 0 : read.answeredMs - arrivalMs;",
    replace: "read.wallMs - arrivalMs;",
  }),
  bug("a record that is retried for long is called expired without asking the source", ["I20", "I1", "I5"], {
    file: `${STREAM}/retry-watch.ts`,
    find: "return (await source.stillServes?.(shardId, record.position, stopSignal, read.logId)) ?? true;",
    replace: "return [source, shardId, record, stopSignal, read].length === 0;",
  }),
  bug("a record without an arrival time counts as the oldest of all", ["I20", "I1", "I5", "I3"], {
    file: `${STREAM}/expiry.ts`,
    find: "if (arrivalMs === undefined) return Number.POSITIVE_INFINITY;",
    replace: "if (arrivalMs === undefined) return Number.NEGATIVE_INFINITY;",
  }),
  bug("an ended shard that one listing leaves out is forgotten", ["I20", "I7", "I12"], {
    file: `${STREAM}/discovery.ts`,
    find: "if (await inquiry.isGone(shardId, signal)) await store",
    replace: "if (inquiry !== undefined && !signal.aborted) await store",
  }),
  bug("a parent that one listing leaves out is taken for past", ["I12", "I2"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "isUnlisted && (await this.#inquiry.isGone(shardId, this.#stop.signal).catch(() => false));",
    replace: "isUnlisted;",
  }),
];
