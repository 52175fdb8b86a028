import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModuleFunction } from "../../src/functions/module.ts";
import { describeFunctionTargetContract } from "./function-target.ts";
import type { Behaviour } from "./function-target-run.ts";

const SUPPORTED: readonly Behaviour[] = [
  "echo",
  "returnNull",
  "returnBytes",
  "throw",
  "hang",
  "block",
  "exit",
];

describeFunctionTargetContract("a module function", {
  supports: new Set(SUPPORTED),
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-contract-"));
    const executionsFile = join(folder, "executions");
    writeFileSync(executionsFile, "");
    const target = createModuleFunction({
      functionName: "contract",
      path: join(import.meta.dirname, "../fixtures/functions/contract.ts"),
      // One, so that a worker that is not replaced shows.
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
});
