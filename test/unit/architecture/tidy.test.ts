import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, normalize, relative } from "node:path";
import { describe, test } from "node:test";
import { importsOf, ROOT, sourceFiles } from "./imports.ts";

const LINES_MAX = 300;
const TEST_LINES_MAX = 600;

/** Files that are too long, each with what will make it shorter. The list only shrinks. */
const TOO_LONG: Readonly<Record<string, string>> = {};

const CHARACTERS_MAX = 120;

const PARTS = ["src", "connectors", "scripts", "examples", "test"];
/** Nobody imports these: they are started by name, or declare what a package has. */
const STARTED = /(?:\.test|\.bench|\.d)\.ts$|^test\/fixtures\/functions\//;

const BEGINS_WITH_OF = /^\s*(?:\/\*\*|\*|\/\/) Of /;

interface Source {
  readonly file: string;
  readonly text: string;
}

const sources: readonly Source[] = PARTS.flatMap((part) =>
  sourceFiles(join(ROOT, part))
    .map((file) => relative(ROOT, file))
    .filter((file) => !file.includes("node_modules"))
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") })),
);

describe("tidiness", () => {
  test("no file is longer than 300 lines, no test longer than 600, but those that are named", () => {
    const known = new Set(Object.keys(TOO_LONG));
    assert.deepEqual(
      sources.filter((source) => isTooLong(source) && !known.has(source.file)).map(nameAndLength),
      [],
    );
  });

  test("no file is named as too long that is not", () => {
    const long = new Set(sources.filter(isTooLong).map(({ file }) => file));
    assert.deepEqual(
      Object.keys(TOO_LONG).filter((file) => !long.has(file)),
      [],
    );
  });

  test("no line is longer than 120 characters, but for a text or pattern that cannot be broken", () => {
    assert.deepEqual(
      sources.flatMap(({ file, text }) => wideLines(text).map((line) => `${file}: ${line}`)),
      [],
    );
  });

  test("a line that is too long is found", () => {
    const long = "word ".repeat(30);
    assert.equal(wideLines(`/** ${long} */`).length, 1);
    assert.equal(wideLines(`call(${long.replaceAll(" ", ", ")});`).length, 1);
    assert.equal(wideLines(`tell("${long}");`).length, 0);
    assert.equal(wideLines(`const PAGE = \`\n${long}\n\`;`).length, 0);
    assert.equal(wideLines(`const PAGE = \`\n\`;\n// ${long}`).length, 1);
  });

  test("no export is dead", () => {
    assert.deepEqual(deadExports(sources), []);
  });

  test("no file is dead", () => {
    const others = [
      "package.json",
      ".ci/run",
      "Dockerfile",
      "scripts/toolchain/package.json",
      "examples/quickstart/manifest.yaml",
    ].map((file) => readFileSync(join(ROOT, file), "utf8"));
    assert.deepEqual(deadFiles(sources, others.join("\n")), []);
  });

  test("no docstring or comment begins with Of: it says what the thing is, or who acts", () => {
    const found = sources
      .filter(({ file }) => !file.startsWith("test/"))
      .flatMap(({ file, text }) =>
        text.split("\n").flatMap((line) => (BEGINS_WITH_OF.test(line) ? [`${file}: ${line}`] : [])),
      );
    assert.deepEqual(found, []);
    assert.match("  /** Of the mapping. */", BEGINS_WITH_OF);
    assert.doesNotMatch("  /** Often of the mapping. */", BEGINS_WITH_OF);
  });

  test("what is dead is found", () => {
    const used = {
      file: "src/a.ts",
      text: "export const used = 1;\nexport const dead = 2;\nexport const OWN = 3;\nOWN;\n",
    };
    const user = { file: "src/b.test.ts", text: 'import { used } from "./a.ts";\nused;\n' };
    const lonely = { file: "src/lonely.ts", text: "const x = 1;\n" };
    assert.deepEqual(deadExports([used, user]), ["src/a.ts: dead"]);
    assert.deepEqual(deadFiles([used, user, lonely], ""), ["src/lonely.ts"]);
    assert.deepEqual(deadFiles([used, user, lonely], "node src/lonely.ts"), []);
  });
});

function isTooLong({ file, text }: Source): boolean {
  return linesOf(text) > (file.endsWith(".test.ts") ? TEST_LINES_MAX : LINES_MAX);
}

/** Lines of a text that goes over several are as long as what they show. */
function wideLines(text: string): readonly string[] {
  let isInText = false;
  return text.split("\n").filter((line) => {
    const wasInText = isInText;
    const isComment = !wasInText && /^\s*(?:\/\/|\*|\/\*)/.test(line);
    if (!isComment && (line.replaceAll("\\`", "").split("`").length - 1) % 2 === 1) isInText = !isInText;
    if (line.length <= CHARACTERS_MAX || wasInText || isInText) return false;
    return isComment || withoutTexts(line).length > CHARACTERS_MAX;
  });
}

function withoutTexts(line: string): string {
  return line
    .replaceAll(/(["'`])(?:\\.|(?!\1).)*\1/g, '""')
    .replaceAll(/\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\])+\//g, "//");
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function nameAndLength({ file, text }: Source): string {
  return `${file}: ${linesOf(text)} lines`;
}

/** Exports that no file names, their own neither but where they are made. Handlers of functions are called by name. */
function deadExports(all: readonly Source[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { text } of all)
    for (const [word] of text.matchAll(/\b\w+\b/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const made =
    /^export\s+(?:abstract\s+)?(?:async\s+)?(?:const|function\*?|class|interface|type|enum)\s+(\w+)/gm;
  return all
    .filter(({ file }) => !STARTED.test(file))
    .flatMap(({ file, text }) =>
      [...text.matchAll(made)].flatMap(([, name = ""]) =>
        counts.get(name) === 1 ? [`${file}: ${name}`] : [],
      ),
    );
}

/** Files that no other imports, and that nothing names. */
function deadFiles(all: readonly Source[], commands: string): readonly string[] {
  const imported = new Set(
    all.flatMap(({ file, text }) => importsOf(file, text).map(({ target }) => normalize(target))),
  );
  return all
    .filter(({ file }) => !STARTED.test(file) && !imported.has(file))
    .filter(({ file }) => {
      const name = file.split("/").at(-1) ?? file;
      // A worker's file has another ending once it is built.
      const isNamed = (text: string) =>
        text.includes(name) || text.includes(`./${name.replace(/\.ts$/, "$")}`);
      return !isNamed(commands) && !all.some((other) => other.file !== file && isNamed(other.text));
    })
    .map(({ file }) => file);
}
