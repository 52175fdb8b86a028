import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** Extensions do not see them, nor what begins with an underscore (invocation §5). */
const HIDDEN: ReadonlySet<string> = new Set([
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_XRAY_CONTEXT_MISSING",
  "AWS_XRAY_DAEMON_ADDRESS",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
]);
/** Lambda's limit. */
const EXTENSIONS_MAX = 10;

export interface ExtensionOrder {
  /** Program and arguments in front of the extension: they set its limits. */
  readonly shell: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  onOutput(text: string, stream: "stdout" | "stderr"): void;
  onExit(name: string): void;
}

/** One extension: a process beside that of the function. */
export class ExtensionProcess {
  readonly #child: ChildProcess;

  constructor(file: string, { shell, folder, environment, onOutput, onExit }: ExtensionOrder) {
    const [program = "", ...words] = shell;
    const seen = Object.entries(environment).filter(([name]) => !name.startsWith("_") && !HIDDEN.has(name));
    this.#child = spawn(program, [...words, file], {
      cwd: folder,
      env: Object.fromEntries(seen),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of ["stdout", "stderr"] as const) {
      this.#child[stream]?.setEncoding("utf8").on("data", (text: string) => onOutput(text, stream));
      this.#child[stream]?.on("error", () => {});
    }
    const name = basename(file);
    this.#child.once("error", () => onExit(name));
    this.#child.once("exit", () => onExit(name));
  }

  /** Its process group; 0: there is none. */
  get group(): number {
    return this.#child.pid ?? 0;
  }

  kill(): void {
    try {
      if (this.group > 0) process.kill(-this.group, "SIGKILL");
    } catch {
      // Nobody is there any more.
    }
  }
}

/** The executables in `extensions` of layers, in their order; a later layer's covers an earlier's of the same name. */
export function extensionFiles(layerFolders: readonly string[]): readonly string[] {
  const files = new Map<string, string>();
  for (const layer of layerFolders) {
    for (const name of entriesOf(join(layer, "extensions"))) {
      const file = join(layer, "extensions", name);
      const found = statSync(file, { throwIfNoEntry: false });
      if (found?.isFile() === true && (found.mode & 0o111) !== 0) files.set(name, file);
    }
  }
  return [...files.values()].slice(0, EXTENSIONS_MAX);
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
