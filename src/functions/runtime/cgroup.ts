import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { CgroupLayout, CgroupLimits } from "./cgroup-layout.ts";

const BYTES_PER_MB = 1024 * 1024;

/** One control group for the process of one environment, and all that it starts: nothing of it gets out. */
export class Cgroup {
  readonly #layout: CgroupLayout;
  readonly #name: string;

  /** @throws when it cannot be made, or not be given its limits. */
  constructor(layout: CgroupLayout, name: string, limits: CgroupLimits) {
    this.#layout = layout;
    this.#name = name;
    try {
      for (const { parent, settings } of layout.hierarchies) {
        mkdirSync(join(parent, name));
        for (const { file, value, isOptional = false } of settings)
          this.#write(parent, file, value(limits), isOptional);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** A process that writes its id into each of these is in it. */
  get entries(): readonly string[] {
    return this.#folders.map((folder) => join(folder, "cgroup.procs"));
  }

  /** Processes in it that live. */
  get processes(): readonly number[] {
    const found = this.entries.flatMap((file) => numbersIn(readOr(file, "")));
    return [...new Set(found)];
  }

  /** The most memory that it has had; `undefined`: this kernel does not tell. */
  get peakMb(): number | undefined {
    const bytes = Number(readOr(join(this.#memory, this.#layout.peak), ""));
    return bytes > 0 ? Math.ceil(bytes / BYTES_PER_MB) : undefined;
  }

  /** The kernel has killed one of its processes for want of memory. */
  get hasRunOut(): boolean {
    const events = readOr(join(this.#memory, this.#layout.events), "");
    return Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? 0) > 0;
  }

  /** Ends all of it, whatever it does: what is frozen cannot start others meanwhile. */
  kill(): void {
    const { end } = this.#layout;
    if (end !== undefined) this.#write(end.parent, end.file, end.frozen ? "FROZEN" : "1", true);
    for (const pid of this.processes) sendKill(pid);
    if (end?.frozen === true) this.#write(end.parent, end.file, "THAWED", true);
  }

  /** What is not empty yet stays. */
  remove(): void {
    for (const folder of this.#folders) {
      try {
        rmdirSync(folder);
      } catch {
        // It was never made, or something in it has not died.
      }
    }
  }

  get #memory(): string {
    return this.#folders[0] ?? "";
  }

  get #folders(): readonly string[] {
    return this.#layout.hierarchies.map(({ parent }) => join(parent, this.#name));
  }

  #write(parent: string, file: string, value: string, isOptional: boolean): void {
    try {
      writeFileSync(join(parent, this.#name, file), value);
    } catch (error) {
      if (!isOptional) throw error;
    }
  }
}

/** The name of a group: of a process that has ended it may be taken away by the next. */
export function cgroupName(pid: number, ordinal: number): string {
  return `millrace-${pid}-${ordinal}`;
}

/** The process that made a group of this name; `undefined`: none of ours did. */
export function makerOf(folder: string): number | undefined {
  const pid = /^millrace-(\d+)-\d+$/.exec(basename(folder))?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function numbersIn(text: string): readonly number[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return otherwise;
  }
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
