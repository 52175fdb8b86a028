import { type ContractBug, contractBug } from "../contract-bug.ts";

const LISTING = "test/unit/engine/stream/listing-and-identity.test.ts";

/** Bugs of the engine that the simulation shows in one seed of some ten thousand: a test of their own sees them. */
export const ENGINE_BUGS: readonly ContractBug[] = [
  contractBug(
    "an update gives away the places of what it keeps",
    {
      file: "test/unit/engine/queue/kept-places.test.ts",
      test: "what an update kept finds a place to run after 500 ms, however busy others are",
    },
    { at: "an-update-gives-away-the-places-of-what-it-keeps", instead: "this.#isKept = false;" },
  ),
  contractBug(
    "an update forgets what was seen of leases",
    {
      file: "test/unit/engine/stream/updates-and-leases.test.ts",
      test: "updates of a mapping do not put off when it takes over the lease of an owner who is gone",
    },
    { at: "an-update-forgets-what-was-seen-of-leases", instead: "this.#leaseBooks.forget(uuid);" },
  ),
  contractBug(
    "leases are watched behind the first listing only",
    { file: LISTING, test: "one left behind is taken as soon as it does" },
    { at: "leases-are-watched-behind-the-first-listing-only", instead: "" },
  ),
  contractBug(
    "a listing without the child tells its parents",
    {
      file: "test/unit/engine/stream/row-sightings.test.ts",
      test: "a child that another process found waits for a listing that shows it",
    },
    { at: "a-listing-without-the-child-tells-its-parents", instead: "" },
  ),
  contractBug(
    "a lease that nobody could watch is taken for one of a living process",
    { file: LISTING, test: "is explained from the first look on" },
    {
      at: "a-lease-that-nobody-could-watch-is-taken-for-a-living-one",
      instead: "if (nowMs - sinceMs < this.#promiseMs) return undefined;",
    },
  ),
  contractBug(
    "a shard that is drained says that it goes on",
    {
      file: "test/unit/engine/reasons.test.ts",
      test: "a shard that is drained is being stopped, and what fails meanwhile is told beside that",
    },
    { at: "a-shard-that-is-drained-says-that-it-goes-on", instead: 'return reason("progressing");' },
  ),
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
  contractBug(
    "what an update kept behind a lost message overtakes it",
    {
      file: "test/unit/engine/queue/stopping.test.ts",
      test: "FIFO: what an update kept behind a message whose hold was lost goes back, and does not overtake it",
    },
    {
      at: "what-is-kept-behind-a-lost-message-overtakes-it",
      instead: 'if (groupId !== "") return true;',
    },
  ),
  contractBug(
    "the ends of a window are not told apart by what it gave up",
    {
      file: "test/unit/engine/stream/tumbling-windows.test.ts",
      test: "a window that is opened again by a late record, and gives up all of its records, is told apart",
    },
    {
      at: "what-a-window-gives-up-tells-its-ends-not-apart",
      instead: 'if (segment.windowEnd !== "no") this.#keepWindowState(segment, undefined, []);',
    },
  ),
  contractBug(
    "a shard that is registered anew is taken for past",
    {
      file: "test/unit/engine/stream/listing-and-identity.test.ts",
      test: "a shard that is registered anew waits for its parents, though the source had none of its name before",
    },
    { at: "a-shard-that-is-registered-anew-is-taken-for-past", instead: "" },
  ),
  contractBug(
    "who waits for room is never woken",
    {
      file: "test/unit/engine/budget.test.ts",
      test: "who waits for room is woken in turn, as many as there are quanta of room",
    },
    {
      at: "who-waits-for-room-is-never-woken",
      instead: "if (next === undefined || this.room < 1e12) return false;",
    },
  ),
  contractBug(
    "a side that was held is forgotten",
    {
      file: "test/unit/engine/stream/sided-lane.test.ts",
      test: "records that were held for weights which went back start when what they waited for has ended",
    },
    {
      at: "a-side-that-was-held-is-forgotten",
      instead: "if (this.#isHeld && this.#sides.length > 99) {",
    },
  ),
  contractBug(
    "a look ends while leases are asked for",
    {
      file: "test/unit/leases/lease-holder.test.ts",
      test: "a look that fails for one lease waits for the others: none is taken twice",
    },
    {
      at: "a-look-ends-while-leases-are-asked-for",
      lines: 2,
      instead: "await Promise.all(acquire.map((row) => this.#acquire(row)));",
    },
    { at: "a-look-ends-while-leases-are-asked-for-2", instead: "" },
  ),
  contractBug(
    "a last checkpoint is late by the last read",
    {
      file: "test/unit/engine/stream/explanation.test.ts",
      test: "the last checkpoint of a closed shard is late by the end of its last batch, not by that of its last read",
    },
    { at: "a-last-checkpoint-is-late-by-the-last-read", instead: "" },
  ),
];
