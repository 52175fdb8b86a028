import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { ROOT, sourceFiles } from "./imports.ts";

/** Code without its comments. */
function codeOf(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

/**
 * What leaves something behind on a promise or signal that may live longer than the call. Each race leaves a reaction,
 * which holds what was won; an abort listener that nobody removes holds what it closes over.
 */
function leaksOf(source: string): string[] {
  const code = codeOf(source);
  const found: string[] = [];
  if (/\bPromise\s*\.\s*(?:race|any)\b|\{[^}]*\brace\b[^}]*\}\s*=\s*Promise\b/.test(code))
    found.push("a race");
  const adds = code.match(/\.addEventListener\(\s*["']abort["']/g)?.length ?? 0;
  const removes = code.match(/\.removeEventListener\(\s*["']abort["']/g)?.length ?? 0;
  if (removes < Math.min(adds, 1)) found.push("an abort listener that is never removed");
  if (/\.once\(\s*[\w.#]*[sS]ignal\b/.test(code)) found.push("an abort listener that is never removed");
  return found;
}

test("nobody races promises but firstOf, and every abort listener is taken back", () => {
  const files = [...sourceFiles(join(ROOT, "src")), ...sourceFiles(join(ROOT, "connectors"))];
  assert(files.length > 100);
  const found = files.flatMap((file) => {
    const path = relative(ROOT, file);
    return leaksOf(readFileSync(file, "utf8")).map((leak) => `${path}: ${leak}`);
  });
  assert.deepEqual(
    found,
    [],
    "use firstOf of src/lib/first-of.ts: what lives longer than the call is an interruption there",
  );
});

test("a race and a listener that stays are found", () => {
  const planted: readonly (readonly [code: string, leaks: number])[] = [
    ["await Promise.race([work, this.#failed]);", 1],
    ["await Promise\n  .race([work, late]);", 1],
    ["await Promise.any([work, late]);", 1],
    ["const { race } = Promise;", 1],
    ["/** As Promise.race does. */", 0],
    ['signal.addEventListener("abort", stop, { once: true });', 1],
    ['signal.addEventListener("abort", stop);\nsignal.removeEventListener("abort", stop);', 0],
    ["await once(this.#signal, 'abort');", 0],
    ["emitter.once(signal, stop);", 1],
    ["await Promise.all([a, b]);", 0],
  ];
  for (const [code, leaks] of planted) assert.equal(leaksOf(code).length, leaks, code);
});
