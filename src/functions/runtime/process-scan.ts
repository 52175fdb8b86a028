import { readdir, readFile } from "node:fs/promises";

/** What tells processes of an environment from all others. */
export interface ProcessMark {
  /** The process group that they began in. */
  readonly group: number;
  /** A variable, `NAME=VALUE`, that no other process has: also those who left the group carry it. */
  readonly variable: string;
}

/**
 * The processes of an environment that live, by Linux's /proc; `undefined`: this machine has none. One that has left
 * its group and changed its variables is not found.
 */
export async function findProcesses(mark: ProcessMark): Promise<readonly number[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const entries = await readdir("/proc").catch(() => undefined);
  if (entries === undefined) return undefined;
  const found: number[] = [];
  for (const entry of entries) {
    const pid = Number(entry);
    if (Number.isSafeInteger(pid) && pid !== process.pid && (await belongs(pid, mark))) found.push(pid);
  }
  return found;
}

async function belongs(pid: number, { group, variable }: ProcessMark): Promise<boolean> {
  try {
    const [state, , pgrp] = statFields(await readFile(`/proc/${pid}/stat`, "latin1"));
    if (state === "Z" || state === "X") return false;
    if (Number(pgrp) === group) return true;
    const variables = await readFile(`/proc/${pid}/environ`, "latin1");
    return variables.startsWith(`${variable}\0`) || variables.includes(`\0${variable}\0`);
  } catch {
    // It has ended meanwhile, or is of another user: then it is none of ours.
    return false;
  }
}

/** State, parent and group: they stand behind the name, which may hold anything. */
function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
}
