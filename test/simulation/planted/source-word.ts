import { bug, type PlantedBug } from "./planted-bug.ts";

/** What only the source can say is taken from a clock of ours, from one answer, or from a listing. */
export const SOURCE_WORD_BUGS: readonly PlantedBug[] = [
  bug("the age of a record is judged by the host's wall clock", ["I20", "I1", "I5", "I3"], {
    at: "the-age-of-a-record-is-judged-by-the-hosts-wall-clock",
    instead: "const ageAtReadMs = read.wallMs - arrivalMs;",
  }),
  bug("a record that is retried for long is called expired without asking the source", ["I20", "I1", "I5"], {
    at: "a-record-that-is-retried-for-long-is-called-expired-without-asking-the-source",
    instead: "return [source, shardId, record, stopSignal, read].length === 0;",
  }),
  bug("a record without an arrival time counts as the oldest of all", ["I20", "I1", "I5", "I3"], {
    at: "a-record-without-an-arrival-time-counts-as-the-oldest-of-all",
    instead: "if (arrivalMs === undefined) return Number.NEGATIVE_INFINITY;",
  }),
  bug("an ended shard that one listing leaves out is forgotten", ["I20", "I7", "I12"], {
    at: "an-ended-shard-that-one-listing-leaves-out-is-forgotten",
    instead: "if (inquiry !== undefined && !signal.aborted) await store.remove(mapping.uuid, shardId);",
  }),
  bug("a parent that one listing leaves out is taken for past", ["I12", "I2"], {
    at: "a-parent-that-one-listing-leaves-out-is-taken-for-past",
    instead: "if (isAsked && shardId.length === 0) continue;",
  }),
];
