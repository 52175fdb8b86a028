import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { brokenLinks, hardToRead } from "./documents.ts";
import { ROOT } from "./imports.ts";
import { repositoryFiles } from "./references.ts";

/** Not wrapped yet, each for a reason. */
const UNWRAPPED = new Map([
  ["README.md", "is written anew as a whole"],
  ["CHANGELOG.md", "many hands add lines; it is wrapped with a release"],
]);

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("documents", () => {
  test("wrap at 120 characters, and no cell of a table is longer than a sentence", () => {
    const documents = repositoryFiles().filter((path) => path.endsWith(".md") && !UNWRAPPED.has(path));
    assert.ok(documents.length > 50);
    assert.deepEqual(
      documents.flatMap((path) => hardToRead(read(path)).map((fault) => `${path}, ${fault}`)),
      [],
    );
    for (const path of UNWRAPPED.keys())
      assert.notDeepEqual(hardToRead(read(path)), [], `${path} is wrapped now`);
  });

  test("link to files and headings that are there", () => {
    const files = repositoryFiles();
    const documents = files.filter((path) => path.endsWith(".md"));
    assert.deepEqual(
      documents.flatMap((path) => brokenLinks(path, read(path), files, read)),
      [],
    );
  });

  test("the glossary has each word once", () => {
    const words = wordsOf(read("docs/glossary.md"));
    assert.ok(words.length > 50);
    assert.deepEqual(
      words.filter((word, index) => words.indexOf(word) !== index),
      [],
    );
    assert.deepEqual(wordsOf("| word | meaning |\n|---|---|\n| lease, hold | x |\n| hold | y |\n"), [
      "lease",
      "hold",
      "hold",
    ]);
  });

  test("name no folder of the machine that they were written on", () => {
    const documents = repositoryFiles().filter((path) => path.endsWith(".md"));
    const folder = /(?<![\w.~-])\/(?:work|home|root)\//;
    assert.deepEqual(
      documents.filter((path) => folder.test(read(path))),
      [],
    );
    assert.match("see /work/notes", folder);
    assert.doesNotMatch("~/work/notes", folder);
  });

  test("a long line, a cell of two sentences and a dead link are found", () => {
    const long = `${"word ".repeat(24)}and`;
    const page = `# Head\n\n${long}\n| a | b |\n|---|---|\n| One \`x. Y\`; more. | Two. Three |\n| Four. \`x\` | |\n`;
    assert.deepEqual(hardToRead(page), [
      "line 3: 123 characters",
      "line 6: more than a sentence in a cell",
      "line 7: more than a sentence in a cell",
    ]);
    assert.deepEqual(hardToRead(`${"x".repeat(200)}\n`), [], "a word that cannot be broken");
    const links =
      "[a](b.md) [b](b.md#two-words) [c](b.md#no) [d](../c.md) [e](#here) [f](https://x.y/z) [g](sub)";
    assert.deepEqual(
      brokenLinks("docs/a.md", links, ["docs/b.md", "docs/sub/x.md", "docs/a.md"], () => "## Two words\n"),
      ["docs/a.md: b.md#no", "docs/a.md: ../c.md", "docs/a.md: #here"],
    );
  });
});

/** First cells of the tables' rows; a cell may have several words, with commas between them. */
function wordsOf(glossary: string): string[] {
  return [...glossary.matchAll(/^\| (?!word \|)([^|]+) \|/gm)].flatMap(([, cell = ""]) => cell.split(", "));
}
