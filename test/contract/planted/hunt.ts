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

/** Runs the bug's test without it, which must pass, and with it, which must fail. */
export async function huntContractBug(bug: ContractBug): Promise<ContractHunt> {
  const sound = await runTest(bug, {});
  if (sound.ran !== 1 || sound.failed !== 0 || sound.status !== 0) {
    const what = `${sound.ran} ran, ${sound.failed} failed, status ${sound.status}`;
    return missed(`without the bug exactly one test "${bug.test}" must run and pass: ${what}${sound.tail}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "millrace-planted-"));
  try {
    const marks = join(folder, "marks");
    const ill = await runTest(bug, {
      NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${PRELOAD}`,
      [NAME_VARIABLE]: bug.name,
      [MARKS_VARIABLE]: marks,
    });
    const applied = new Set(readMarks(marks));
    const absent = bug.patches.find((_, index) => !applied.has(String(index)));
    if (absent !== undefined)
      return missed(`it was not planted: no file that is loaded has "// plant: ${absent.at}"${ill.tail}`);
    if (ill.status === undefined) return missed(`the test neither passed nor failed in ${RUN_MS_MAX} ms`);
    if (ill.failed === 0) return missed(`the test passes with it${ill.status === 0 ? "" : ill.tail}`);
    return { isCaught: true, message: ill.reason };
  } finally {
    rmSync(folder, { recursive: true });
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
  readonly ran: number;
  readonly failed: number;
  readonly reason: string;
  readonly tail: string;
}

async function runTest(bug: ContractBug, variables: NodeJS.ProcessEnv): Promise<TestRun> {
  const words = [`--test-name-pattern=${escapeRegExp(bug.test)}`, "--test-reporter=tap", bug.file];
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
  const leaves = [...output.matchAll(/^ *(not ok|ok) \d+ - (.*)$/gm)].filter(
    ([, , name]) => name?.includes(escapeTap(bug.test)) && !/# SKIP/.test(name),
  );
  return {
    status,
    ran: leaves.length,
    failed: leaves.filter(([, verdict]) => verdict === "not ok").length,
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
