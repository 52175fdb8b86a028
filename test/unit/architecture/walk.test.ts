import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Import, ROOT, readImports } from "./imports.ts";
import { repositoryFiles } from "./references.ts";

const PAGE = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");

interface Walk {
  readonly title: string;
  readonly files: readonly string[];
}

/** Sections 5.1 … of the page: numbered lists whose items begin with a file. */
function readWalks(markdown: string): Walk[] {
  return markdown
    .split(/^### /m)
    .filter((section) => /^5\.\d+ /.test(section))
    .map((section) => ({
      title: section.slice(0, section.indexOf("\n")),
      files: [...section.matchAll(/^\d+\. `([^`]+)`/gm)].flatMap(([, path]) => path ?? []),
    }));
}

/** Steps that are not there, or that nothing joins to a step before. */
function brokenSteps({ title, files }: Walk, imports: readonly Import[], all: readonly string[]): string[] {
  const joined = (one: string, other: string) =>
    imports.some(
      ({ from, target }) => (from === one && target === other) || (from === other && target === one),
    );
  return files.flatMap((file, index) => {
    if (!all.includes(file)) return [`${title}: ${file} is not there`];
    if (index === 0 || files.slice(0, index).some((before) => joined(file, before))) return [];
    return [`${title}: nothing joins ${file} to a file before it`];
  });
}

describe("docs/architecture.md", () => {
  test("leads a newcomer from file to file, each joined by an import to one before", () => {
    const walks = readWalks(PAGE);
    const imports = [...readImports("src"), ...readImports("connectors")];
    const all = repositoryFiles();
    assert.deepEqual(
      walks.flatMap((walk) => brokenSteps(walk, imports, all)),
      [],
    );
    assert.ok(walks.length >= 7);
    assert.ok(walks.every(({ files }) => files.length >= 8));
  });

  test("a step that has moved away, or that nothing leads to, is found", () => {
    const [walk] = readWalks(
      "### 5.1 Here\n1. `a.ts` begins.\n2. `b.ts` goes on.\n3. `c.ts` too.\n4. `d.ts` ends.\n",
    );
    assert.ok(walk !== undefined);
    const imports = [
      { from: "b.ts", target: "a.ts" },
      { from: "d.ts", target: "e.ts" },
    ];
    assert.deepEqual(brokenSteps(walk, imports, ["a.ts", "b.ts", "d.ts"]), [
      "5.1 Here: c.ts is not there",
      "5.1 Here: nothing joins d.ts to a file before it",
    ]);
  });

  test("names every room of the house, and none that is not there", () => {
    const named = [...PAGE.matchAll(/^\| `(src\/\w+|connectors)` \|/gm)].flatMap(([, room]) => room ?? []);
    const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}`);
    assert.deepEqual(named.toSorted(), [...rooms, "connectors"].toSorted());
  });
});
