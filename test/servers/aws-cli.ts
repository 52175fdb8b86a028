import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { awsEnvironment } from "./aws-environment.ts";
import { cacheFolder } from "./cache-folder.ts";

const VERSION = "1.46.2";
const INSTALL_MS_MAX = 300_000;
const COMMAND_MS_MAX = 120_000;

type Environment = Readonly<Record<string, string>>;

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * AWS's command line, against one endpoint or those of its environment, with no configuration of the person who runs
 * the tests.
 */
export interface AwsCli {
  /** `lambda list-event-source-mappings …`. Resolves whatever its exit status. */
  run(...words: readonly string[]): Promise<CommandResult>;
  /** The answer of a command that succeeds. */
  json(...words: readonly string[]): Promise<Record<string, unknown>>;
}

/**
 * AWS's command line from PyPI, in an environment of its own in the user's cache. It asks for `python3` with its
 * `venv`.
 */
export async function installAwsCli(): Promise<
  (endpoint: string | undefined, environment?: Environment) => AwsCli
> {
  const python = await installPython("awscli", VERSION);
  return (endpoint, environment = {}) => {
    const named = endpoint === undefined ? [] : ["--endpoint-url", endpoint];
    // Named by its module: the script beside it begins with the path of the folder that it was installed into.
    const common = ["-m", "awscli", ...named, "--output", "json"];
    const run: AwsCli["run"] = (...words) => runProgram(python, [...common, ...words], { environment });
    return {
      run,
      async json(...words) {
        const { status, stdout, stderr } = await run(...words);
        if (status !== 0) throw new Error(`aws ${words.join(" ")} ended with ${status}: ${stderr}`);
        return stdout.trim() === "" ? {} : JSON.parse(stdout);
      },
    };
  };
}

/**
 * A package of PyPI in an environment of its own in the user's cache; the path of its Python. It asks for `python3`
 * with its `venv`.
 */
export async function installPython(name: string, version: string): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `${name}-${version}`);
  const python = join(folder, "bin", "python3");
  if (existsSync(folder)) return python;
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, "installing-"));
  try {
    const environment = join(staging, "environment");
    await runInstall(name, "python3", ["-m", "venv", environment]);
    const pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"];
    await runInstall(name, join(environment, "bin", "python3"), [
      ...pip,
      "--only-binary=:all:",
      `${name}==${version}`,
    ]);
    await rename(environment, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return python;
}

async function runInstall(name: string, program: string, words: readonly string[]): Promise<void> {
  const { status, stderr } = await runProgram(program, words, { msMax: INSTALL_MS_MAX });
  if (status === 0) return;
  throw new Error(
    `${name} could not be installed from PyPI (status ${status}): ${stderr.slice(-4_000)}\n` +
      "It needs `python3` with its venv module on the PATH (Debian: `apt-get install python3-venv`).",
  );
}

export function runProgram(
  program: string,
  words: readonly string[],
  { environment = {}, msMax = COMMAND_MS_MAX }: { environment?: Environment; msMax?: number } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const own = { AWS_DEFAULT_REGION: "eu-west-1", AWS_PAGER: "", ...environment };
    const env = { ...process.env, ...awsEnvironment({}), ...own };
    const child = spawn(program, words, { env, timeout: msMax, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") reject(error);
      else resolve({ status: null, stdout, stderr: `There is no program ${program}.` });
    });
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
