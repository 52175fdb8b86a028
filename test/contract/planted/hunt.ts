import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ContractBug } from "./contract-bug.ts";

export const NAME_VARIABLE = "MILLRACE_TEST_PLANTED_BUG";
export const MARKS_VARIABLE = "MILLRACE_TEST_PLANTED_MARKS";

export interface ContractHunt {
  readonly isCaught: boolean;
  /** What was seen, in a line. */
  readonly message: string;
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PRELOAD = new URL("preload.ts", import.meta.url).href;
/** Of one run of one test; a suite has a shorter bound of its own. Servers must be installed within it, once. */
const RUN_MS_MAX = 600_000;
const TAIL_CHARS = 400;

/**
 * Runs the bug's test without it, which must pass, and with it, which must fail. The first is one run for all bugs of
 * `sound` that one file catches.
 */
export async function huntContractBug(
  bug: ContractBug,
  sound: SoundRuns = new SoundRuns([bug]),
): Promise<ContractHunt> {
  const whole = await sound.of(bug);
  const { ran, failed } = countsOf(whole, bug);
  if (ran !== 1 || failed !== 0 || whole.status !== 0) {
    const what = `${ran} ran, ${failed} failed, status ${whole.status}`;
    return missed(`without the bug exactly one test "${bug.test}" must run and pass: ${what}${whole.tail}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-planted-"));
  try {
    const marks = join(folder, "marks");
    const ill = await runTests(bug.file, [bug.test], {
      NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${PRELOAD}`,
      [NAME_VARIABLE]: bug.name,
      [MARKS_VARIABLE]: marks,
    });
    const applied = new Set(readMarks(marks));
    const absent = bug.patches.find((_, index) => !applied.has(String(index)));
    if (absent !== undefined)
      return missed(`it was not planted: no file that is loaded has "// plant: ${absent.at}"${ill.tail}`);
    if (ill.status === undefined) return missed(`the test neither passed nor failed in ${RUN_MS_MAX} ms`);
    if (countsOf(ill, bug).failed === 0)
      return missed(`the test passes with it${ill.status === 0 ? "" : ill.tail}`);
    return { isCaught: true, message: ill.reason };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the files of bugs say without them: each is run once, when it is first asked for. */
export class SoundRuns {
  readonly #tests: ReadonlyMap<string, readonly ContractBug[]>;
  readonly #runs = new Map<string, Promise<TestRun>>();

  constructor(bugs: readonly ContractBug[]) {
    this.#tests = Map.groupBy(bugs, ({ file }) => file);
  }

  of({ file }: ContractBug): Promise<TestRun> {
    let run = this.#runs.get(file);
    if (run === undefined) {
      const tests = new Set(this.#tests.get(file)?.map(({ test }) => test));
      run = runTests(file, [...tests], {});
      this.#runs.set(file, run);
    }
    return run;
  }
}

function missed(message: string): ContractHunt {
  return { isCaught: false, message };
}

function readMarks(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

interface TestRun {
  /** `undefined`: it was ended by force. */
  readonly status: number | undefined;
  /** Of each test that ran. */
  readonly leaves: readonly { readonly name: string; readonly failed: boolean }[];
  readonly reason: string;
  readonly tail: string;
}

function countsOf(
  { leaves }: TestRun,
  { test }: ContractBug,
): { readonly ran: number; readonly failed: number } {
  const own = leaves.filter(({ name }) => name.includes(escapeTap(test)));
  return { ran: own.length, failed: own.filter(({ failed }) => failed).length };
}

async function runTests(
  file: string,
  tests: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<TestRun> {
  const patterns = tests.map((test) => `--test-name-pattern=${escapeRegExp(test)}`);
  const words = [...patterns, "--test-reporter=tap", file];
  // A runner of tests that started this process would otherwise be told of the child's tests.
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_TEST_CONTEXT: undefined, ...variables };
  const child = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  child.on("error", reject);
  child.on("close", (status) => resolve(status ?? undefined));
  const status = await promise;
  clearTimeout(timer);
  const lines = [...output.matchAll(/^ *(not ok|ok) \d+ - (.*)$/gm)];
  const leaves = lines
    .map(([, verdict, name = ""]) => ({ name, failed: verdict === "not ok" }))
    .filter(({ name }) => !name.includes("# SKIP"));
  return {
    status,
    leaves,
    reason: (/error: (?:\|-\n *)?(.*)/.exec(output)?.[1] ?? "it fails").trim().slice(0, TAIL_CHARS),
    tail: `\n${output.slice(-TAIL_CHARS)}`,
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

function escapeTap(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("#", "\\#");
}
