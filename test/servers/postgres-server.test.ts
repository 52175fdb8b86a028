import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { inspect } from "node:util";
import type { HeldLease, ProgressStore, ShardProgress } from "../../src/ports/progress-store.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { POSTGRES_LIMITS } from "../../src/stores/postgres-database.ts";
import { MIGRATIONS } from "../../src/stores/postgres-migrations.ts";
import {
  checkpointAt,
  look,
  MAPPING,
  manyShards,
  newShard,
  take,
} from "../contract/progress-store-harness.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { until } from "../integration/cli/millrace-process.ts";
import { POSTGRES_PASSWORD, startOwnPostgres, withClient } from "./postgres.ts";

const HANG = { timeout: 120_000 };
const server = await startOwnPostgres({ tls: true });
after(() => server.close());

test(
  "works again by itself after the server was killed and came back, with what was stored",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const store = await opened(t, url);
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(3, "30")), "stored");
    const running = Promise.allSettled(Array.from({ length: 20 }, () => store.renew(MAPPING, lease)));
    await server.stop();
    for (const result of await running) {
      if (result.status === "rejected") assert.equal(result.reason.code, "ERR_MILLRACE_STORE_UNAVAILABLE");
    }
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, lease));
    assertShowsNoPassword(error);
    assert.match(error.message, /127\.0\.0\.1:\d+\/test_\w+ could not be used: .*Check that the server runs/);
    await server.start();
    await until(
      async () => (await store.renew(MAPPING, lease).catch(() => undefined))?.kind === "renewed",
      () => "the lease could not be renewed",
    );
    assert.deepEqual((await look(store, "a")).checkpoint, checkpointAt(3, "30"));
    assert.equal(await store.checkpoint(MAPPING, lease, checkpointAt(3, "20")), "stale");
  },
);

async function takeSeen(store: ProgressStore, seen: ShardProgress): Promise<HeldLease> {
  const { shardId } = seen;
  const progress = await store.acquire(MAPPING, shardId, "one", seen);
  assert.ok(progress !== undefined, `shard ${shardId} could not be taken`);
  return { shardId, owner: "one", epoch: progress.epoch };
}

test("eight that open an empty database at once make one schema", HANG, async (t) => {
  const url = await server.createDatabase();
  const stores = await Promise.all(Array.from({ length: 8 }, () => opened(t, url)));
  await Promise.all(stores.map((store) => store.initialise(MAPPING, [newShard("a")])));
  assert.equal((await stores[0]?.list(MAPPING))?.length, 1);
  const { rows } = await withClient(url, (client) =>
    client.query("SELECT version FROM millrace.schema_version ORDER BY version"),
  );
  assert.deepEqual(
    rows,
    MIGRATIONS.map((_, index) => ({ version: index + 1 })),
  );
});

test(
  "a row that another has locked is given up by the server, and works again afterwards",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const limits = { ...POSTGRES_LIMITS, statementMs: 200 };
    const store = await openPostgresStore(url, { environment: {}, limits });
    t.after(() => store.close());
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    await withClient(url, async (client) => {
      await client.query("BEGIN; SELECT 1 FROM millrace.progress FOR UPDATE");
      const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, lease));
      assert.match(error.message, /SQLSTATE 57014\)\. Look for locks and load/);
      await client.query("ROLLBACK");
    });
    assert.equal((await store.renew(MAPPING, lease)).kind, "renewed");
  },
);

test("a burst of more calls than connections is served, and takes no more of the server", HANG, async (t) => {
  const url = await server.createDatabase();
  const store = await opened(t, url);
  const shards = manyShards(300);
  await store.initialise(MAPPING, shards);
  const seen = await store.list(MAPPING);
  const taken = await Promise.all(seen.map((each) => takeSeen(store, each)));
  const stored = await Promise.all(
    taken.map((lease) => store.checkpoint(MAPPING, lease, checkpointAt(1, "5"))),
  );
  assert.deepEqual(new Set(stored), new Set(["stored"]));
  const { rows } = await withClient(server.url, (client) =>
    client.query("SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = $1", [
      new URL(url).pathname.slice(1),
    ]),
  );
  assert.ok(rows[0].open > 0 && rows[0].open <= POSTGRES_LIMITS.connections, `${rows[0].open} connections`);
});

test(
  "a call that waits for its turn longer than a connection may take is served all the same",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const limits = { ...POSTGRES_LIMITS, connections: 2, connectMs: 1_000 };
    const store = await openPostgresStore(url, { environment: {}, limits });
    t.after(() => store.close());
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    await withClient(url, async (client) => {
      await client.query("BEGIN; SELECT 1 FROM millrace.progress FOR UPDATE");
      const renewals = Promise.all(Array.from({ length: 6 }, () => store.renew(MAPPING, lease)));
      await client.query("SELECT pg_sleep(2); ROLLBACK");
      assert.deepEqual(new Set((await renewals).map(({ kind }) => kind)), new Set(["renewed"]));
    });
  },
);

test(
  "a call whose turn never comes is given up, and says that calls wait, not that the server is away",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const limits = { ...POSTGRES_LIMITS, connections: 1, turnMs: 100 };
    const store = await openPostgresStore(url, { environment: {}, limits });
    t.after(() => store.close());
    await store.initialise(MAPPING, [newShard("a")]);
    const { lease } = await take(store, "a", "one");
    await withClient(url, async (client) => {
      await client.query("BEGIN; SELECT 1 FROM millrace.progress FOR UPDATE");
      const first = store.renew(MAPPING, lease);
      const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, lease));
      assert.match(
        error.message,
        /no turn came in 100 ms: 1 calls ran .*Look for locks and load on the server/,
      );
      await client.query("ROLLBACK");
      assert.equal((await first).kind, "renewed");
    });
  },
);

test(
  "a schema of a newer version, and one that is another's, are refused and left as they are",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    await (await opened(t, url)).close();
    await run(url, "INSERT INTO millrace.schema_version VALUES (1000)");
    const newer = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => openPostgresStore(url));
    assert.match(newer.message, /format 1000; this version of millrace reads formats up to \d+/);

    for (const sql of ["progress (name text)", "schema_version (name text)"]) {
      const other = await server.createDatabase();
      await run(other, `CREATE SCHEMA millrace; CREATE TABLE millrace.${sql}`);
      const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => openPostgresStore(other));
      assert.match(error.message, /was not made by millrace/);
      assertShowsNoPassword(error);
      const { rows } = await withClient(other, (client) =>
        client.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'millrace'"),
      );
      assert.equal(rows.length, 1);
    }
  },
);

test(
  "a record that cannot be read is corrupt, and the message names shard, mapping and remedy",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const store = await opened(t, url);
    await store.initialise(MAPPING, [newShard("shard-a")]);
    await run(url, "UPDATE millrace.progress SET checkpoint = '{\"revision\":1}'");
    const error = await rejectsWith("ERR_MILLRACE_STORE_CORRUPT", () => store.list(MAPPING));
    for (const part of ["shard-a", MAPPING, "`millrace.progress`"]) assert.ok(error.message.includes(part));
  },
);

test(
  "a user without the right to make the schema is told so, and needs no such right once it is there",
  HANG,
  async (t) => {
    const url = await server.createDatabase();
    const role = `limited_${new URL(url).pathname.slice(-8)}`;
    await run(url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    const limited = new URL(url);
    limited.username = role;
    limited.password = "x";
    const refused = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
      openPostgresStore(limited.href),
    );
    assert.match(refused.message, /SQLSTATE 42501.*create a schema millrace that the user owns/);
    await (await opened(t, url)).close();
    await run(
      url,
      `GRANT USAGE ON SCHEMA millrace TO ${role};
     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA millrace TO ${role}`,
    );
    const store = await opened(t, limited.href);
    await store.initialise(MAPPING, [newShard("a")]);
    await take(store, "a", "one");
  },
);

test(
  "whatever is wrong with the access, the message says what to do and shows no password",
  HANG,
  async () => {
    const cases: readonly (readonly [change: (url: URL) => void, message: RegExp])[] = [
      [(url) => (url.password = "wrong-canary"), /SQLSTATE 28P01\)\. Check the user, and the password/],
      [(url) => (url.password = ""), /Check the user, and the password/],
      [(url) => (url.pathname = "/missing"), /SQLSTATE 3D000\)\. Create the database/],
      [(url) => (url.port = "1"), /ECONNREFUSED.*Check that the server runs/],
      [(url) => (url.hostname = "no-such-host.invalid"), /no-such-host\.invalid.*Check that the server runs/],
      [(url) => (url.search = "?sslmode=verify-full"), /Check sslmode and sslrootcert/],
    ];
    for (const [change, message] of cases) {
      const url = new URL(server.url);
      change(url);
      const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
        openPostgresStore(url.href, { environment: {} }),
      );
      assert.match(error.message, message);
      assertShowsNoPassword(error);
    }
  },
);

test(
  "the password may come from PGPASSWORD, or from a passfile that nobody else may read",
  HANG,
  async (t) => {
    const url = new URL(server.url);
    url.password = "";
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const PGPASSFILE = join(folder, "passfile");
    const escaped = POSTGRES_PASSWORD.replace(/[:\\]/g, "\\$&");
    writeFileSync(
      PGPASSFILE,
      `# a comment\n127.0.0.1:1:*:postgres:other\n127.0.0.1:*:*:postgres:${escaped}\n`,
    );
    for (const environment of [{ PGPASSWORD: POSTGRES_PASSWORD }, { PGPASSFILE }]) {
      chmodSync(PGPASSFILE, 0o600);
      await (await openPostgresStore(url.href, { environment })).close();
    }
    chmodSync(PGPASSFILE, 0o640);
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
      openPostgresStore(url.href, { environment: { PGPASSFILE } }),
    );
    assert.match(error.message, /mode 0600/);
  },
);

const TLS = join(import.meta.dirname, "../fixtures/tls");
const ROOT = `sslrootcert=${join(TLS, "root.crt")}`;
const OTHER = `sslrootcert=${join(TLS, "other-root.crt")}`;

/** The certificate is for `localhost`, and not for the address. */
const MODES: readonly (readonly [host: string, parameters: string, encrypted: boolean | RegExp])[] = [
  ["127.0.0.1", "", true],
  ["127.0.0.1", "sslmode=disable", false],
  ["127.0.0.1", "sslmode=prefer", true],
  ["127.0.0.1", "sslmode=require", true],
  ["127.0.0.1", `sslmode=require&${ROOT}`, true],
  ["127.0.0.1", `sslmode=require&${OTHER}`, /certificate/],
  ["127.0.0.1", `sslmode=verify-ca&${ROOT}`, true],
  ["127.0.0.1", `sslmode=verify-ca&${OTHER}`, /certificate/],
  ["127.0.0.1", `sslmode=verify-full&${ROOT}`, /certificate/],
  ["localhost", `sslmode=verify-full&${ROOT}`, true],
  ["localhost", "sslmode=verify-full", /certificate/],
  ["localhost", "sslrootcert=system", /certificate/],
];

for (const [host, parameters, encrypted] of MODES) {
  const name = parameters.replaceAll(`${TLS}/`, "") || "no sslmode";
  test(`TLS as libpq has it: ${host}, ${name}`, HANG, async (t) => {
    const url = new URL(await server.createDatabase());
    url.hostname = host;
    url.search = [parameters, "application_name=tls-probe"].filter(Boolean).join("&");
    if (encrypted instanceof RegExp) {
      const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
        openPostgresStore(url.href, { environment: {} }),
      );
      assert.match(error.message, encrypted);
      return;
    }
    await opened(t, url.href);
    const { rows } = await withClient(server.url, (client) =>
      client.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tls-probe' AND datname = $1",
        [url.pathname.slice(1)],
      ),
    );
    assert.deepEqual(rows, [{ ssl: encrypted }]);
  });
}

test(
  "a server without TLS is taken as it is by default, and refused with sslmode=require",
  HANG,
  async (t) => {
    const plain = await startOwnPostgres();
    t.after(() => plain.close());
    await (await openPostgresStore(plain.url, { environment: {} })).close();
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
      openPostgresStore(plain.url, { environment: { PGSSLMODE: "require" } }),
    );
    assert.match(error.message, /does not support SSL connections\. Check sslmode/);
  },
);

async function opened(t: TestContext, url: string): Promise<ProgressStore> {
  const store = await openPostgresStore(url, { environment: {} });
  t.after(() => store.close());
  return store;
}

async function run(url: string, sql: string): Promise<void> {
  await withClient(url, (client) => client.query(sql));
}

/** Neither in what is shown of it nor anywhere inside, causes included. */
function assertShowsNoPassword(error: Error): void {
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [POSTGRES_PASSWORD, encodeURIComponent(POSTGRES_PASSWORD), "wrong-canary"])
    assert.ok(!shown.includes(secret), shown);
}
