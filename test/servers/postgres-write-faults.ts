import { withClient } from "./postgres.ts";

/** Ways in which a PostgreSQL server answers and writes nothing. `url`: of the database of one test. */
export interface PostgresWriteFault {
  readonly name: string;
  begin(url: string): Promise<void>;
  end(url: string): Promise<void>;
}

const TABLES = [
  "progress",
  "resource",
  "resource_version",
  "process",
  "cell",
  "failure",
  "redrive",
  "parked_entry",
  "parked_fence",
  "parked_mapping",
  "parked_writer",
  "parked_key",
  "parked_record",
  "async_item",
  "cursor",
];

export const POSTGRES_WRITE_FAULTS: readonly PostgresWriteFault[] = [
  {
    name: "server that takes no writes, as a replica",
    begin: (url) => setReadOnly(url, "on"),
    end: (url) => setReadOnly(url, "off"),
  },
  {
    // Told at the commit, when every statement of the transaction has been answered already.
    name: "server whose disk is full at the commit",
    begin: (url) =>
      withClient(url, async (client) => {
        await client.query(
          "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS " +
            "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
        );
        for (const table of TABLES)
          await client.query(
            `CREATE CONSTRAINT TRIGGER disk_full AFTER INSERT OR UPDATE OR DELETE ON millrace.${table} ` +
              "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION disk_full()",
          );
      }),
    end: (url) =>
      withClient(url, async (client) => void (await client.query("DROP FUNCTION disk_full CASCADE"))),
  },
];

/** For connections to come; those that are there end, as in a fail-over. */
async function setReadOnly(url: string, mode: "on" | "off"): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await withClient(url, async (client) => {
    await client.query("SET default_transaction_read_only = off");
    await client.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${mode}`);
    await client.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
      [name],
    );
  });
}
