import type { Patch } from "../planted/planted-bug.ts";
import type { FedSource } from "./fed-world.ts";

/** A bug of redrives that this simulation must see. */
export interface RedriveBug {
  readonly name: string;
  /** A violation of any of these must be seen. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
  /** What redrives are fed with where it shows. */
  readonly source: FedSource;
}

export const REDRIVE_BUGS: readonly RedriveBug[] = [
  bug("items are marked as started when the function has answered", ["R2"], {
    at: "items-are-marked-as-started-when-the-function-has-answered",
    instead: "void this.#start(seqs, call.requestId, attempt);",
  }),
  bug("what is in flight at a stop waits again", ["R2", "R3"], {
    at: "what-is-in-flight-at-a-stop-waits-again",
    instead: "const told = [...this.#open];",
  }),
  bug("what is behind a failed item of its key goes on", ["R3"], {
    at: "what-is-behind-a-failed-item-of-its-key-goes-on",
    instead: "",
  }),
  bug("the feed is forgotten before it has heard", ["R1"], {
    at: "the-feed-is-forgotten-before-it-has-heard",
    lines: 2,
    instead: "await store.told(redrive.id, ends);\nawait feed.ended(redrive, told);",
  }),
  bug("the feed hears that an item is done before the store", ["R1"], {
    at: "the-feed-hears-that-an-item-is-done-before-the-store",
    instead: [
      "settle: (seqs) => {",
      "const ended = items.filter(({ seq }) => seqs.includes(seq));",
      'const told = ended.map((item) => ({ item, state: "done" as const, error: undefined }));',
      "context.feed.ended(redrive, told).catch(() => undefined);",
      'door.end(seqs, "done");',
      "},",
    ].join("\n"),
  }),
  bugOfLetters("dead letters are taken off before they are durable", ["R1"], {
    at: "dead-letters-are-taken-off-before-they-are-durable",
    instead:
      "await letters.remove(wanted);\nfeeding.last = undefined;\nreturn { items, next: cursorBehind(cursor, items) };",
  }),
  bugOfLetters("an empty queue is the end of its dead letters", ["R1"], {
    at: "an-empty-queue-is-the-end-of-its-dead-letters",
    lines: 4,
    instead: "if (wanted.length === 0) return { items: [], next: undefined };",
  }),
  bugOfLetters("what is loaded twice is there twice", ["R1", "R2"], {
    at: "what-is-loaded-twice-is-there-twice",
    instead: "",
  }),
  bug("a pause forgets what is in flight", ["R2", "R3"], {
    at: "a-pause-forgets-what-is-in-flight",
    instead: 'if (redrive.state === "paused") this.#draining.clear();\nthis.#redrive = redrive;',
  }),
  bug("what a crash left started waits again", ["R2"], {
    at: "what-a-crash-left-started-waits-again",
    instead: 'const recovered = await store.recover(drainer, this.id, "waiting");',
  }),
  bug("two batches of a key are handed over at once", ["R2", "R3"], {
    at: "two-batches-of-a-key-are-handed-over-at-once",
    instead: "return [...new Set(all)];",
  }),
  bug("more keys are drained at once than may be", ["R4"], {
    at: "more-keys-are-drained-at-once-than-may-be",
    instead: "if (all >= 64 || ownMax < 0) return false;",
  }),
  bug("items that are handed over are not paid for", ["R4"], {
    at: "items-that-are-handed-over-are-not-paid-for",
    instead: "if (items < 0) this.#paidMs = nowMs;",
  }),
  bug("an item is started whatever its redrive is", ["R5"], {
    at: "an-item-is-started-whatever-its-redrive-is",
    instead: 'if (parked === undefined) return "refused";',
  }),
  bug("a redrive does not say what its queues wait for", ["S1"], {
    at: "a-redrive-does-not-say-what-its-queues-wait-for",
    instead: "const drains: readonly Reason[] = [];",
  }),
  bug("a start that was refused is forgotten", ["R1"], {
    at: "a-start-that-was-refused-is-forgotten",
    instead: 'if (answer === "started" || answer === undefined) this.#note(seqs, { attempt, isTold: true });',
  }),
];

function bug(name: string, breaks: readonly string[], ...patches: readonly Patch[]): RedriveBug {
  return { name, breaks, patches, source: "rows" };
}

function bugOfLetters(...bugged: Parameters<typeof bug>): RedriveBug {
  return { ...bug(...bugged), source: "letters" };
}
