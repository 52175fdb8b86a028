/**
 * What a warm call of a Node function costs in a process, against a thread: CPU of Millrace and of the function
 * together, an event of 1 KB, in turn. Run alone with `node test/load/warm-calls.bench.ts`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModuleFunction } from "../../src/functions/module.ts";
import { createRuntimeFunction } from "../../src/functions/runtime/runtime-function.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Warm calls of functions in processes";

const ROUNDS = 3;
const WARM_UP = 2_000;
const CALLS = 6_000;
const GOAL = 0.5;
/** Milliseconds of a tick of /proc. */
const TICK_MS = 10;
const PAYLOAD = Buffer.from(JSON.stringify({ text: "x".repeat(1_000) }));

export async function run(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-warm-"));
  writeFileSync(join(folder, "index.mjs"), "export const handler = async (event) => event;\n");
  const thread = createModuleFunction({
    functionName: "thread",
    path: join(folder, "index.mjs"),
    concurrency: 1,
  });
  const one = await openProcess(folder, 1);
  const sixteen = await openProcess(folder, 16);
  const rates: Record<"thread" | "one" | "sixteen", number[]> = { thread: [], one: [], sixteen: [] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      rates.thread.push(await callsPerCpuSecond(thread, 1));
      rates.one.push(await callsPerCpuSecond(one, 1));
      rates.sixteen.push(await callsPerCpuSecond(sixteen, 16));
    }
  } finally {
    await Promise.all([thread.close(), one.close(), sixteen.close()]);
    rmSync(folder, { recursive: true });
  }
  const inThread = median(rates.thread);
  const rated = (label: string, rate: number): Measurement => ({
    metric: `warm calls per CPU second, ${label}, against a thread`,
    value: rate / inThread,
    unit: "×",
    goal: `≥ ${GOAL}`,
    holds: rate / inThread >= GOAL,
  });
  return [
    { metric: "warm calls per CPU second in a thread", value: inThread, unit: "calls" },
    {
      metric: "warm calls per CPU second in a process, one at once",
      value: median(rates.one),
      unit: "calls",
    },
    {
      metric: "warm calls per CPU second in a process, sixteen at once",
      value: median(rates.sixteen),
      unit: "calls",
    },
    rated("one at once", median(rates.one)),
    rated("sixteen at once", median(rates.sixteen)),
  ];
}

function openProcess(codeFolder: string, invocationsPerEnvironment: number): Promise<FunctionTarget> {
  return createRuntimeFunction({
    ...{ functionName: "process", runtime: "nodejs24.x", handler: "index.handler", command: undefined },
    ...{
      codeFolder,
      layerFolders: [],
      memoryMb: 512,
      environment: {},
      concurrency: invocationsPerEnvironment,
    },
    scaling: { invocationsPerEnvironment, environmentsMax: 1 },
    log: { line: () => {} },
  });
}

async function callsPerCpuSecond(target: FunctionTarget, atOnce: number): Promise<number> {
  await callAll(target, atOnce, WARM_UP);
  const before = cpuMs();
  await callAll(target, atOnce, CALLS);
  return CALLS / ((cpuMs() - before) / 1_000);
}

async function callAll(target: FunctionTarget, atOnce: number, calls: number): Promise<void> {
  let left = calls;
  const { signal } = new AbortController();
  const lane = async () => {
    while (left-- > 0) {
      const outcome = await target.invoke(PAYLOAD, contextOf(left), signal);
      if (outcome.kind !== "succeeded") throw new Error(`the call came to ${JSON.stringify(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function contextOf(call: number) {
  const timeoutMs = 60_000;
  return {
    requestId: `8476a536-e9f4-11e8-9739-${String(call).padStart(12, "0")}`,
    functionName: "warm",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:warm",
    deadlineMs: Date.now() + timeoutMs,
    timeoutMs,
  };
}

/** What this process has used, and all that it has started. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const rows = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap(statOf);
  const started = new Set([process.pid]);
  let ms = (user + system) / 1_000;
  // Numbers of processes rise, mostly: those that are started after a round are found by the next.
  for (let found = true; found; ) {
    found = false;
    for (const { pid, parent, ticks } of rows) {
      if (started.has(pid) || !started.has(parent)) continue;
      started.add(pid);
      ms += ticks * TICK_MS;
      found = true;
    }
  }
  return ms;
}

function statOf(pid: string): readonly { pid: number; parent: number; ticks: number }[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

await printWhenRunAlone(import.meta.url, run);
