/**
 * How much of a source waits for a mapping, asked by a process that reads nothing of it.
 *
 * Laws:
 * - A look takes nothing and changes nothing: no message is hidden, no reader joins a group, nothing is committed.
 * - What was stored before a look begins, and is not settled, is counted, as far as the source itself knows. What a
 *   broker has sent to a process that lives may be missing: that process says that it holds work.
 * - A look that fails rejects with `ERR_MILLRACE_SOURCE_UNAVAILABLE`, `…_THROTTLED` or `…_NOT_FOUND`; nobody knows then
 *   what waits.
 */
export interface SourceBacklog {
  look(signal: AbortSignal): Promise<BacklogSight>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface BacklogSight {
  /** Records or messages that are not settled: as many as the source counts, else one for each part that has any. */
  readonly elements: number;
  /** Shards with any; of a queue one. */
  readonly parts: number;
}
