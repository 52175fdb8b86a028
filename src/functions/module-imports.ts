import { registerHooks } from "node:module";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

const TOLD_MAX = 1_000;
const INSTALLED = `${sep}node_modules${sep}`;

/** Has each file told that is imported or required from now on, before it is read, but for installed packages. */
export function tellImports(tell: (path: string) => void): void {
  const told = new Set<string>();
  registerHooks({
    load(url, context, nextLoad) {
      const path = url.startsWith("file:") ? fileURLToPath(url) : undefined;
      if (path !== undefined && !path.includes(INSTALLED) && !told.has(path) && told.size < TOLD_MAX) {
        told.add(path);
        tell(path);
      }
      return nextLoad(url, context);
    },
  });
}
