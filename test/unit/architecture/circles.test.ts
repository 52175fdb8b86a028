import assert from "node:assert/strict";
import { test } from "node:test";
import { type Import, importsOf, readImports } from "./imports.ts";

test("no files import each other in a circle, not even by types", () => {
  assert.deepEqual(circlesOf([...readImports("src"), ...readImports("connectors")]), []);
});

test("a circle is found, however long, and each of its files is named once", () => {
  const chain = (...files: string[]) =>
    files
      .slice(1)
      .flatMap((file, at) => importsOf(`src/${files[at]}`, `import type { X } from "./${file}";`));
  assert.deepEqual(circlesOf(chain("a.ts", "b.ts", "c.ts")), []);
  assert.deepEqual(circlesOf(chain("a.ts", "b.ts", "a.ts")), [["src/a.ts", "src/b.ts"]]);
  assert.deepEqual(circlesOf(chain("a.ts", "b.ts", "c.ts", "d.ts", "b.ts")), [
    ["src/b.ts", "src/c.ts", "src/d.ts"],
  ]);
  assert.deepEqual(circlesOf([...chain("a.ts", "b.ts", "a.ts"), ...chain("c.ts", "d.ts", "c.ts")]).length, 2);
});

/**
 * Files from each of which each other can be reached, sorted: Tarjan's strongly connected components of more than one.
 */
function circlesOf(imports: readonly Import[]): string[][] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const own = order.size;
    order.set(file, own);
    path.push(file);
    let low = own;
    for (const { target } of targets.get(file) ?? []) {
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (path.includes(target)) low = Math.min(low, lowest.get(target) ?? order.get(target) ?? low);
    }
    lowest.set(file, low);
    if (low === own) {
      const circle = path.splice(path.indexOf(file)).sort();
      if (circle.length > 1) circles.push(circle);
    }
    return low;
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return circles;
}
