import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Step {
  readonly commands: string;
  /** Lines that the commands print, in this order, among others. */
  readonly printed: readonly string[];
}

/** The blocks of the README's tour: commands, and behind some of them what they print. */
function tourSteps(): Step[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, tour = ""] = /<!-- tour:.*?-->(.*)<!-- end of the tour -->/s.exec(readme) ?? [];
  const blocks = [...tour.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const steps: Step[] = [];
  for (const [, language, text = ""] of blocks) {
    const last = steps.at(-1);
    if (language === "sh") steps.push({ commands: text, printed: [] });
    else if (last !== undefined) steps.splice(-1, 1, { ...last, printed: text.trimEnd().split("\n") });
  }
  return steps;
}

/** A checkout of its own, since the tour writes into it. */
function copyOfCheckout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-tour-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ["src", "connectors", "package.json"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

test("the README's tour does what it says, and its second run finds nothing left to do", (t) => {
  const folder = copyOfCheckout(t);
  const steps = tourSteps();
  assert.ok(steps.length >= 4 && steps.some(({ printed }) => printed.length > 0), "the tour is found");
  const outputs = steps.map(({ commands, printed }) => {
    const { status, stdout, stderr } = spawnSync("sh", ["-eu", "-c", commands], {
      cwd: folder,
      encoding: "utf8",
    });
    const output = stdout + stderr;
    assert.equal(status, 0, `${commands}\n${output}`);
    const shown = output.split("\n").filter((line) => printed.includes(line));
    assert.deepEqual(shown, printed, output);
    return output;
  });
  assert.doesNotMatch(outputs.at(-1) ?? "", /\[orders\]/);
});
