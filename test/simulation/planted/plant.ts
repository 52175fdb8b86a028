import { registerHooks } from "node:module";
import type { Patch, PlantedBug } from "./planted-bug.ts";

const ROOT = new URL("../../../", import.meta.url);

/**
 * Has this thread load sources with the bug in them. What it returns throws when a patch has not been applied by then.
 * A patch whose text is not there, or is there twice, fails the loading.
 */
export function plant(
  bug: Pick<PlantedBug, "name" | "patches">,
  onApplied: (patch: Patch) => void = () => undefined,
): () => void {
  const unapplied = new Set(bug.patches);
  const apply = (text: string, patch: Patch): string => {
    const parts = text.split(patch.find);
    if (parts.length !== 2) {
      const count = parts.length - 1;
      throw new Error(`"${bug.name}" must be planted anew: its text stands ${count} times in ${patch.file}`);
    }
    unapplied.delete(patch);
    onApplied(patch);
    return parts.join(patch.replace);
  };
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = bug.patches.filter((patch) => new URL(patch.file, ROOT).href === url);
      if (own.length === 0) return loaded;
      return { ...loaded, source: own.reduce(apply, String(loaded.source)) };
    },
  });
  return () => {
    for (const patch of unapplied)
      throw new Error(`"${bug.name}" was not planted: ${patch.file} is not loaded`);
  };
}
