import { registerHooks } from "node:module";
import { anchorsIn, plantAt } from "./anchors.ts";
import type { Patch, PlantedBug } from "./planted-bug.ts";

/**
 * Has this thread load sources with the bug in them. What it returns throws when a patch has not been applied by then:
 * its comment is nowhere, or in a file that is not loaded.
 */
export function plant(
  bug: Pick<PlantedBug, "name" | "patches">,
  onApplied: (patch: Patch) => void = () => undefined,
): () => void {
  const unapplied = new Set(bug.patches);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith("file:") || url.includes("/node_modules/") || loaded.source === undefined)
        return loaded;
      const source = String(loaded.source);
      const here = anchorsIn(source);
      const own = bug.patches.filter(({ at }) => here.includes(at));
      if (own.length === 0) return loaded;
      for (const patch of own) {
        unapplied.delete(patch);
        onApplied(patch);
      }
      return { ...loaded, source: own.reduce(plantAt, source) };
    },
  });
  return () => {
    for (const { at } of unapplied)
      throw new Error(
        `"${bug.name}" was not planted: no file that is loaded has a comment "// plant: ${at}"`,
      );
  };
}
