import { parkedKeyTables } from "./parked-key-statements.ts";
import { parkingTables } from "./parking-statements.ts";

const POSTGRES_WORDS = {
  schema: "millrace.",
  text: 'text COLLATE "C"',
  integer: "bigint",
  real: "double precision",
  bytes: "bytea",
  end: "",
} as const;

/** Each brings the schema one version further, and is never changed once it was released. */
export const MIGRATIONS: readonly string[] = [
  // Checkpoints are text, as jsonb refuses some of what JSON may hold (\u0000) and gives its members in another order.
  `CREATE TABLE millrace.progress (
    mapping_uuid text COLLATE "C" NOT NULL,
    shard_id text COLLATE "C" NOT NULL,
    parent_shard_ids text NOT NULL,
    owner text,
    epoch bigint NOT NULL DEFAULT 0,
    counter bigint NOT NULL DEFAULT 0,
    handover_to text,
    checkpoint_epoch bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL,
    checkpoint text NOT NULL,
    PRIMARY KEY (mapping_uuid, shard_id)
  )`,
  // A claim may be longer than what an index takes, so its digest stands for it. The row's lock puts writes in order.
  `CREATE TABLE millrace.mapping (
    uuid text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    claims text NOT NULL,
    document text NOT NULL
  );
  CREATE TABLE millrace.mapping_claim (
    digest text COLLATE "C" PRIMARY KEY,
    mapping_uuid text COLLATE "C" NOT NULL REFERENCES millrace.mapping ON DELETE CASCADE
  );
  CREATE INDEX mapping_claim_by_mapping ON millrace.mapping_claim (mapping_uuid);
  CREATE TABLE millrace.mapping_version (version bigint NOT NULL);
  INSERT INTO millrace.mapping_version (version) VALUES (0);
  CREATE TABLE millrace.mapping_process (
    process_id text COLLATE "C" PRIMARY KEY,
    applied_version bigint NOT NULL,
    beat bigint NOT NULL
  )`,
  // A cell that is gone keeps its revision.
  `CREATE TABLE millrace.cell (
    name text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    document text
  )`,
  // A process of a version before finds its tables gone, and stops what it runs within its cut-off; until then others
  // wait for it, since its beat is taken over. Locked in the order in which its writes lock: none is lost between.
  `LOCK TABLE millrace.mapping_version, millrace.mapping, millrace.mapping_claim, millrace.mapping_process;
  ALTER TABLE millrace.mapping RENAME TO resource;
  ALTER TABLE millrace.resource RENAME COLUMN uuid TO uid;
  ALTER TABLE millrace.resource ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'mapping';
  ALTER TABLE millrace.resource ALTER COLUMN kind DROP DEFAULT;
  ALTER TABLE millrace.resource ADD COLUMN name text COLLATE "C";
  UPDATE millrace.resource SET name = uid;
  ALTER TABLE millrace.resource ALTER COLUMN name SET NOT NULL;
  ALTER TABLE millrace.resource ADD UNIQUE (kind, name);
  ALTER TABLE millrace.mapping_claim RENAME TO resource_claim;
  ALTER TABLE millrace.resource_claim RENAME COLUMN mapping_uuid TO uid;
  ALTER INDEX millrace.mapping_claim_by_mapping RENAME TO resource_claim_by_uid;
  ALTER TABLE millrace.mapping_version RENAME TO resource_version;
  ALTER TABLE millrace.mapping_process RENAME TO process`,
  `CREATE TABLE millrace.failure (
    id text COLLATE "C" PRIMARY KEY,
    mapping text COLLATE "C" NOT NULL,
    at_ms bigint NOT NULL,
    state text NOT NULL,
    redrive_id text COLLATE "C",
    document text NOT NULL
  );
  CREATE INDEX failure_by_time ON millrace.failure (at_ms, id);
  CREATE INDEX failure_by_mapping ON millrace.failure (mapping, at_ms, id)`,
  `CREATE TABLE millrace.process_snapshot (
    process_id text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL,
    document bytea NOT NULL
  );
  CREATE TABLE millrace.snapshot_ask (
    id integer PRIMARY KEY CHECK (id = 1),
    asked_until bigint NOT NULL
  )`,
  parkingTables(POSTGRES_WORDS),
  // Rows come and go: the server is to clean up behind them by their number, not by a share of the table.
  `CREATE TABLE millrace.async_item (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    lane text COLLATE "C" NOT NULL,
    qualifier text NOT NULL,
    put_ms bigint NOT NULL,
    visible_ms bigint NOT NULL,
    receipt text COLLATE "C",
    receive_count bigint NOT NULL,
    state text NOT NULL,
    bytes bigint NOT NULL,
    body bytea NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
  CREATE INDEX async_ready ON millrace.async_item (lane, visible_ms);
  CREATE TABLE millrace.cursor (name text COLLATE "C" PRIMARY KEY, place text NOT NULL)`,
  parkedKeyTables(POSTGRES_WORDS),
];
