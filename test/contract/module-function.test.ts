import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModuleFunction } from "../../src/functions/module.ts";
import { openModuleProcess } from "../../src/functions/runtime/open-module.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
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

interface ModuleChoice {
  readonly functionName: string;
  readonly path: string;
  readonly concurrency: number;
  readonly environment: Readonly<Record<string, string>>;
}

describeFunctionTargetContract(
  "a module in threads",
  harnessOf(async (choice) => createModuleFunction(choice)),
);
describeFunctionTargetContract(
  "a streaming module in threads",
  harnessOf(async (choice) => createModuleFunction({ ...choice, exportName: "streaming" }), ["stream"]),
);
describeFunctionTargetContract(
  "a module in processes",
  harnessOf((choice) =>
    openModuleProcess({ ...choice, exportName: "handler", memoryMb: 512, log: { line: () => {} } }),
  ),
);

function harnessOf(
  open: (choice: ModuleChoice) => Promise<FunctionTarget>,
  supported = SUPPORTED,
): FunctionTargetHarness {
  return {
    supports: new Set(supported),
    async create() {
      const folder = mkdtempSync(join(tmpdir(), "millrace-contract-"));
      const executionsFile = join(folder, "executions");
      writeFileSync(executionsFile, "");
      const target = await open({
        functionName: "contract",
        path: join(import.meta.dirname, "../fixtures/functions/contract.ts"),
        // One, so that a runtime that is not replaced shows.
        concurrency: 1,
        environment: { EXECUTIONS_FILE: executionsFile },
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
