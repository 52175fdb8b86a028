import { type ContractBug, contractBug } from "../contract-bug.ts";

const SQLITE = "test/contract/sqlite-store.test.ts";
const MEMORY_EVENTS = "test/contract/memory-async-queue.test.ts";
const SQLITE_EVENTS = "test/contract/sqlite-async-queue.test.ts";

const SQLITE_CELLS = "test/contract/sqlite-cell-store.test.ts";

const SQLITE_FAILURES = "test/contract/sqlite-failure-index.test.ts";

const REDRIVE_FEED = "test/unit/failures/redrive-feed.test.ts";

const SQLITE_PARKING = "test/contract/sqlite-parking-store.test.ts";

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
      file: "test/contract/sqlite-resource-store.test.ts",
      test: "on a full disk every write is refused and changes nothing, and works again afterwards",
    },
    {
      at: "a-change-of-a-mapping-is-answered-though-its-commit-failed",
      instead:
        'try { database.exec("COMMIT"); } catch { if (database.isTransaction) database.exec("ROLLBACK"); }',
    },
  ),
  contractBug(
    "a drainer that was followed still writes",
    { file: SQLITE_PARKING, test: "lets the newest drainer of a mapping write, and none before it" },
    {
      at: "a-drainer-that-was-followed-still-writes",
      instead:
        'isNewest: [`SELECT 1 AS newest FROM `, fence, ` WHERE mapping = $1 AND epoch >= $2`].join(""),',
    },
  ),
  contractBug(
    "a window is loaded wherever the redrive is",
    { file: SQLITE_PARKING, test: "loads each window once, and only behind the one before" },
    {
      at: "a-window-is-loaded-wherever-the-redrive-is",
      instead: 'if (redrive.isLoaded || seen === null) return "stale";',
    },
  ),
  ...["SQLite", "PostgreSQL"].map((store) => {
    const name = store.toLowerCase();
    const isSqlite = store === "SQLite";
    const file = isSqlite ? SQLITE_PARKING : "test/servers/postgres-parking.test.ts";
    return contractBug(
      `what is loaded twice waits again in ${store}`,
      { file, test: "leaves an item that is loaded again as it ended", needsServer: !isSqlite },
      {
        at: `what-is-loaded-twice-waits-again-in-${name}`,
        instead: `"ON CONFLICT (kind, id) DO UPDATE SET state = 'waiting'";`,
      },
    );
  }),
  contractBug(
    "a cell of SQLite is swapped whatever was seen",
    {
      file: SQLITE_CELLS,
      test: "lets exactly one of several swaps of one revision take effect",
    },
    {
      at: "a-cell-of-sqlite-is-swapped-whatever-was-seen",
      lines: 5,
      instead:
        'move: changedRows(database, "UPDATE cell SET revision = revision + 1, document = ? WHERE name = ? AND ? > 0 AND document IS NOT NULL RETURNING revision"),',
    },
  ),
  contractBug(
    "a cell of SQLite begins anew after its removal",
    { file: SQLITE_CELLS, test: "gives revisions that rise, also over a removal" },
    {
      at: "a-cell-of-sqlite-begins-anew-after-its-removal",
      lines: 5,
      instead:
        'make: changedRows(database, "INSERT INTO cell (name, revision, document) VALUES (?, 1, ?) ON CONFLICT (name) DO UPDATE SET revision = 1, document = excluded.document WHERE cell.document IS NULL RETURNING revision"),',
    },
  ),
  contractBug(
    "a cell of PostgreSQL is swapped whatever was seen",
    {
      file: "test/servers/postgres-cells.test.ts",
      test: "lets exactly one of several swaps of one revision take effect",
      needsServer: true,
    },
    {
      at: "a-cell-of-postgresql-is-swapped-whatever-was-seen",
      instead:
        'move: "UPDATE millrace.cell SET revision = revision + 1, document = $1 WHERE name = $2 AND $3::bigint > 0 AND document IS NOT NULL RETURNING revision",',
    },
  ),
  contractBug(
    "rows of failures in SQLite are without bound",
    { file: SQLITE_FAILURES, test: "keeps as many rows as it may, and lets the oldest go" },
    {
      at: "rows-of-failures-in-sqlite-are-without-bound",
      lines: 4,
      instead: 'trim: database.prepare("SELECT ?"),',
    },
  ),
  contractBug(
    "a failure of SQLite is marked whatever its state",
    { file: SQLITE_FAILURES, test: "gives each row to one of two that mark at once" },
    {
      at: "a-failure-of-sqlite-is-marked-whatever-its-state",
      lines: 5,
      instead:
        'mark: changedRows(database, "UPDATE failure SET state = ?, redrive_id = ? WHERE id IN (SELECT value FROM json_each(?)) AND length(?) > 0 AND (? IS NULL OR redrive_id = ?) RETURNING id"),',
    },
  ),
  contractBug(
    "a failure of PostgreSQL is marked whatever its state",
    {
      file: "test/servers/postgres-failures.test.ts",
      test: "gives each row to one of two that mark at once",
      needsServer: true,
    },
    {
      at: "a-failure-of-postgresql-is-marked-whatever-its-state",
      lines: 3,
      instead:
        'mark: "UPDATE millrace.failure SET state = $1, redrive_id = $2 WHERE id = ANY($3::text[]) AND cardinality($4::text[]) > 0 AND ($5::text IS NULL OR redrive_id = $5) RETURNING id",',
    },
  ),
  contractBug(
    "a record that was given up twice is redriven twice",
    { file: REDRIVE_FEED, test: "a record that was given up twice is redriven once" },
    { at: "a-record-that-was-given-up-twice-is-redriven-twice", instead: "" },
  ),
  contractBug(
    "what fails again is not listed",
    {
      file: REDRIVE_FEED,
      test: "what fails again is a failure of its own, with its new error and its place",
    },
    { at: "what-fails-again-is-not-listed", instead: "" },
  ),
  contractBug(
    "what is left of a failure is forgotten",
    {
      file: REDRIVE_FEED,
      test: "what was held back or never begun is open, what is uncertain waits for a decision",
    },
    { at: "what-is-left-of-a-failure-is-forgotten", lines: 4, instead: "const left: FailureRow[] = [];" },
  ),
  contractBug(
    "a swap without an answer is taken for none",
    {
      file: "test/unit/invocation/shared-limit.test.ts",
      test: "believes the smaller grant while a swap that was lost may still take effect",
    },
    { at: "a-swap-without-an-answer-is-taken-for-none", instead: "" },
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
  contractBug(
    "a tick of the memory queue is put wherever its cursor stands",
    { file: MEMORY_EVENTS, test: "puts with a cursor only from where it stands, and moves it" },
    {
      at: "a-tick-of-memory-is-put-wherever-its-cursor-stands",
      instead: 'if (cursor.name === "") return "stale";',
    },
  ),
  contractBug(
    "a receive of the memory queue gives all that is visible of a lane",
    { file: MEMORY_EVENTS, test: "gives no more of a lane than was asked for, the longest visible first" },
    {
      at: "receive-of-memory-gives-all-that-is-visible-of-a-lane",
      instead: "for (const entry of this.#visible(lane, nowMs).slice(0, laneMax * 10)) {",
    },
  ),
  contractBug(
    "the memory queue settles what somebody else holds",
    { file: MEMORY_EVENTS, test: "changes nothing for whoever has lost the hold" },
    {
      at: "memory-settles-what-somebody-else-holds",
      instead: 'if (entry === undefined || receipt === "") return "lost";',
    },
  ),
  contractBug(
    "a tick of SQLite's queue is put wherever its cursor stands",
    { file: SQLITE_EVENTS, test: "puts with a cursor only from where it stands, and moves it" },
    {
      at: "a-tick-of-sqlite-is-put-wherever-its-cursor-stands",
      instead: "if (from === to) return false;",
    },
  ),
  contractBug(
    "SQLite's queue forgets what a finished event ends in",
    { file: SQLITE_EVENTS, test: "takes a finished item off, and puts what comes of it" },
    { at: "sqlites-finish-forgets-the-deliveries", instead: "void next;" },
  ),
  contractBug(
    "SQLite's queue finishes what somebody else holds",
    { file: SQLITE_EVENTS, test: "changes nothing for whoever has lost the hold" },
    {
      at: "sqlite-finishes-what-somebody-else-holds",
      instead:
        "remove: changedRows(database, \"DELETE FROM async_item WHERE id = ? AND ? <> '' AND ? > 0 RETURNING id\"),",
    },
  ),
];
