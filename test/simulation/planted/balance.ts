import { bug, type PlantedBug, STREAM } from "./planted-bug.ts";

/** What is taken and not given back; sizes that are refused; progress that is not durable. */
export const BALANCE_BUGS: readonly PlantedBug[] = [
  bug("a closed shard keeps its share of the budget", ["I26"], {
    file: `${STREAM}/read-ahead.ts`,
    find: "this.#options.budget.release(this.#bytes);",
    replace: "",
  }),
  bug("a call whose target throws keeps its slot", ["I26"], {
    file: "src/invocation/function-invoker.ts",
    find: "const message = `function target",
    replace: "this.#slots.take(caller.key); const message = `function target",
  }),
  bug("work goes on while the store takes no checkpoints", ["I7"], {
    file: `${STREAM}/shard-worker.ts`,
    find: 'return this.#checkpoints.isBehind ? "undurable" : "start";',
    replace: 'return this.#checkpoints.isBehind && this.shardId === "" ? "undurable" : "start";',
  }),
  bug("a batch whose size is refused is not split", ["I3", "I1"], {
    file: `${STREAM}/batch-run.ts`,
    find: "if (segment.records.length < 2) return await this.#failed(segment, undefined);",
    replace: "if (segment.records.length >= 0) return await this.#failed(segment, undefined);",
  }),
];
