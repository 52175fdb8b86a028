import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { compileForgetfulDisk, type DiskStep, ForgetfulDisk, readDiskNotes } from "./forgetful-disk.ts";

export interface PowerLossOptions {
  /** What is put into the store; absent: events. */
  readonly what?: "events" | "parked keys";
  readonly events: number;
  /** Places at which the power goes, evenly over what the process asked of the disk. */
  readonly cuts: number;
  readonly mode: "full" | "normal";
}

export interface PowerLossReport {
  readonly steps: number;
  readonly cuts: number;
  /** Answers that were given before a cut, over all cuts. */
  readonly answers: number;
  /** What was answered and is not there when the power is back. */
  readonly lost: readonly string[];
}

/** `undefined`: nothing here makes the library that notes what is written. */
export function cutPower({
  what = "events",
  events,
  cuts,
  mode,
}: PowerLossOptions): PowerLossReport | undefined {
  const folder = mkdtempSync(join(tmpdir(), "millrace-power-"));
  try {
    const library = compileForgetfulDisk(folder);
    if (library === undefined) return undefined;
    const [disk, notes] = [join(folder, "disk"), join(folder, "notes")];
    mkdirSync(disk);
    const script = join(import.meta.dirname, SCRIPTS[what]);
    const { status, stderr } = spawnSync(process.execPath, [script, disk, String(events), mode], {
      encoding: "utf8",
      env: { ...process.env, LD_PRELOAD: library, MILLRACE_DISK_FOLDER: disk, MILLRACE_DISK_NOTES: notes },
    });
    if (status !== 0) throw new Error(`the process that puts events ended with ${status}: ${stderr}`);
    return judge(readDiskNotes(notes), cuts, join(folder, "restored"), LOST_IN[what]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `ending`: asked for, and not answered yet. */
type Answered = Record<"put" | "ending" | "ended", Set<string>>;

const SCRIPTS = { events: "put-events.ts", "parked keys": "park-keys.ts" } as const;
const LOST_IN = { events: lostEvents, "parked keys": lostRecords } as const;

function judge(
  steps: readonly DiskStep[],
  cutsWanted: number,
  folder: string,
  lostIn: (database: DatabaseSync, answered: Answered) => readonly string[],
): PowerLossReport {
  const forgetful = new ForgetfulDisk();
  const every = Math.max(1, Math.floor(steps.length / cutsWanted));
  const answered: Answered = { put: new Set(), ending: new Set(), ended: new Set() };
  const lost: string[] = [];
  let [cuts, answers] = [0, 0];
  for (const [index, step] of steps.entries()) {
    if (step.file === "answers") note(step, answered);
    else forgetful.do(step);
    if (index % every !== 0) continue;
    cuts++;
    answers += answered.put.size + answered.ended.size;
    forgetful.restoreTo(folder);
    const found = look(join(folder, "progress.db"), answered, lostIn);
    lost.push(...found.map((what) => `cut ${index}: ${what}`));
  }
  return { steps: steps.length, cuts, answers, lost };
}

function note({ bytes }: DiskStep, answered: Answered): void {
  for (const line of bytes.toString().split("\n")) {
    const [kind, id] = line.split(" ");
    if (id !== undefined && (kind === "put" || kind === "ending" || kind === "ended")) answered[kind].add(id);
  }
}

function look(
  path: string,
  answered: Answered,
  lostIn: (database: DatabaseSync, answered: Answered) => readonly string[],
): readonly string[] {
  if (answered.put.size === 0) return [];
  const database = new DatabaseSync(path);
  try {
    return lostIn(database, answered);
  } catch (error) {
    return [`the file cannot be read: ${error}`];
  } finally {
    database.close();
  }
}

function lostEvents(database: DatabaseSync, { put, ended }: Answered): readonly string[] {
  const rows = database.prepare("SELECT item.id FROM async_item item JOIN async_body USING (id)").all();
  const there = new Set(rows.map(({ id }) => String(id)));
  const isKept = (id: string) => there.has(id) || there.has(`${id}/success`);
  return [
    ...[...put].filter((id) => !isKept(id)).map((id) => `${id} was accepted`),
    ...[...ended].filter((id) => !there.has(`${id}/success`)).map((id) => `${id} had ended`),
    ...[...there].filter((id) => there.has(`${id}/success`)).map((id) => `${id} is there beside its end`),
  ];
}

/** Records are named by their positions. */
function lostRecords(database: DatabaseSync, { put, ending, ended }: Answered): readonly string[] {
  const rows = database
    .prepare("SELECT position FROM parked_record JOIN parked_key USING (mapping, id)")
    .all();
  const there = new Set(rows.map(({ position }) => String(position)));
  const kept = [...put].filter((position) => !ending.has(position) && !there.has(position));
  return [
    ...kept.map((position) => `${position} was parked`),
    ...[...ended].filter((position) => there.has(position)).map((position) => `${position} was over`),
  ];
}
