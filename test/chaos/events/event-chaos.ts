import { parseArgs } from "node:util";
import { exitOnSignals } from "../../servers/ends-with-us.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { runEventChaos } from "./run-event-chaos.ts";
import { eventsOnPostgres, eventsOnSqlite } from "./stores.ts";

/**
 * `npm run chaos:events -- [--store postgres|sqlite] [--events N] [--disturbances N] [--processes N] [--every-ms N]
 * [--seed N]`: events are handed to processes that are killed, paused and cut off from their store. Exit status 1 when
 * one that was accepted did not run or is not told.
 */
const { values } = parseArgs({
  options: {
    store: { type: "string", default: "postgres" },
    events: { type: "string", default: "100000" },
    disturbances: { type: "string", default: "200" },
    processes: { type: "string" },
    "every-ms": { type: "string", default: "3000" },
    seed: { type: "string", default: "1" },
  },
});
exitOnSignals();
const isShared = values.store !== "sqlite";
const size = {
  events: Number(values.events),
  disturbances: Number(values.disturbances),
  processes: Number(values.processes ?? (isShared ? 4 : 1)),
  everyMs: Number(values["every-ms"]),
  seed: Number(values.seed),
};
const server = isShared ? await startPostgres() : undefined;
try {
  const parts = server === undefined ? eventsOnSqlite() : eventsOnPostgres(await server.createDatabase());
  const { lost, ...report } = await runEventChaos({ ...size, ...parts });
  console.log(JSON.stringify({ store: values.store, ...size, ...report, lost: lost.length }));
  for (const what of lost.slice(0, 20)) console.log(what);
  process.exitCode = lost.length === 0 ? 0 : 1;
} finally {
  await server?.close();
}
