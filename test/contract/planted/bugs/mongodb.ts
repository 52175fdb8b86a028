import { type ContractBug, contractBug } from "../contract-bug.ts";

const SOURCE = "test/unit/connectors/mongodb/source.test.ts";

/** Change streams. */
export const MONGODB_BUGS: readonly ContractBug[] = [
  contractBug(
    "the place of an idle stream stands still",
    {
      file: SOURCE,
      test: "keeps its place in the log while only others write, and the log forgets the rest",
    },
    {
      at: "the-place-of-an-idle-stream-stands-still",
      instead: "this.#place = parsePosition(positionOf(this.#place));",
    },
  ),
  contractBug(
    "the place of an idle stream goes back",
    {
      file: SOURCE,
      test: "does not go back before the end of a stream, where a server names the time of it",
    },
    { at: "the-place-of-an-idle-stream-goes-back", instead: 'if (token === "") return;' },
  ),
  contractBug(
    "a stream is resumed behind its end as behind any change",
    { file: SOURCE, test: "that ended is gone on with from the very change that ended it" },
    {
      at: "a-stream-is-resumed-behind-its-end-as-behind-any-change",
      instead: "return { ...lookup, resumeAfter: token };",
    },
  ),
  contractBug(
    "a change that is too large costs its neighbours",
    { file: SOURCE, test: "is given up alone: those before and behind it are whole" },
    {
      at: "a-change-that-is-too-large-costs-its-neighbours",
      instead: "return cluster.watch(this.#place, SHRINK, { batchSize: 1 });",
    },
  ),
  contractBug(
    "what is missing behind a lost history is not counted",
    {
      file: SOURCE,
      test: "goes on with the oldest change, and says what is missing, for a user who may not look into the log",
    },
    { at: "what-is-missing-behind-a-lost-history-is-not-counted", instead: "this.#hasGap = false;" },
  ),
  contractBug(
    "a driver that finds no server is asked again",
    { file: SOURCE, test: "is asked by another client when the driver finds no server" },
    {
      at: "a-driver-that-finds-no-server-is-asked-again",
      instead: "if (error === undefined) this.#renew();",
    },
  ),
  contractBug(
    "a stream whose server is silent is waited for",
    { file: SOURCE, test: "that is silent is asked anew, and read on with" },
    {
      at: "a-stream-whose-server-is-silent-is-waited-for",
      instead: "else if (askedMs < 0) throw new Error();",
    },
  ),
];
