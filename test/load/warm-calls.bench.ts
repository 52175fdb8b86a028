/**
 * What a warm call of a Node function costs in a process, against a thread and against AWS's own emulator of Lambda's
 * runtime, where Go can build it: CPU of Millrace and of the function together, an event of 1 KB, in turn. Run alone
 * with `node test/load/warm-calls.bench.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModuleFunction } from "../../src/functions/module.ts";
import { createRuntimeFunction } from "../../src/functions/runtime/runtime-function.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { type LambdaEmulator, startLambdaEmulator } from "./lambda-emulator.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";
import { cpuMs, cpuMsOf } from "./process-cpu.ts";

export const name = "Warm calls of functions in processes";

const ROUNDS = 3;
const WARM_UP = 2_000;
const CALLS = 6_000;
const GOAL = 0.5;
/** Against AWS's own emulator, which takes one call at a time. */
const EMULATOR_GOAL = 3;
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
  const emulator = await startLambdaEmulator(folder);
  const rates: Record<"thread" | "one" | "sixteen" | "emulator", number[]> = {
    ...{ thread: [], one: [], sixteen: [], emulator: [] },
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      rates.thread.push(await callsPerCpuSecond(thread, 1));
      rates.one.push(await callsPerCpuSecond(one, 1));
      rates.sixteen.push(await callsPerCpuSecond(sixteen, 16));
      if (emulator !== undefined) rates.emulator.push(await emulatedPerCpuSecond(emulator));
    }
  } finally {
    emulator?.close();
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
    ...againstEmulator(rates),
  ];
}

function againstEmulator({
  emulator,
  ...rates
}: Record<"one" | "sixteen" | "emulator", readonly number[]>): readonly Measurement[] {
  if (emulator.length === 0) return [];
  const emulated = median(emulator);
  const rated = (label: string, rate: number): Measurement => ({
    metric: `warm calls per CPU second, ${label}, against AWS's emulator`,
    value: rate / emulated,
    unit: "×",
    goal: `≥ ${EMULATOR_GOAL}`,
    holds: rate / emulated >= EMULATOR_GOAL,
  });
  return [
    { metric: "warm calls per CPU second in AWS's emulator", value: emulated, unit: "calls" },
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

/** Whoever calls it is no part of it. */
async function emulatedPerCpuSecond(emulator: LambdaEmulator): Promise<number> {
  for (let call = 0; call < WARM_UP; call++) await emulator.invoke(PAYLOAD);
  const before = cpuMsOf(emulator.pid);
  for (let call = 0; call < CALLS; call++) await emulator.invoke(PAYLOAD);
  return CALLS / ((cpuMsOf(emulator.pid) - before) / 1_000);
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

await printWhenRunAlone(import.meta.url, run);
