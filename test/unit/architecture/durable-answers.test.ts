import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { ROOT, sourceFiles } from "./imports.ts";

/**
 * `get()` and `run()` of `node:sqlite` step once. Of a change with `RETURNING` that step gives the row, and the commit
 * comes at the statement's end, whose error is dropped: on a full disk the change is answered and not made
 * (`changedRows`).
 */
const USES_SQLITE = /from "(node:sqlite|[./a-z]*\/sqlite\/[a-z-]+\.ts)"/;

/** Words of SQL that are not in an argument of `changedRows`. */
function breaches(source: string): number {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  if (!USES_SQLITE.test(code)) return 0;
  return [...withoutCalls(code, "changedRows(").matchAll(/\breturning\b/gi)].length;
}

function withoutCalls(code: string, call: string): string {
  const at = code.indexOf(call);
  if (at < 0) return code;
  let depth = 1;
  let end = at + call.length;
  for (; depth > 0 && end < code.length; end++) {
    if (code[end] === "(") depth += 1;
    if (code[end] === ")") depth -= 1;
  }
  return code.slice(0, at) + withoutCalls(code.slice(end), call);
}

test("no change of an SQLite file is answered before its commit: RETURNING stands in changedRows only", () => {
  const files = ["src", "connectors"].flatMap((folder) => sourceFiles(join(ROOT, folder)));
  const found = files.filter((file) => breaches(readFileSync(file, "utf8")) > 0);
  assert.deepEqual(
    found.map((file) => relative(ROOT, file)),
    [],
  );
});

test("a breach is found", () => {
  const head = 'import type { DatabaseSync } from "node:sqlite";\n';
  const planted: readonly (readonly [code: string, count: number])[] = [
    ['database.prepare("UPDATE t SET n = 1 RETURNING n").get();', 1],
    ["database.prepare(`INSERT INTO t VALUES (1) returning n`);", 1],
    ['const SQL = "DELETE FROM t RETURNING n";\nconst rows = changedRows(database, SQL);', 1],
    ['const a = changedRows(database, "UPDATE t SET n = f(1) RETURNING n");', 0],
    ['changedRows(a, "DELETE FROM t RETURNING n"); database.prepare("DELETE FROM u RETURNING n");', 1],
    ['// a change with RETURNING\ndatabase.prepare("SELECT 1");', 0],
  ];
  for (const [code, count] of planted) assert.equal(breaches(head + code), count, code);
  assert.equal(breaches('import { Pool } from "pg";\nquery("UPDATE t SET n = 1 RETURNING n");'), 0);
});
