import { type ContractBug, contractBug } from "../contract-bug.ts";

const STREAM = "test/contract/local-stream.test.ts";

/** Local stream and queue files. */
export const LOCAL_BUGS: readonly ContractBug[] = [
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
