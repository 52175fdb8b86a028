import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../../src/load/machine.ts";
import { type BenchOutcome, formatResults, formatTable } from "../../load/bench-results.ts";
import { type Measurement, rowOf } from "../../load/measurement.ts";

const MACHINE: Machine = {
  cpu: "a processor",
  cores: 2,
  memoryBytes: 2 ** 33,
  system: "linux",
  node: "24.0.0",
  loadBefore: 0.5,
};

function outcomeOf(name: string, measurements: readonly Measurement[]): BenchOutcome {
  return {
    file: `${name}.bench.ts`,
    name,
    commit: "abc",
    ranAt: "2026-01-01T00:00:00Z",
    machine: MACHINE,
    measurements,
  };
}

test("the table holds the rows of all benchmarks, with their limits and goals, and nothing else", () => {
  const outcomes = [
    outcomeOf("one", [
      rowOf({ work: "a | b", limit: 2 }, 3, "µs", 4),
      { metric: "beside it", value: 1, unit: "ms" },
    ]),
    outcomeOf("two", [rowOf({ work: "c" }, 5, "MiB", 4)]),
  ];
  const [, , ...lines] = formatTable(outcomes).trim().split("\n");
  assert.deepEqual(lines, [
    "| a \\| b | 2.00 | 3.00 | ≤ 4 µs | holds |",
    "| c |  | 5.00 | ≤ 4 MiB | **missed** |",
  ]);
  assert.ok(formatResults(outcomes).includes(formatTable(outcomes)));
});
