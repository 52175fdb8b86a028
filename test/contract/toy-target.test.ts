import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openToyTarget, TARGET_TOY } from "../toys/target-toy.ts";
import { describeFunctionTargetContract } from "./function-target.ts";

describeFunctionTargetContract("a toy function", {
  supports: new Set(["echo"]),
  async create() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-toy-"));
    const nest = join(folder, "events.txt");
    writeFileSync(nest, "");
    const target = await openToyTarget(TARGET_TOY.settings(nest));
    return {
      target,
      executions: () => readFileSync(nest, "utf8").split("\n").length - 1,
      async close() {
        await target.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
