import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileDestination } from "../../src/destinations/file.ts";
import { createFileFailureReader } from "../../src/destinations/file-reader.ts";
import { describeFailureReaderContract } from "./failure-reader.ts";

describeFailureReaderContract("file", {
  async createPlace() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "failures", "failed.jsonl");
    return {
      openDestination: async () => createFileDestination(path),
      openReader: async () => createFileFailureReader(path),
      async litter() {
        mkdirSync(join(folder, "failures"), { recursive: true });
        appendFileSync(path, 'a torn {"line\n{"id":"x"}\n\n[1]\n');
      },
      async clear() {
        rmSync(path);
      },
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true });
      },
    };
  },
});
