import { type ContractBug, contractBug } from "../contract-bug.ts";

const SQLITE = "test/contract/sqlite-store.test.ts";

export const STORE_BUGS: readonly ContractBug[] = [
  contractBug(
    "SQLite's store does not fence",
    { file: SQLITE, test: "the former owner of a lease is fenced in all that it does, and changes nothing" },
    {
      file: "src/stores/sqlite.ts",
      find: " AND owner = ? AND epoch = ?`;",
      replace: " AND owner IS NOT ? AND epoch >= ?`;",
    },
  ),
];
