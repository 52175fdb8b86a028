import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "./imports.ts";
import { commentsOf, type Library, readLibrary, unresolved } from "./references.ts";

/** Files of other people, which comments name as examples. */
const NAMES_OF_OTHERS = new Map([
  ["orders.yaml", "a user's manifest"],
  ["result.json", "what a load test leaves in its folder"],
  ["login.json", "a secret of a user's"],
  ["deployment-apps-v1.json", "a schema of Kubernetes"],
]);

const LIBRARY: Library = {
  sections: new Map([
    ["streams", new Set(["5", "5.4", "6.1"])],
    ["kafka", new Set(["4"])],
  ]),
  invariants: new Set(["I1", "I17"]),
  decisions: new Set(["0017"]),
  files: ["src/engine/stream/lane.ts", "docs/runbook.md"],
};

describe("what comments name is in the repository", () => {
  test("every section, invariant, decision and file", () => {
    const library = readLibrary();
    const commented = library.files.filter(
      (path) =>
        /\.(ts|mjs|ya?ml)$|^\.ci\/run$|^Dockerfile$/.test(path) &&
        path !== "test/unit/architecture/references.test.ts" &&
        path !== "test/unit/architecture/references.ts",
    );
    let comments = 0;
    const found = commented.flatMap((path) => {
      const all = commentsOf(path, readFileSync(join(ROOT, path), "utf8"));
      comments += all.length;
      return all.flatMap((comment) =>
        unresolved(comment, library)
          .filter((name) => !NAMES_OF_OTHERS.has(name))
          .map((name) => `${path}: ${name}`),
      );
    });
    assert.deepEqual(found, []);
    assert.ok(commented.length > 500 && comments > 2000, `${comments} comments of ${commented.length} files`);
  });

  test("every section, invariant and decision that a document names", () => {
    const library = readLibrary();
    const documents = library.files.filter(
      (path) => path.endsWith(".md") && path !== "docs/contract/README.md",
    );
    const found = documents.flatMap((path) => {
      const own = /^docs\/(?:contract\/(\w+)\.md|([\w-]+\.md))$/.exec(path);
      const text = readFileSync(join(ROOT, path), "utf8").replaceAll(/\s+/g, " ");
      return unresolved(text, { ...library, files: [] }, own?.[1] ?? own?.[2])
        .filter((name) => !/\.\w+$/.test(name))
        .map((name) => `${path}: ${name}`);
    });
    assert.deepEqual(found, []);
    assert.deepEqual(unresolved("As §5.4, §6.2 and kafka §3 say.", LIBRARY, "streams"), ["§6.2", "kafka §3"]);
  });

  test("sections are looked up in the document that is named, over the ends of lines and in lists", () => {
    const good = "/** By streams §5.4 and §6.1, or kafka §4 (streams\n * §5; Streams §5.4). */";
    assert.deepEqual(
      commentsOf("a.ts", good).flatMap((comment) => unresolved(comment, LIBRARY)),
      [],
    );
    const bad = "/** By streams §5.9, queues §2, kafka §4\n * and §6.1; §4 */";
    assert.deepEqual(
      commentsOf("a.ts", bad).flatMap((comment) => unresolved(comment, LIBRARY)),
      ["streams §5.9", "queues §2", "and §6.1"],
    );
    assert.deepEqual(unresolved("// §5.4 of nothing", LIBRARY), ["§5.4"]);
  });

  test("an invariant, a decision and a file that are not there are found, in code and in YAML", () => {
    const code = "const x = 1; // I17 (decision 0017, lane.ts) but I99, decision 0099 and stream/lanes.ts\n";
    assert.deepEqual(
      commentsOf("a.ts", code).flatMap((comment) => unresolved(comment, LIBRARY)),
      ["I99", "decision 0099", "stream/lanes.ts"],
    );
    const yaml = 'a: "§9"\n# See docs/runbook.md\n# and docs/gone.md.\n';
    assert.deepEqual(
      commentsOf("a.yaml", yaml).flatMap((comment) => unresolved(comment, LIBRARY)),
      ["docs/gone.md"],
    );
  });

  test("names of others are still named by somebody", () => {
    const library = readLibrary();
    const text = library.files
      .filter((path) => /\.(ts|ya?ml)$/.test(path) && !path.startsWith("test/unit/architecture/"))
      .map((path) => readFileSync(join(ROOT, path), "utf8"))
      .join("\n");
    assert.deepEqual(
      [...NAMES_OF_OTHERS.keys()].filter((name) => !text.includes(name)),
      [],
    );
  });
});
