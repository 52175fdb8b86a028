import { describe, test } from "node:test";
import { describeFunctionTargetContract } from "../contract/function-target.ts";
import type { Behaviour } from "../contract/function-target-run.ts";
import { contractFixture } from "./runtime-target.ts";
import { runtimesUnderTest } from "./runtimes-under-test.ts";

const SUPPORTED: readonly Behaviour[] = [
  "echo",
  "returnNull",
  "returnBytes",
  "throw",
  "hang",
  "block",
  "exit",
];

for (const { client, code, missing } of await runtimesUnderTest()) {
  if (code !== undefined) {
    describeFunctionTargetContract(`a function by ${client}`, {
      supports: new Set(SUPPORTED),
      create: () => contractFixture(code),
    });
  } else {
    describe(`a function by ${client} keeps the laws of a function target`, () => {
      test("is not built here", { skip: missing });
    });
  }
}
