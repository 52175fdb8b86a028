import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { GroupLauncher } from "../../../../src/functions/runtime/group-launcher.ts";
import type { ProcessEnding } from "../../../../src/functions/runtime/launcher.ts";
import { createManualClock } from "../manual-clock.ts";

const SECRET = "canary";

for (const [what, command, environment] of [
  ["a variable", ["sh", "-c", "exit 0"], { TOKEN: `${SECRET}\0` }],
  ["an argument", ["sh", "-c", `echo ${SECRET}\0`], {}],
  ["the program", [`/bin/${SECRET}\0`], {}],
] as const) {
  test(`a process that cannot be started for a zero byte in ${what} ends its call, and tells no value`, async () => {
    const launcher = new GroupLauncher({
      ...{ command, codeFolder: tmpdir(), memoryMb: 128, clock: createManualClock() },
      environmentOf: () => ({ PATH: process.env["PATH"] ?? "", ...environment }),
    });
    const ending = await new Promise<ProcessEnding>((onExit) => {
      const listener = { onExit, onGone: () => {}, onExtensionExit: () => {}, onOutput: () => {} };
      launcher.launch({ apiAddress: "127.0.0.1:9", folder: tmpdir(), isProvisioned: false }, listener);
    });
    const message = "a path, an argument or a variable has a zero byte";
    assert.deepEqual(ending, {
      kind: "unstarted",
      message: `The function's process cannot be started: ${message}.`,
    });
  });
}
