import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntimeFunction } from "../../src/functions/runtime/runtime-function.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { FunctionTargetFixture } from "../contract/function-target-run.ts";
import type { FunctionCode } from "./runtimes-under-test.ts";

export interface TargetChoice {
  readonly concurrency?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLog?: (line: string) => void;
}

/** The function, run by this process. */
export async function openTarget(code: FunctionCode, choice: TargetChoice = {}): Promise<FunctionTarget> {
  const { concurrency = 1, environment = {}, onLog = () => undefined } = choice;
  return await createRuntimeFunction({
    ...code,
    functionName: "runtimes",
    layerFolders: [],
    memoryMb: 512,
    concurrency,
    environment,
    log: { line: ({ text }) => onLog(text) },
  });
}

/** One environment, so that one that is not reset shows. */
export async function contractFixture(code: FunctionCode): Promise<FunctionTargetFixture> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-runtimes-"));
  const executionsFile = join(folder, "executions");
  writeFileSync(executionsFile, "");
  const target = await openTarget(code, { environment: { EXECUTIONS_FILE: executionsFile } });
  return {
    target,
    executions: () => readFileSync(executionsFile).length,
    async close() {
      await target.close();
      rmSync(folder, { recursive: true });
    },
  };
}
