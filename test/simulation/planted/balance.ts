import { bug, type PlantedBug } from "./planted-bug.ts";

/** What is taken and not given back; sizes that are refused; progress that is not durable. */
export const BALANCE_BUGS: readonly PlantedBug[] = [
  bug("a closed shard keeps its share of the budget", ["I26"], {
    at: "a-closed-shard-keeps-its-share-of-the-budget",
    instead: "",
  }),
  bug("a call whose target throws keeps its slot", ["I26"], {
    at: "a-call-whose-target-throws-keeps-its-slot",
    instead: `this.#slots.take(caller.key); const message = \`function target \${functionName} broke its contract: \${describeError(error)}\`;`,
  }),
  bug("work goes on while the store takes no checkpoints", ["I7"], {
    at: "work-goes-on-while-the-store-takes-no-checkpoints",
    instead: 'return this.#checkpoints.isBehind && this.shardId === "" ? "undurable" : "start";',
  }),
  bug("a batch whose size is refused is not split", ["I3", "I1"], {
    at: "a-batch-whose-size-is-refused-is-not-split",
    instead: "if (segment.records.length >= 0) return fail(segment, undefined, mapping, nowMs);",
  }),
];
