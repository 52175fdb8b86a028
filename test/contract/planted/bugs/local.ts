import { type ContractBug, contractBug } from "../contract-bug.ts";

const REMADE = "test/unit/connectors/local/remade-file.test.ts";
const EMBEDDED = "test/contract/local-embedded-sources.test.ts";
const STREAM = "test/contract/local-stream.test.ts";

/** Local stream and queue files. */
export const LOCAL_BUGS: readonly ContractBug[] = [
  contractBug(
    "each of two made the local stream",
    { file: EMBEDDED, test: "makes one stream of a name, however many ask at once" },
    { at: "each-of-two-made-the-local-stream", instead: "if (file.hasStream(stream.name)) return true;" },
  ),
  contractBug(
    "a look at a local queue takes messages away",
    { file: EMBEDDED, test: "looks without receiving, counts what is there, and takes all away" },
    {
      at: "a-look-at-a-local-queue-takes-messages-away",
      instead:
        "kept.write(({ file }) => { const queue = file.openQueue(name); const seen = queue.peek(messagesMax); queue.purge(); return seen; }),",
    },
  ),
  contractBug(
    "what was refused moves the answers of others",
    {
      file: EMBEDDED,
      test: "refuses alone a record that is not valid, and stores the others in their order",
    },
    {
      at: "what-was-refused-moves-the-answers-of-others",
      lines: 2,
      instead:
        'for (const at of part.keys()) outcomes[at] = Array.isArray(stored) ? (stored[at] ?? { kind: "unknown" }) : stored;',
    },
  ),
  contractBug(
    "a local stream that was made anew is read on from the old one's place",
    {
      file: REMADE,
      test: "a start in the log of a removed file reads the new file from its beginning, however long it has grown",
    },
    {
      at: "a-local-stream-that-was-made-anew-is-read-on-from-the-old-ones-place",
      instead: "const isOther = this.#logId !== undefined && this.#logId === undefined;",
    },
  ),
  contractBug(
    "a reader of a local stream never looks at its path again",
    {
      file: REMADE,
      test: "a running reader goes over to a file that was made anew, and reads it from its beginning",
    },
    {
      at: "a-reader-of-a-local-stream-never-looks-at-its-path-again",
      instead: "if (sight !== undefined) return;",
    },
  ),
  contractBug(
    "records of a local stream are accepted though their commit failed",
    {
      file: "test/contract/failing-disk-files.test.ts",
      test: "on a full disk records that a local stream refused are read by nobody, and later ones follow without a gap",
    },
    {
      at: "records-of-a-local-stream-are-accepted-though-their-commit-failed",
      instead:
        'try { database.exec("COMMIT"); } catch { if (database.isTransaction) database.exec("ROLLBACK"); }',
    },
  ),
  contractBug(
    "what is appended to a removed file is accepted",
    {
      file: REMADE,
      test: "who appends to a file that was removed or made anew is told that nobody will see it",
    },
    {
      at: "what-is-appended-to-a-removed-file-is-accepted",
      instead:
        'if (fileAt(path) !== file && path === "") throw goneForNow(path, "was removed or replaced while it was written to");',
    },
  ),
  contractBug(
    "a local stream begins a record too far",
    {
      file: STREAM,
      test: "resuming after any position yields exactly what follows it, also from another source",
    },
    {
      at: "a-local-stream-begins-a-record-too-far",
      instead: 'if (start.kind === "after") this.#after = parsePosition(start.position) + 1;',
    },
  ),
];
