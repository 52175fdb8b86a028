import { type ContractBug, contractBug } from "../contract-bug.ts";

const SQLITE = "test/contract/sqlite-store.test.ts";

const EARLY = {
  at: "early",
  instead: "return (...values) => [statement.get(...values)].filter((row) => row !== undefined);",
};

export const STORE_BUGS: readonly ContractBug[] = [
  contractBug(
    "a lease is renewed before the disk has taken it: full disk",
    { file: SQLITE, test: "what it answers on a full disk is what another handle reads" },
    EARLY,
  ),
  contractBug(
    "a lease is renewed before the disk has taken it: I/O error",
    { file: SQLITE, test: "what it answers on a failing disk is what another handle reads" },
    EARLY,
  ),
  contractBug(
    "a change of a mapping is answered though its commit failed",
    {
      file: "test/contract/sqlite-mapping-store.test.ts",
      test: "on a full disk every write is refused and changes nothing, and works again afterwards",
    },
    {
      at: "a-change-of-a-mapping-is-answered-though-its-commit-failed",
      instead:
        'try { database.exec("COMMIT"); } catch { if (database.isTransaction) database.exec("ROLLBACK"); }',
    },
  ),
  contractBug(
    "a failure record counts as delivered when half of its line is written",
    {
      file: "test/contract/failing-disk-files.test.ts",
      test: "on a full disk a failure record is refused, its torn line spoils no other, and it is taken afterwards",
    },
    {
      at: "a-failure-record-counts-as-delivered-when-half-of-its-line-is-written",
      instead: "if (bytesWritten === 0) {",
    },
  ),
  contractBug(
    "PostgreSQL's COMMIT is believed though it rolled back",
    {
      file: "test/servers/postgres-store.test.ts",
      test: "a transaction that the server rolled back at its commit is refused, whatever its statements answered",
      needsServer: true,
    },
    {
      at: "postgresqls-commit-is-believed-though-it-rolled-back",
      instead: `if (command === "") throw new Error(\`the transaction ended with \${command}\`);`,
    },
  ),
  contractBug(
    "a store's file that is another one is not noticed",
    {
      file: "test/unit/stores/sqlite-file.test.ts",
      test: "where another file is in the place of the store's, its former leases are fenced and the new owner stays alone",
    },
    { at: "a-stores-file-that-is-another-one-is-not-noticed", instead: 'if (sight !== "missing") return;' },
  ),
  contractBug(
    "a store's file that was removed is not noticed",
    {
      file: "test/unit/stores/sqlite-file.test.ts",
      test: "a store whose file was removed refuses every call, and works again when the file is back",
    },
    { at: "a-stores-file-that-was-removed-is-not-noticed", instead: 'if (sight === "missing") return;' },
  ),
  contractBug(
    "SQLite's store does not fence",
    { file: SQLITE, test: "the former owner of a lease is fenced in all that it does, and changes nothing" },
    {
      at: "sqlites-store-does-not-fence",
      instead: `const HELD = \`\${ONE} AND owner IS NOT ? AND epoch >= ?\`;`,
    },
  ),
];
