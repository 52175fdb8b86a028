import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../ports/clock.ts";
import type { Cgroup } from "./cgroup.ts";
import { ExtensionProcess } from "./extension-process.ts";
import { FolderWatch } from "./folder-watch.ts";
import { MemoryWatch } from "./group-memory.ts";
import type { LaunchedProcess, ProcessEnding, ProcessListener } from "./launcher.ts";
import type { ProcessGuard } from "./process-guard.ts";
import { findProcesses, type ProcessMark } from "./process-scan.ts";

export interface GroupProcessOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Stands in the environment, and in that of no other process. */
  readonly mark: string;
  readonly memoryMb: number;
  /** Files that are started before it, each a process of its own. */
  readonly extensions?: readonly string[];
  /** The environment's own folder, and what may stand in it. */
  readonly storage: { readonly folder: string; readonly megabytesMax: number; onExceeded(): void };
  /** A control group that it is in from its start. */
  readonly cgroup?: Cgroup | undefined;
  readonly guard: Pick<ProcessGuard, "add" | "remove">;
  readonly clock: Clock;
}

/** Limits that Lambda's environments have (invocation §6), where this machine lets them be set. */
const SHELL =
  'while [ "$1" != -- ]; do echo $$ >"$1" || exit 126; shift; done; shift; ulimit -n 1024 2>/dev/null; ulimit -c 0 2>/dev/null; exec "$@"';
/** When it is first looked again whether all have died; each time twice as late, since a look reads all processes. */
const LOOK_MS = 20;
const LOOK_MS_MAX = 1_000;
/** What was printed before the end has arrived by then, also where a child keeps the pipe. */
const LAST_OUTPUT_MS = 100;

/** A process in a group of its own, with all that it starts. */
export class GroupProcess implements LaunchedProcess {
  readonly #child: ChildProcess;
  readonly #listener: ProcessListener;
  readonly #clock: Clock;
  readonly #mark: ProcessMark;
  readonly #guard: GroupProcessOptions["guard"];
  readonly #memory: MemoryWatch;
  readonly #storage: FolderWatch;
  readonly #extensions: readonly ExtensionProcess[];
  readonly #cgroup: Cgroup | undefined;
  #hasExited = false;
  #isKilled = false;
  /** Why it was ended by its watch. */
  #excess: ProcessEnding | undefined;

  constructor(options: GroupProcessOptions, listener: ProcessListener) {
    this.#listener = listener;
    this.#clock = options.clock;
    const shell = ["-c", SHELL, "sh", ...(options.cgroup?.entries ?? []), "--"];
    this.#extensions = startExtensions(options, ["/bin/sh", ...shell], listener);
    this.#child = spawn("/bin/sh", [...shell, ...options.command], {
      cwd: options.folder,
      env: { ...options.environment },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#guard = options.guard;
    this.#mark = { group: this.#child.pid ?? 0, variable: options.mark };
    for (const stream of ["stdout", "stderr"] as const) {
      this.#child[stream]?.setEncoding("utf8").on("data", (text: string) => listener.onOutput(text, stream));
      // It may break with the process.
      this.#child[stream]?.on("error", () => {});
    }
    for (const group of this.#groups) this.#guard.add(group);
    this.#cgroup = options.cgroup;
    const { folder, megabytesMax, onExceeded } = options.storage;
    this.#memory = new MemoryWatch(this.group, options, () => this.#killFor({ kind: "outOfMemory" }));
    this.#storage = new FolderWatch(folder, options.clock, megabytesMax, () => {
      onExceeded();
      this.#killFor({ kind: "outOfStorage", megabytesMax });
    });
    this.works(true);
    this.#child.once("error", (error) => this.#end({ kind: "unstarted", message: error.message }));
    this.#child.once("exit", (status, signal) => this.#onExit(status, signal));
  }

  /** The process group; 0: there is none. */
  get group(): number {
    return this.#mark.group;
  }

  get #groups(): readonly number[] {
    return [this.group, ...this.#extensions.map((each) => each.group)].filter((group) => group > 0);
  }

  terminate(): void {
    this.#signal("SIGTERM");
  }

  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    this.#killAll();
    void this.#look(LOOK_MS);
  }

  works(isWorking: boolean): void {
    if (isWorking) this.#memory.start();
    else this.#memory.stop();
    this.#storage.works(isWorking);
  }

  takeMemoryMb(isExact: boolean): number | undefined {
    return this.#cgroup?.peakMb ?? this.#memory.takeMaxMb(isExact);
  }

  drained(then: () => void): void {
    // Whatever stands in the pipes is read in the same round of the event loop.
    setImmediate(then);
  }

  #killFor(excess: ProcessEnding): void {
    this.#excess ??= excess;
    this.#killAll();
  }

  #killAll(): void {
    this.#signal("SIGKILL");
    for (const extension of this.#extensions) extension.kill();
    this.#cgroup?.kill();
  }

  #onExit(status: number | null, signal: string | null): void {
    const said: ProcessEnding =
      signal === null ? { kind: "status", status: status ?? 0 } : { kind: "signal", signal };
    const ending = this.#excess ?? (this.#cgroup?.hasRunOut === true ? { kind: "outOfMemory" } : said);
    const late = this.#clock.schedule(LAST_OUTPUT_MS, () => this.#end(ending));
    this.#child.once("close", () => {
      late.cancel();
      this.#end(ending);
    });
  }

  #end(ending: ProcessEnding): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.works(false);
    this.#listener.onExit(ending);
  }

  /** Ends those who have left the group, until none is left. */
  async #look(nextMs: number): Promise<void> {
    const found = this.#cgroup?.processes ?? (await findProcesses(this.#mark));
    for (const pid of found ?? []) sendSignal(pid, "SIGKILL");
    const isGone = found === undefined ? !this.#signal(0) : found.length === 0;
    const hasEnded = this.#hasExited || this.group === 0;
    if (isGone && hasEnded) this.#onGone();
    else this.#clock.schedule(nextMs, () => void this.#look(Math.min(nextMs * 2, LOOK_MS_MAX)));
  }

  #onGone(): void {
    for (const group of this.#groups) this.#guard.remove(group);
    this.#cgroup?.remove();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#listener.onGone();
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    return this.group > 0 && sendSignal(-this.group, signal);
  }
}

function startExtensions(
  { extensions = [], folder, environment }: GroupProcessOptions,
  shell: readonly string[],
  listener: ProcessListener,
): readonly ExtensionProcess[] {
  const order = {
    ...{ shell, folder, environment },
    onOutput: (text: string, stream: "stdout" | "stderr") => listener.onOutput(text, stream, true),
    onExit: (name: string) => listener.onExtensionExit(name),
  };
  return extensions.map((file) => new ExtensionProcess(file, order));
}

/** `false`: nobody is there. */
function sendSignal(to: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(to, signal);
  } catch {
    return false;
  }
}
