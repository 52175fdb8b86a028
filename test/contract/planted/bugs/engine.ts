import { type ContractBug, contractBug } from "../contract-bug.ts";

const LISTING = "test/unit/engine/stream/listing-and-identity.test.ts";

/** Bugs of the engine that the simulation shows in one seed of some ten thousand: a test of their own sees them. */
export const ENGINE_BUGS: readonly ContractBug[] = [
  contractBug(
    "an ended parent that a listing leaves out is taken for past",
    {
      file: LISTING,
      test: "a child waits for a parent that is another log by now, and that a new process's listing leaves out",
    },
    {
      at: "an-ended-parent-that-one-listing-leaves-out-is-taken-for-past",
      instead: "const mayBeOther = false;",
    },
  ),
  contractBug(
    "a slow extension of holds keeps all others waiting",
    {
      file: "test/unit/engine/queue/hold-keeper.test.ts",
      test: "an extension that takes long holds up no other, and is waited for by its own messages",
    },
    {
      at: "a-slow-extension-holds-up-all-others",
      instead:
        "const due = this.#asked.size > 0 ? [] : idle.filter((held) => this.#held.has(held) && isDue(held));",
    },
  ),
];
