import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join, resolve } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import { extensionFiles } from "./extension-process.ts";
import { GroupProcess } from "./group-process.ts";
import type { Isolation } from "./isolation.ts";
import type { LaunchedProcess, Launcher, LaunchOrder, ProcessEnding, ProcessListener } from "./launcher.ts";
import { ProcessGuard } from "./process-guard.ts";

export interface GroupLauncherOptions {
  readonly command: readonly string[];
  /** Where the command starts. */
  readonly codeFolder: string;
  environmentOf(order: LaunchOrder): Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly memoryMb: number;
  readonly isolation?: Isolation;
  readonly layerFolders?: readonly string[];
  /** What may stand in an environment's folder; default as on Lambda. */
  readonly storageMb?: number | undefined;
}

const STORAGE_MB = 512;

/** One for all functions of this process. */
const GUARD = new ProcessGuard();

/** Level `group`: what an environment starts is a process group; its folder is one of the machine's temporary. */
export class GroupLauncher implements Launcher {
  readonly #options: GroupLauncherOptions;
  /** Folders that have more than they may: they are emptied before the next process. */
  readonly #full = new Set<string>();

  readonly extensions: readonly string[];
  readonly #extensionFiles: readonly string[];

  constructor(options: GroupLauncherOptions) {
    this.#options = options;
    this.#extensionFiles = extensionFiles(options.layerFolders ?? []);
    this.extensions = this.#extensionFiles.map((file) => basename(file));
  }

  makeFolder(): string {
    return mkdtempSync(join(tmpdir(), "millrace-environment-"));
  }

  async removeFolder(folder: string): Promise<void> {
    this.#full.delete(folder);
    // What its last process wrote while it was killed is there a moment later.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }

  launch(order: LaunchOrder, listener: ProcessListener): LaunchedProcess {
    try {
      return this.#launch(order, listener);
    } catch (error) {
      return new NoProcess({ kind: "unstarted", message: whyNot(error) }, listener);
    }
  }

  #launch(order: LaunchOrder, listener: ProcessListener): LaunchedProcess {
    const { codeFolder, command, clock, memoryMb, isolation, layerFolders = [] } = this.#options;
    const { folder } = order;
    if (this.#full.delete(folder))
      for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true, force: true });
    const environment = this.#options.environmentOf(order);
    const problem = problemOf(command, codeFolder, environment["PATH"] ?? "");
    if (problem !== undefined) return new NoProcess(problem, listener);
    const mark = `AWS_LAMBDA_RUNTIME_API=${order.apiAddress}`;
    const { storageMb: megabytesMax = STORAGE_MB } = this.#options;
    const storage = { folder, megabytesMax, onExceeded: () => void this.#full.add(folder) };
    const places = { code: codeFolder, layers: layerFolders, order, storageMb: megabytesMax };
    const started = isolation?.wrap?.(command, places) ?? command;
    const cgroup = isolation?.enclose?.(memoryMb);
    const options = { command: started, environment, mark, clock, memoryMb, storage, cgroup, guard: GUARD };
    const beside = { folder: codeFolder, extensions: this.#extensionFiles };
    try {
      return new GroupProcess({ ...options, ...beside }, listener);
    } catch (error) {
      cgroup?.remove();
      throw error;
    }
  }
}

/** A command that cannot be started. */
class NoProcess implements LaunchedProcess {
  readonly #listener: ProcessListener;

  constructor(ending: ProcessEnding, listener: ProcessListener) {
    this.#listener = listener;
    setImmediate(() => listener.onExit(ending));
  }

  terminate(): void {}

  works(): void {}

  takeMemoryMb(): undefined {
    return undefined;
  }

  kill(): void {
    setImmediate(() => this.#listener.onGone());
  }

  drained(then: () => void): void {
    then();
  }
}

/** Node's own text has the value that it does not take, which may be a secret. */
function whyNot(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason";
  const why = code === "ERR_INVALID_ARG_VALUE" ? "a path, an argument or a variable has a zero byte" : code;
  return `The function's process cannot be started: ${why}.`;
}

/** AWS's types for what is not there (invocation §2). */
function problemOf(command: readonly string[], folder: string, path: string): ProcessEnding | undefined {
  const [program = ""] = command;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const message = `chdir ${folder}: no such file or directory`;
    return { kind: "invalid", errorType: "Runtime.InvalidWorkingDir", message };
  }
  const places = program.includes("/")
    ? [resolve(folder, program)]
    : path.split(delimiter).map((entry) => resolve(folder, entry, program));
  const found = places.filter((place) => statSync(place, { throwIfNoEntry: false })?.isFile() === true);
  if (found.some(isExecutable)) return undefined;
  const why = found.length === 0 ? "no such file or directory" : "permission denied";
  const message = `fork/exec ${found[0] ?? program}: ${why}`;
  return { kind: "invalid", errorType: "Runtime.InvalidEntrypoint", message };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
