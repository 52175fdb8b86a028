import type { Patch } from "../planted/planted-bug.ts";
import type { SmallBug } from "../small/seed-thread.ts";

export const QUARANTINE_BUGS: readonly SmallBug[] = [
  bug(
    "what is parked is settled before it is durable",
    ["I5", "I1"],
    {
      at: "what-is-parked-is-settled-before-it-is-durable",
      instead: "held.push(waiting);\nthis.#options.settle([buffered]);",
    },
    { at: "what-was-put-is-settled", instead: "held.put(count, answer.key);" },
  ),
  bug("followers in the batcher are forgotten", ["I2", "K4"], {
    at: "followers-in-the-batcher-are-forgotten",
    instead: "this.#follow(held, create.followers());",
  }),
  bug("followers in the batch are forgotten", ["I2", "K4"], {
    at: "followers-in-the-batch-are-forgotten",
    lines: 2,
    instead: "kept.push(segment);",
  }),
  bug("followers of the batcher stand before those of the batch", ["K9"], {
    at: "followers-in-the-batcher-are-forgotten",
    instead: "this.#follow(held, [...this.#options.takeWaiting(key), ...create.followers()]);",
  }),
  bug("a shard begins without what is parked", ["I2", "K4"], {
    at: "a-shard-begins-without-what-is-parked",
    instead: "for (const parked of [] as typeof opened.keys)",
  }),
  bug("parked records that are read again are parked again", ["K9"], {
    at: "parked-records-that-are-read-again-are-parked-again",
    instead: "",
  }),
  bug("what a lost answer has parked is parked again", ["K9"], {
    at: "what-a-lost-answer-has-parked-is-parked-again",
    instead: "return [];",
  }),
  bug("what has no room is settled", ["I1", "I5"], {
    at: "what-has-no-room-is-settled",
    instead: "settle(held.takeAll());\nreturn;",
  }),
  bug("parked keys are not fenced", ["K9", "I2", "K4"], {
    at: "parked-keys-in-memory-are-not-fenced",
    instead: "if (writer === undefined) return undefined;",
  }),
  bug("a batch of several keys is parked as its first", ["I2", "K4", "K9"], {
    at: "a-batch-of-several-keys-is-parked-as-its-first",
    instead: "if (parts.length > 1_000) {",
  }),
  bug("an outage parks key after key", ["K10"], {
    at: "an-outage-parks-key-after-key",
    instead: "return this.#parks < 0;",
  }),
];

function bug(name: string, breaks: readonly string[], ...patches: readonly Patch[]): SmallBug {
  return { name, breaks, patches };
}
