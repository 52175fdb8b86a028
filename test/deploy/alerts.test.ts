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

  test("are missed by their tests when one of them is gone, or always fires", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-alerts-"));
    try {
      cpSync(join(FOLDER, "alerts.test.yaml"), join(folder, "alerts.test.yaml"));
      const text = readFileSync(join(FOLDER, "alerts.yaml"), "utf8");
      const { length } = parse(text).groups[0].rules;
      for (let index = 0; index < length; index += 1) {
        const gone = parse(text);
        const [{ alert }] = gone.groups[0].rules.splice(index, 1);
        const always = parse(text);
        Object.assign(always.groups[0].rules[index], { expr: "vector(1)", for: "0m" });
        for (const rules of [gone, always]) {
          writeFileSync(join(folder, "alerts.yaml"), stringify(rules));
          assert.notEqual(run(["test", "rules", "alerts.test.yaml"], folder).status, 0, alert);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
