import { UNNEEDED_MS } from "../ports/package-store.ts";

/** What stands beside a package that nothing needs: since when, in epoch milliseconds. */
export interface UnneededMarks {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  clear(name: string): Promise<void>;
}

/**
 * Removes those of `kept` that nothing needed since a sweep `UNNEEDED_MS` ago. The mark is looked at again at last: who
 * puts a package takes its mark away.
 */
export async function sweepUnneeded(
  kept: readonly string[],
  needed: ReadonlySet<string>,
  nowMs: number,
  marks: UnneededMarks,
  remove: (name: string) => Promise<void>,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of kept) {
    const since = await marks.read(name);
    if (needed.has(name)) {
      if (since !== undefined) await marks.clear(name);
      continue;
    }
    const sinceMs = Number(since);
    if (since === undefined || !Number.isFinite(sinceMs)) await marks.write(name, String(nowMs));
    else if (nowMs - sinceMs >= UNNEEDED_MS && (await marks.read(name)) === since) {
      await remove(name);
      await marks.clear(name);
      removed.push(name);
    }
  }
  return removed;
}
