import type { DatabaseSync } from "node:sqlite";

/**
 * The file's own time, in milliseconds. It goes forward with the host's clock and stands when that is set back, never
 * goes back itself, and is one for all processes that have the file open.
 */
export interface FileClock {
  /**
   * Reads the time and notes it in the file. Call it in a write transaction: processes must not overtake each other.
   */
  advance(): FileTime;
  /**
   * The time, without writing. `undefined`: the host's clock was set back since it was noted last, so that only
   * `advance` has time go on.
   */
  peek(): number | undefined;
}

export interface FileTime {
  readonly nowMs: number;
  /** The host's clock at this moment: what functions and people see. */
  readonly hostMs: number;
}

type Row = { readonly host_ms: number; readonly file_ms: number };

export function createFileClock(database: DatabaseSync, now: () => number): FileClock {
  const read = database.prepare("SELECT host_ms, file_ms FROM file_clock WHERE id = 1");
  const write = database.prepare("UPDATE file_clock SET host_ms = ?, file_ms = ? WHERE id = 1");
  return {
    advance() {
      const noted = read.get() as unknown as Row;
      const hostMs = now();
      const nowMs = noted.file_ms + Math.max(0, hostMs - noted.host_ms);
      if (hostMs !== noted.host_ms) write.run(hostMs, nowMs);
      return { nowMs, hostMs };
    },
    peek() {
      const noted = read.get() as unknown as Row;
      const elapsedMs = now() - noted.host_ms;
      return elapsedMs < 0 ? undefined : noted.file_ms + elapsedMs;
    },
  };
}
