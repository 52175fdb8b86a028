import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { promtool } from "./tools/promtool.ts";

const FOLDER = fileURLToPath(new URL("../../deploy/prometheus/", import.meta.url));

function run(words: readonly string[], folder: string): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(promtool(), words, { cwd: folder, encoding: "utf8" });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

describe("the alerts", () => {
  test("are rules that Prometheus takes", () => {
    const { status, output } = run(["check", "rules", "alerts.yaml"], FOLDER);
    assert.equal(status, 0, output);
    assert.match(output, /SUCCESS: \d\d rules found/);
  });

  test("fire and are quiet as their tests say", () => {
    const { status, output } = run(["test", "rules", "alerts.test.yaml"], FOLDER);
    assert.equal(status, 0, output);
  });

  test("are missed by their tests, each of them, when they never fire and when they always do", () => {
    const never = missed({ expr: "vector(1) > 1" });
    assert.deepEqual(never.unnoticed(/exp: \{.*\n\s+got: nil/), [], never.output);
    const always = missed({ expr: "vector(1)", for: "0m" });
    assert.deepEqual(always.unnoticed(/exp: nil\n\s+got: \{/), [], always.output);
  });
});

/**
 * Runs the tests on rules that all are changed so. An alert is unnoticed when no failed test of its own reads as told.
 */
function missed(change: object) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-alerts-"));
  try {
    cpSync(join(FOLDER, "alerts.test.yaml"), join(folder, "alerts.test.yaml"));
    const file = parse(readFileSync(join(FOLDER, "alerts.yaml"), "utf8"));
    const rules: { readonly alert: string }[] = file.groups[0].rules;
    file.groups[0].rules = rules.map((rule) => ({ ...rule, ...change }));
    writeFileSync(join(folder, "alerts.yaml"), stringify(file));
    const { status, output } = run(["test", "rules", "alerts.test.yaml"], folder);
    assert.notEqual(status, 0);
    const failures = output.split(/^\s*expr: /m);
    const isOf = (failure: string, alert: string) => failure.startsWith(`"ALERTS{alertname=\\"${alert}\\",`);
    const unnoticed = (text: RegExp) =>
      rules
        .map(({ alert }) => alert)
        .filter((alert) => !failures.some((failure) => isOf(failure, alert) && text.test(failure)));
    return { output, unnoticed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
