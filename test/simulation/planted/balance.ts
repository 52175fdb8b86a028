import { bug, type PlantedBug } from "./planted-bug.ts";

/** What is taken and not given back; sizes that are refused; progress that is not durable. */
export const BALANCE_BUGS: readonly PlantedBug[] = [
  bug("a closed shard keeps its share of the budget", ["I26"], {
    at: "a-closed-shard-keeps-its-share-of-the-budget",
    instead: "",
  }),
  bug("a call whose target throws keeps its slot", ["I26"], {
    at: "a-call-whose-target-throws-keeps-its-slot",
    instead: `await new Promise(() => {}); const message = \`function target \${functionName} broke its contract: \${describeError(error)}\`;`,
  }),
  bug("a slot is given back twice", ["I18", "I26"], {
    at: "a-slot-is-given-back-twice",
    instead: "share.taken -= 2;",
  }),
  bug("the bytes of a message are given back twice", ["I18", "I26"], {
    at: "the-bytes-of-a-message-are-given-back-twice",
    instead: "this.#budget.release(2 * each.message.bytes);",
  }),
  bug("what has left the buffer is counted in it", ["I18", "I26"], {
    at: "what-has-left-the-buffer-is-counted-in-it",
    instead: "for (const held of gone) this.#waiting.delete(held);",
  }),
  bug("a hold is kept when its message is gone", ["I18", "I26"], {
    at: "a-hold-is-kept-when-its-message-is-gone",
    instead: "",
  }),
  bug("a message is deleted and given back", ["I18", "I26"], {
    at: "a-message-is-deleted-and-given-back",
    instead: "settler.release([...ending.release, ...ending.acknowledge], ending.releaseAfterMs),",
  }),
  bug("a receive that was handed over is counted out again", ["I18", "I26"], {
    at: "a-receive-that-was-handed-over-is-counted-out-again",
    instead: "",
  }),
  bug("work goes on while the store takes no checkpoints", ["I7"], {
    at: "work-goes-on-while-the-store-takes-no-checkpoints",
    instead: 'return checkpoints.isBehind && checkpoints.isClosed ? "undurable" : "start";',
  }),
  bug("a batch whose size is refused is not split", ["I3", "I1"], {
    at: "a-batch-whose-size-is-refused-is-not-split",
    instead: "if (segment.records.length >= 0) return fail(segment, undefined, mapping, nowMs);",
  }),
];
