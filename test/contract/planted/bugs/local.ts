import { type ContractBug, contractBug } from "../contract-bug.ts";

const REMADE = "test/unit/connectors/local/remade-file.test.ts";
const STREAM = "test/contract/local-stream.test.ts";

/** Local stream and queue files. */
export const LOCAL_BUGS: readonly ContractBug[] = [
  contractBug(
    "a local stream that was made anew is read on from the old one's place",
    {
      file: REMADE,
      test: "a start in the log of a removed file reads the new file from its beginning, however long it has grown",
    },
    {
      file: "connectors/local/reader.ts",
      find: "this.#logId !== undefined && this.#logId !== logId",
      replace: "this.#logId !== undefined && this.#logId === undefined",
    },
  ),
  contractBug(
    "a reader of a local stream never looks at its path again",
    {
      file: REMADE,
      test: "a running reader goes over to a file that was made anew, and reads it from its beginning",
    },
    {
      file: "src/sqlite/live-file.ts",
      find: 'if (sight === "same") return;',
      replace: "if (sight !== undefined) return;",
    },
  ),
  contractBug(
    "records of a local stream are accepted though their commit failed",
    {
      file: "test/contract/failing-disk-files.test.ts",
      test: "on a full disk records that a local stream refused are read by nobody, and later ones follow without a gap",
    },
    {
      file: "src/sqlite/transaction.ts",
      find: 'database.exec("COMMIT");\n    return result;',
      replace:
        'try { database.exec("COMMIT"); } catch { if (database.isTransaction) database.exec("ROLLBACK"); }\n    return result;',
    },
  ),
  contractBug(
    "what is appended to a removed file is accepted",
    {
      file: REMADE,
      test: "who appends to a file that was removed or made anew is told that nobody will see it",
    },
    {
      file: "connectors/local/stream-database.ts",
      find: "if (fileAt(path) !== file)",
      replace: 'if (fileAt(path) !== file && path === "")',
    },
  ),
  contractBug(
    "a local stream begins a record too far",
    {
      file: STREAM,
      test: "resuming after any position yields exactly what follows it, also from another source",
    },
    {
      file: "connectors/local/reader.ts",
      find: 'if (start.kind === "after") this.#after = parsePosition(start.position);',
      replace: 'if (start.kind === "after") this.#after = parsePosition(start.position) + 1;',
    },
  ),
];
