import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import { Cgroup, cgroupName, makerOf } from "./cgroup.ts";
import { type CgroupLayout, findCgroups } from "./cgroup-layout.ts";
import type { LaunchOrder } from "./launcher.ts";

/** What separates the processes of an environment from all others, by name (decision 0040). */
export type IsolationLevel = "group" | "cgroup" | "wrapper";

/** `auto`: the best that this machine has for memory. */
export type IsolationWish = IsolationLevel | "auto";

export interface Isolation {
  readonly level: IsolationLevel;
  /** As people are told it: `cgroup v1`. */
  readonly name: string;
  /** What bounds an environment's folder: a look each second, or the operator's wrapper, which was given the size. */
  readonly storage: "watched" | "hard";
  /** For `cgroup`: a group of its own for each process. @throws when there can be none. */
  enclose?(memoryMb: number): Cgroup;
  /** For `wrapper`: the command that starts another. */
  wrap?(command: readonly string[], places: WrappedPlaces): readonly string[];
}

export interface WrappedPlaces {
  readonly code: string;
  readonly layers: readonly string[];
  readonly order: LaunchOrder;
  /** What may stand in the folder of the environment. */
  readonly storageMb: number;
}

/** Lambda's limit of processes and threads of an environment. */
const PROCESSES_MAX = 1_024;
const GROUP: Isolation = { level: "group", name: "group", storage: "watched" };
/** The command of the operator that starts a function's process apart, with places in braces. */
const WRAPPER_VARIABLE = "MILLRACE_ISOLATION_WRAPPER";
/** In a wrapper's words: the bytes that an environment's folder may have, for what makes a file system of it. */
const STORAGE_PLACE = "{storageBytes}";
const BYTES_PER_MB = 1024 * 1024;

let cgroups: CgroupLayout | string | undefined;
let ordinal = 0;

/**
 * The level that is wished for.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when this machine, or its operator, does not give it
 */
export function isolationOf(
  wish: IsolationWish,
  functionName: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Isolation {
  if (wish === "group") return GROUP;
  if (wish === "wrapper") {
    const words = (env[WRAPPER_VARIABLE] ?? "").split(/\s+/).filter((word) => word !== "");
    if (words.length > 0) return wrapperOf(words);
    throw unavailable(functionName, wish, `${WRAPPER_VARIABLE} is not set`);
  }
  cgroups ??= lookForCgroups();
  if (typeof cgroups !== "string") return cgroupOf(cgroups);
  if (wish === "auto") return GROUP;
  throw unavailable(functionName, wish, cgroups);
}

function wrapperOf(words: readonly string[]): Isolation {
  return {
    level: "wrapper",
    name: `wrapper ${words[0]}`,
    storage: words.some((word) => word.includes(STORAGE_PLACE)) ? "hard" : "watched",
    wrap: (command, { code, layers, order, storageMb }) => {
      const fill = (word: string) =>
        word
          .replaceAll("{code}", code)
          .replaceAll("{tmp}", order.folder)
          .replaceAll("{layers}", layers.join(":"))
          .replaceAll(STORAGE_PLACE, String(storageMb * BYTES_PER_MB));
      return words.flatMap((word) => (word === "{command}" ? command : [fill(word)]));
    },
  };
}

function cgroupOf(layout: CgroupLayout): Isolation {
  return {
    level: "cgroup",
    name: `cgroup v${layout.version}`,
    storage: "watched",
    enclose: (memoryMb) => {
      ordinal += 1;
      return new Cgroup(layout, cgroupName(process.pid, ordinal), { memoryMb, processesMax: PROCESSES_MAX });
    },
  };
}

/** Makes one and takes it away: only what works is there. */
function lookForCgroups(): CgroupLayout | string {
  if (process.platform !== "linux") return "only Linux has control groups";
  try {
    const found = findCgroups("/sys/fs/cgroup", readFileSync("/proc/self/cgroup", "utf8"));
    if (typeof found === "string") return found;
    sweep(found);
    new Cgroup(found, cgroupName(process.pid, 0), { memoryMb: 128, processesMax: PROCESSES_MAX }).remove();
    return found;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return `no control group can be made here: ${code}`;
  }
}

/** Groups that a process left which was killed: what is in them is ended. */
function sweep({ hierarchies }: CgroupLayout): void {
  for (const { parent } of hierarchies) {
    for (const entry of readdirSync(parent)) {
      const maker = makerOf(entry);
      if (maker === undefined || isAlive(maker)) continue;
      try {
        for (const pid of readFileSync(join(parent, entry, "cgroup.procs"), "utf8").split("\n"))
          if (pid !== "") process.kill(Number(pid), "SIGKILL");
        rmdirSync(join(parent, entry));
      } catch {
        // Another process sweeps as well, or the next does it.
      }
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function unavailable(functionName: string, wish: IsolationWish, why: string): MillraceError {
  const message = `function ${functionName} wants the isolation ${wish}, which is not here: ${why}`;
  return new MillraceError("ERR_MILLRACE_FUNCTION", message);
}
