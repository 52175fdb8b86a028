import type { FunctionErrorEntry, FunctionErrors } from "../model/function-error.ts";

const ERRORS_MAX = 20;

/** The same id is the same error in every process. */
export function mergedErrors(all: readonly FunctionErrors[]): FunctionErrors {
  const merged = new Map<string, FunctionErrorEntry>();
  for (const entry of all.flatMap(({ errors }) => errors)) {
    const known = merged.get(entry.id);
    if (known === undefined) {
      merged.set(entry.id, entry);
      continue;
    }
    const last = known.lastSeenMs >= entry.lastSeenMs ? known : entry;
    const firstSeenMs = Math.min(known.firstSeenMs, entry.firstSeenMs);
    merged.set(entry.id, { ...last, firstSeenMs, count: known.count + entry.count });
  }
  const errors = [...merged.values()].toSorted((a, b) => b.lastSeenMs - a.lastSeenMs);
  const leftOut = all.reduce((sum, each) => sum + each.leftOut, 0);
  const cut = errors.slice(ERRORS_MAX).reduce((sum, { count }) => sum + count, 0);
  return { errors: errors.slice(0, ERRORS_MAX), leftOut: leftOut + cut };
}
