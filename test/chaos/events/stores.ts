import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { throughPort, withClient } from "../../servers/postgres.ts";
import type { EventChaosOptions } from "./run-event-chaos.ts";

type StoreParts = Pick<EventChaosOptions, "serverPort" | "storeOf" | "endHolds" | "left">;

export function eventsOnPostgres(url: string): StoreParts {
  return {
    serverPort: Number(new URL(url).port || "5432"),
    storeOf: (port) => (port === undefined ? url : throughPort(url, port)),
    endHolds: () =>
      withClient(
        url,
        async (client) => void (await client.query("UPDATE millrace.async_item SET visible_ms = 0")),
      ),
    left: () =>
      withClient(url, async (client) => {
        const { rows } = await client.query("SELECT count(*) AS items FROM millrace.async_item");
        return Number(rows[0]?.items);
      }),
  };
}

export function eventsOnSqlite(): StoreParts {
  const within = async <T>(folder: string, work: (database: DatabaseSync) => T) => {
    const database = new DatabaseSync(join(folder, "events.db"), { timeout: 10_000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    serverPort: undefined,
    storeOf: (_port, folder) => `sqlite:${join(folder, "events.db")}`,
    endHolds: (folder) => within(folder, (database) => database.exec("UPDATE async_item SET visible_ms = 0")),
    left: (folder) =>
      within(folder, (database) =>
        Number(database.prepare("SELECT count(*) AS items FROM async_item").get()?.["items"]),
      ),
  };
}
