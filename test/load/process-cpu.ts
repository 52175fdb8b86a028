import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of a tick of /proc. */
const TICK_MS = 10;

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** What this process has used, and all that it has started. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const started = treeOf(process.pid).filter(({ pid }) => pid !== process.pid);
  return (user + system) / 1_000 + msOf(started);
}

/** What a process has used that this one has started, with all that it has started itself. */
export function cpuMsOf(root: number): number {
  return msOf(treeOf(root));
}

function msOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { ticks }) => sum + ticks * TICK_MS, 0);
}

function treeOf(root: number): readonly Row[] {
  const rows = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap(rowOf);
  const found = new Set([root]);
  // Numbers of processes rise, mostly: those that are started after a round are found by the next.
  for (let count = 0; count !== found.size; ) {
    count = found.size;
    for (const { pid, parent } of rows) if (found.has(parent)) found.add(pid);
  }
  return rows.filter(({ pid }) => found.has(pid));
}

function rowOf(pid: string): readonly Row[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
