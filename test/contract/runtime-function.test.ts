import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntimeFunction } from "../../src/functions/runtime/runtime-function.ts";
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

describeFunctionTargetContract("a Node function in processes", harnessOf("nodejs24.x", "contract.handler"));
describeFunctionTargetContract(
  "a streaming Node function in processes",
  harnessOf("nodejs24.x", "contract.streaming", ["stream"]),
);
describeFunctionTargetContract(
  "a Node function with eight calls in one process",
  harnessOf("nodejs24.x", "contract.handler", SUPPORTED, 8),
);
if (spawnSync("python3", ["--version"]).status === 0)
  describeFunctionTargetContract(
    "a Python function in processes",
    harnessOf("python3.13", "contract.handler"),
  );

function harnessOf(
  runtime: string,
  handler: string,
  supported = SUPPORTED,
  invocationsPerEnvironment = 1,
): FunctionTargetHarness {
  return {
    supports: new Set(supported),
    async create() {
      const folder = mkdtempSync(join(tmpdir(), "millrace-contract-"));
      const executionsFile = join(folder, "executions");
      writeFileSync(executionsFile, "");
      const target = await createRuntimeFunction({
        functionName: "contract",
        runtime,
        handler,
        command: undefined,
        codeFolder: FUNCTIONS,
        layerFolders: [],
        memoryMb: 512,
        // One environment, so that one that is not reset shows.
        concurrency: invocationsPerEnvironment,
        scaling: { environmentsMax: 1, invocationsPerEnvironment },
        environment: { EXECUTIONS_FILE: executionsFile },
        log: { line: () => undefined },
      });
      return {
        target,
        executions: () => readFileSync(executionsFile).length,
        async close() {
          await target.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  };
}
