/**
 * What functions in processes cost beside doing without: a cold start against a bare `node` or `python3` that prints a
 * line, in turn; and what an environment costs that rests. Run alone with `node test/load/environments.bench.ts`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { openTarget } from "../runtimes/runtime-target.ts";
import type { FunctionCode } from "../runtimes/runtimes-under-test.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "environments of functions";

const PAIRS = 15;
const COLD_GOAL = 1.5;
const RESTING = 40;
const WATCHED_MS = 5_000;
/** The program itself, not a shim that looks for it. */
const PYTHON3 = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], {
  encoding: "utf8",
}).stdout.trim();
const CLIENTS = join(import.meta.dirname, "../runtimes/clients");

const NODE: FunctionCode = {
  runtime: "nodejs24.x",
  handler: "index.handler",
  command: undefined,
  codeFolder: join(CLIENTS, "node"),
};
const PYTHON: FunctionCode = {
  runtime: "python3.13",
  handler: "app.handler",
  command: undefined,
  codeFolder: join(CLIENTS, "python"),
};

export async function run(): Promise<readonly Measurement[]> {
  return [
    await coldStart("node", NODE, [process.execPath, "-e", "console.log(1)"]),
    await coldStart("python3", PYTHON, [PYTHON3, "-c", "print(1)"]),
    ...(await resting()),
  ];
}

async function coldStart(
  program: string,
  code: FunctionCode,
  [bare = "", ...words]: readonly string[],
): Promise<Measurement> {
  const target = await openTarget(code);
  // Caches of files, and of what Node has compiled, are filled once for a function.
  await call(target);
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    await ended(target);
    const bareMs = timed(() => void spawnSync(bare, words));
    const began = performance.now();
    await call(target);
    ratios.push((performance.now() - began) / bareMs);
  }
  await target.close();
  const value = median(ratios);
  const metric = `first call of a process, against a bare ${program} that prints a line, median of ${PAIRS}`;
  return { metric, value, unit: "×", goal: `≤ ${COLD_GOAL}`, holds: value <= COLD_GOAL };
}

async function resting(): Promise<readonly Measurement[]> {
  const target = await openTarget(PYTHON, { concurrency: RESTING });
  await Promise.all(Array.from({ length: RESTING }, () => call(target, { task: "nap" })));
  const cpu = process.cpuUsage();
  await sleep(WATCHED_MS);
  const { user, system } = process.cpuUsage(cpu);
  const mib = childrenPssKib() / 1024 / RESTING;
  await target.close();
  const percent = ((user + system) / (WATCHED_MS * 1_000)) * 100;
  return [
    { metric: "memory of a process of Python that rests, shared pages by share", value: mib, unit: "MiB" },
    { metric: `CPU of Millrace while ${RESTING} environments rest`, value: percent, unit: "% of a core" },
  ];
}

/** Of this process's own children. */
function childrenPssKib(): number {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  let kib = 0;
  for (const pid of pids)
    kib += Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
  return kib;
}

async function call(target: FunctionTarget, event: object = { task: "echo" }): Promise<void> {
  const outcome = await invoke(target, event);
  if (outcome.kind !== "succeeded") throw new Error(`the call came to ${JSON.stringify(outcome)}`);
}

/** No process of it is left. */
async function ended(target: FunctionTarget): Promise<void> {
  await invoke(target, { task: "exit", status: 1 });
  await sleep(200);
}

function invoke(target: FunctionTarget, event: object): Promise<InvocationOutcome> {
  const timeoutMs = 60_000;
  const context = {
    requestId: crypto.randomUUID(),
    functionName: "bench",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:bench",
    deadlineMs: Date.now() + timeoutMs,
    timeoutMs,
  };
  return target.invoke(Buffer.from(JSON.stringify(event)), context, new AbortController().signal);
}

function timed(run: () => void): number {
  const began = performance.now();
  run();
  return performance.now() - began;
}

await printWhenRunAlone(import.meta.url, run);
