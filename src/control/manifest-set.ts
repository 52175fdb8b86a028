import { MillraceError } from "../model/errors.ts";
import type { ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import { DECLARED_KINDS } from "../resources/kinds.ts";
import type { Declaration } from "./function-rows.ts";
import { planSet, type SetDeclared, type SetPlan, type SetWrite } from "./set-plan.ts";

/** What happened to a set. */
export interface SetReport extends Omit<SetPlan, "writes" | "isFirstHalf"> {
  readonly written: number;
}

export interface SetOptions extends SetDeclared {
  readonly store: ResourceStore;
  /** What hangs on the rows: asked anew for each try. Absent: `declarations` as they are. */
  readonly prepare?: (rows: readonly ResourceRow[]) => readonly Declaration[];
}

const TRIES_MAX = 20;

/**
 * Writes what a set of manifests declares, once: rows of other owners stay as they are, a lower revision overwrites
 * nothing (I41), and what is gone from the set is kept and not run. Processes of one set may do so at once: who comes
 * second reads again and finds it done.
 * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
 */
export async function applySet(options: SetOptions): Promise<SetReport> {
  const { store } = options;
  let written = 0;
  let wasOtherContent = false;
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const rows = await store.list(DECLARED_KINDS);
    const declarations = options.prepare?.(rows) ?? options.declarations;
    const plan = planSet(rows, { ...options, declarations });
    const { writes, isOtherContent, isFirstHalf, ...report } = plan;
    wasOtherContent ||= isOtherContent === true;
    const done = await writeAll(store, writes);
    written += done;
    if (done < writes.length || isFirstHalf) continue;
    return { ...report, written, ...(wasOtherContent ? { isOtherContent: true } : {}) };
  }
  throw new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    "The resources of the manifests changed whenever they were to be written. Start again.",
  );
}

/** Resolves to how many took effect, before one that did not. */
async function writeAll(store: ResourceStore, writes: readonly SetWrite[]): Promise<number> {
  for (const [index, { row, seenVersion }] of writes.entries()) {
    const answer = await (seenVersion === undefined ? store.insert(row) : store.replace(row, seenVersion));
    if (answer.kind !== "written") return index;
  }
  return writes.length;
}
