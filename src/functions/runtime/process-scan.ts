import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";

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
  const pids = processIds();
  if (pids === undefined) return undefined;
  const found: number[] = [];
  for (const [index, pid] of pids.entries()) {
    if (belongs(pid, mark)) found.push(pid);
    // Files of /proc are read in microseconds; a round trip through a pool of threads takes far longer.
    if (index % STEP === STEP - 1) await turn();
  }
  return found;
}

/** So many processes are looked at in one step of the event loop: a millisecond. */
const STEP = 32;

function processIds(): readonly number[] | undefined {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isSafeInteger(pid) && pid !== process.pid);
  } catch {
    return undefined;
  }
}

function belongs(pid: number, { group, variable }: ProcessMark): boolean {
  try {
    const [state, , pgrp] = statFields(readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (state === "Z" || state === "X") return false;
    if (Number(pgrp) === group) return true;
    const variables = readFileSync(`/proc/${pid}/environ`, "latin1");
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
