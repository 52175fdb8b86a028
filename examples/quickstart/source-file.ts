import { existsSync, renameSync, rmSync } from "node:fs";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { createArrivalsQueue } from "./arrivals-queue.ts";
import { createFlightStream } from "./flights.ts";

/**
 * Makes the file with the stream and the queue, filled, unless it exists: whole or not at all, even if it is killed.
 */
export function fillSourceFileOnce(path: string): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.unfinished`;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(unfinished + suffix, { force: true });
  const file = openStreamFile(unfinished);
  try {
    createFlightStream(file);
    createArrivalsQueue(file);
  } finally {
    // The last to close an SQLite file leaves all of it in the one file.
    file.close();
  }
  renameSync(unfinished, path);
}
