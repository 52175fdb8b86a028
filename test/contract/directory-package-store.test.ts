import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPackageStore } from "../../src/packages/open-package-store.ts";
import { describePackageStoreContract } from "./package-store.ts";

describePackageStoreContract("a folder", {
  async createStore() {
    const root = mkdtempSync(join(tmpdir(), "millrace-packages-"));
    // It is made when it is needed.
    const folder = join(root, "shared", "packages");
    return {
      open: () => openPackageStore(`dir:${folder}`),
      damage: (sha256, bytes) => writeFile(join(folder, `${sha256}.zip`), bytes),
      async [Symbol.asyncDispose]() {
        rmSync(root, { recursive: true, force: true });
      },
    };
  },
});
