import { bug, type PlantedBug, STREAM } from "./planted-bug.ts";

/** Streams made anew, logs that lose their ends, places without records, damaged records. */
export const LOG_BUGS: readonly PlantedBug[] = [
  bug("what was settled ahead in the old log is skipped in the new one", ["I21", "I1", "I5"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "this.#skip = this.#skipNothing();\n    this.#lagMs",
    replace: "this.#lagMs",
  }),
  bug("a shard made anew is resumed where the old one was", ["I21", "I1", "I5"], {
    file: `${STREAM}/read-loop.ts`,
    find: "reader ??= await source.openReader(shardId, start, stopSignal, logId);",
    replace: "reader ??= await source.openReader(shardId, start, stopSignal);",
  }),
  bug("the new log is read before the old one is brought to its end", ["I21", "I2", "I18"], {
    file: `${STREAM}/shard-log.ts`,
    find: "await turn.promise;",
    replace: "",
  }),
  bug("nobody is told that a shard is another log", ["I21"], {
    file: `${STREAM}/shard-log.ts`,
    find: 'telemetry.count("changed_logs", mapping, 1);',
    replace: "",
  }),
  bug("settled ranges are believed of a log that lost them", ["I21", "I1", "I5"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (range !== undefined && (await this.#isServed(range.to))) kept = middle + 1;",
    replace: "if (range !== undefined) kept = middle + 1;",
  }),
  bug("an ended shard that is another log by now stays ended", ["I21", "I16"], {
    file: `${STREAM}/lineage.ts`,
    find: "if (row.checkpoint.ended && !isOther) continue;",
    replace: "if (row.checkpoint.ended) continue;",
  }),
  bug("a shard made anew does not wait for its new parents", ["I12"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "await this.#options.whenParentsArePast(this.#stop.signal);",
    replace: "",
  }),
  bug("a place without a record moves nothing", ["I22"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (looked !== undefined) this.#takePlace(looked);",
    replace: "",
  }),
  bug("a place without a record is not made durable", ["I22"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (this.#log.saw(read) || this.#mark.resume !== settledBefore) this.#checkpoints.changed();",
    replace: "if (this.#log.saw(read) || read.records.length > 0) this.#checkpoints.changed();",
  }),
  bug("a damaged record takes its batch with it", ["I23"], {
    file: `${STREAM}/batch-run.ts`,
    find: "if (segment.records.length > 1) return this.#splitBySize(segment, index);",
    replace: "if (segment.records.length < 1) return this.#splitBySize(segment, index);",
  }),
  bug("one record that cannot be encoded condemns all of its batch", ["I23"], {
    file: `${STREAM}/throwing-source.ts`,
    find: "events.encode([buffered.record], undefined);",
    replace: "events.encode(records.map(({ record }) => record), undefined);",
  }),
];
