import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FailureIndex } from "../../src/ports/failure-index.ts";
import { openSqliteFailureIndex } from "../../src/stores/sqlite-failures.ts";
import { describeFailureIndexContract } from "./failure-index.ts";

describeFailureIndexContract("sqlite", {
  async createIndex(rowsMax) {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const opened: FailureIndex[] = [];
    return {
      async open() {
        const index = await openSqliteFailureIndex(join(folder, "progress.db"), { rowsMax });
        opened.push(index);
        return index;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(opened.map((index) => index.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
});
