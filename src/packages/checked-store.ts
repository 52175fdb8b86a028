import type { PackageStore } from "../ports/package-store.ts";
import { planZip } from "./zip.ts";

/**
 * A store that takes only what can be run: every byte of an archive is read once, as its extraction would.
 * `put` throws MillraceError ERR_MILLRACE_PACKAGE, and keeps nothing, where it says what is wrong.
 */
export function checkedPackageStore(store: PackageStore): PackageStore {
  return {
    async put(archive) {
      const plan = await planZip("The uploaded archive", archive);
      for (const { chunks } of plan.files) for await (const _chunk of chunks()) void _chunk;
      return await store.put(archive);
    },
    get: (sha256) => store.get(sha256),
    sweep: (needed, nowMs) => store.sweep(needed, nowMs),
    close: () => store.close(),
  };
}
