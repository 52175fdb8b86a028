import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openDynamodbStore } from "../../src/stores/dynamodb.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { StoreProxy } from "../chaos/store-proxy.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startPostgres, throughPort } from "./postgres.ts";
import { shared } from "./shared-server.ts";
import { describeStoreOutages } from "./store-outages.ts";

const startedPostgres = shared(startPostgres);
describeStoreOutages("a PostgreSQL that does not answer", {
  async createContent() {
    const postgres = await startedPostgres();
    const proxy = await StoreProxy.start(Number(new URL(postgres.url).port || "5432"));
    const url = throughPort(await postgres.createDatabase(), proxy.port);
    return contentOf(() => openPostgresStore(url), proxy);
  },
});

const startedDynamodb = shared(startDynamodbLocal);
describeStoreOutages("a DynamoDB that does not answer", {
  async createContent() {
    const dynamodb = await startedDynamodb();
    const proxy = await StoreProxy.start(Number(new URL(dynamodb.endpoint).port));
    const table = `millrace-${randomUUID()}`;
    const open = () => {
      useEndpoint(`http://127.0.0.1:${proxy.port}`);
      return openedInTime(() => openDynamodbStore(table));
    };
    return contentOf(open, proxy);
  },
});

describeStoreOutages("an SQLite file that is locked", {
  async createContent() {
    let other: DatabaseSync | undefined;
    return fileContent({
      async begin(path) {
        other = new DatabaseSync(path, { timeout: 5_000 });
        other.exec("BEGIN IMMEDIATE");
      },
      async end() {
        other?.close();
      },
    });
  },
});

/** With what belongs to it; the open handles keep what they have. */
describeStoreOutages("an SQLite file that is not there", {
  createContent: async () =>
    fileContent({
      begin: async (path) => moveStore(path, `${path}.away`),
      end: async (path) => moveStore(`${path}.away`, path),
    }),
});

function moveStore(from: string, to: string): void {
  for (const end of ["-wal", "-shm", ""])
    if (existsSync(`${from}${end}`)) renameSync(`${from}${end}`, `${to}${end}`);
}

interface FileOutage {
  begin(path: string): Promise<void>;
  end(path: string): Promise<void>;
}

function fileContent({ begin, end }: FileOutage) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "progress.db");
  const stores: ProgressStore[] = [];
  return {
    async open() {
      const store = await openSqliteStore(path);
      stores.push(store);
      return store;
    },
    begin: () => begin(path),
    end: () => end(path),
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      rmSync(folder, { recursive: true });
    },
  };
}

const OPENS_MAX = 5;

/** The first call to a server that has just started may take longer than any later one. */
async function openedInTime(open: () => Promise<ProgressStore>): Promise<ProgressStore> {
  for (let opens = 1; ; opens++) {
    try {
      return await open();
    } catch (error) {
      if (opens === OPENS_MAX || !hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE")) throw error;
    }
  }
}

function contentOf(openStore: () => Promise<ProgressStore>, proxy: StoreProxy) {
  const stores: ProgressStore[] = [];
  return {
    async open() {
      const store = await openStore();
      stores.push(store);
      return store;
    },
    begin: async () => proxy.hang(),
    end: async () => proxy.goOn(),
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      proxy.close();
    },
  };
}
