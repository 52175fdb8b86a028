import { bug, type PlantedBug } from "./planted-bug.ts";

/** Receives that no function sees, messages that spoil their neighbours, and what is never given back. */
export const QUEUE_RECEIVE_BUGS: readonly PlantedBug[] = [
  bug("more of a FIFO queue is received than can start", ["I19"], {
    at: "more-of-a-fifo-queue-is-received-than-can-start",
    instead: "",
  }),
  bug("a stop gives back what waits, though it could run", ["I19"], {
    at: "a-stop-gives-back-what-waits-though-it-could-run",
    instead:
      'work.track(settlement.giveBack(parts.ledger.buffer.messages, "a stop"));\nawait sleepUnless(drained, clock, Math.min(startsMs, drainMs));',
  }),
  bug("a stop does not wait for receives that are under way", ["I19", "I15", "I26"], {
    at: "a-stop-does-not-wait-for-receives-that-are-under-way",
    instead: "const isDrained = work.size === 0 && ledger.buffer.size === 0;",
  }),
  bug("what goes back unseen is not counted", ["I19"], {
    at: "what-goes-back-unseen-is-not-counted",
    instead: "",
  }),
  bug("a message that cannot be looked into fails its whole receive", ["I23", "I15", "I16"], {
    at: "a-message-that-cannot-be-looked-into-fails-its-whole-receive",
    instead: "return { wanted: [], unwanted: [], broken: [], error };",
  }),
  bug("a message of which no event can be made fails its whole batch", ["I23"], {
    at: "a-message-of-which-no-event-can-be-made-fails-its-whole-batch",
    instead: "if (broken.length >= 0) {",
  }),
  bug("messages that cannot be converted keep what they took", ["I26"], {
    at: "messages-that-cannot-be-converted-keep-what-they-took",
    instead: "",
  }),
  bug("what was filtered out keeps its bytes", ["I26", "I16"], {
    at: "what-was-filtered-out-keeps-its-bytes",
    instead: "",
  }),
];
