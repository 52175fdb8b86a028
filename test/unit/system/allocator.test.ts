import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allocatorEnvironment } from "../../../src/system/allocator.ts";
import { parseDockerfile, parsePairs } from "../../deploy/image/dockerfile.ts";

test("the image has glibc give memory back as the processes of a group do", () => {
  const [, image] = parseDockerfile(readFileSync(new URL("../../../Dockerfile", import.meta.url), "utf8"));
  const set = image?.instructions
    .filter(({ name }) => name === "ENV")
    .flatMap(({ text }) => [...parsePairs(text)]);
  const ours = set?.filter(([name]) => name.startsWith("MALLOC_"));
  assert.deepEqual(Object.fromEntries(ours ?? []), allocatorEnvironment({}));
});

test("what an operator has set of the allocator stays", () => {
  const kept = allocatorEnvironment({ MALLOC_ARENA_MAX: "8" });
  assert.deepEqual(Object.keys(kept).toSorted(), ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]);
});
