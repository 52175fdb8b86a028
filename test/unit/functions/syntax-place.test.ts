import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadHandler } from "../../../src/functions/module-handler.ts";

const BAD = "export const one = 1;\nexport const two = ;\n";

for (const name of ["bad.mjs", "bad.mts", "bad.cjs"]) {
  test(`a syntax error in ${name} is told with its file and line`, async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, name);
    writeFileSync(file, name.endsWith(".cjs") ? BAD.replaceAll("export ", "") : BAD);
    await assert.rejects(loadHandler(file, "handler"), ({ name: type, message }: Error) => {
      assert.equal(type, "Runtime.UserCodeSyntaxError");
      assert.ok(message.includes(`It is at ${file}:2; "node --check ${file}" shows it.`), message);
      return true;
    });
  });
}

test("it is found in what a module imports, where somebody follows that, and else said to be perhaps there", async (t) => {
  const folder = temporaryFolder(t);
  const [entry, bad] = [join(folder, "orders.mjs"), join(folder, "bad.mjs")];
  writeFileSync(entry, 'import "./bad.mjs";\n');
  writeFileSync(bad, BAD);
  await assert.rejects(loadHandler(entry, "handler", [entry, bad]), { message: /It is at \S*bad\.mjs:2;/ });
  await assert.rejects(loadHandler(entry, "handler"), {
    message: /or it is in a module that this one imports/,
  });
});

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-syntax-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
