const WAIT_MS = 500;
const WAIT_MAX_MS = 2_000;
const SPREAD = 100;

/**
 * A partition without records answers so soon, and later with every read that has none: a thousand that have nothing
 * are not to keep the process busy with saying so. Each has a time of its own, lest they all end their reads in the
 * same moment.
 */
export function readWaitMs(partition: number, emptyReads: number): number {
  return Math.min(WAIT_MS * 2 ** emptyReads, WAIT_MAX_MS) * (1 + (partition % SPREAD) / SPREAD);
}
