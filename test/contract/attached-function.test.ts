import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPods } from "./attached-pods.ts";
import { describeFunctionTargetContract } from "./function-target.ts";
import type { Behaviour, FunctionTargetHarness } from "./function-target-run.ts";

const SUPPORTED: readonly Behaviour[] = [
  "echo",
  "returnNull",
  "returnBytes",
  "throw",
  "hang",
  "block",
  "exit",
];
const FUNCTIONS = join(import.meta.dirname, "../fixtures/functions");
/** A call that nobody waits for keeps its pod to its end, as on Lambda: three of them, and one that is free. */
const PODS = 4;

// Pods of one host need addresses of their own, and /proc to be ended.
if (process.platform === "linux") {
  describeFunctionTargetContract(
    "a function that is attached in pods",
    harnessOf("contract.handler", SUPPORTED),
  );
  describeFunctionTargetContract(
    "a streaming function that is attached in pods",
    harnessOf("contract.streaming", ["stream"]),
  );
}

function harnessOf(handler: string, supported: readonly Behaviour[]): FunctionTargetHarness {
  return {
    supports: new Set(supported),
    async create() {
      const folder = mkdtempSync(join(tmpdir(), "millrace-contract-"));
      const executionsFile = join(folder, "executions");
      writeFileSync(executionsFile, "");
      const environment = { _HANDLER: handler, EXECUTIONS_FILE: executionsFile };
      const pods = await startPods(PODS, FUNCTIONS, environment);
      return {
        target: pods.target,
        executions: () => readFileSync(executionsFile).length,
        async close() {
          await pods.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  };
}
