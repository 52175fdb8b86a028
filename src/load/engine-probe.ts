/**
 * Loaded into the engine's process before the engine itself: tells the harness its memory and CPU, and ends the process
 * when the harness is gone, so that no engine is left behind.
 */
export interface ProbeRequest {
  readonly id: number;
  /** Collect garbage first: only then the heap says what is kept. */
  readonly collect: boolean;
}

export interface ProbeAnswer {
  readonly id: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Outside of the heap: buffers. */
  readonly externalBytes: number;
  /** User and system time since the process began, microseconds. */
  readonly cpuMicros: number;
}

process.on("message", (request: ProbeRequest) => {
  if (request.collect) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const answer: ProbeAnswer = {
    id: request.id,
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    cpuMicros: user + system,
  };
  // The harness may have gone in between; "disconnect" sees to that.
  process.send?.(answer, undefined, undefined, () => undefined);
});
process.on("disconnect", () => process.exit(1));
// The engine ends when it is done, not when the harness is.
process.channel?.unref();
