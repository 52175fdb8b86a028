import { type FSWatcher, watch } from "node:fs";
import type { FolderWatch } from "../ports/folder-watch.ts";

/** Hosts have a bound on what one user watches. */
const FOLDERS_MAX = 256;

/** By the host's own events. `onHint` is also called for files that nobody asked for. */
export function createFolderWatch(onHint: () => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  const forget = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const add = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, onHint);
      // A folder that is removed, or events that the host ran out of.
      watcher.on("error", () => forget(folder));
      watchers.set(folder, watcher);
    } catch {
      // It is not there, or the host watches no more: whoever needs to know looks.
    }
  };
  return {
    watch(folders) {
      for (const folder of watchers.keys()) if (!folders.has(folder)) forget(folder);
      for (const folder of [...folders].slice(0, FOLDERS_MAX)) if (!watchers.has(folder)) add(folder);
    },
    close() {
      for (const folder of [...watchers.keys()]) forget(folder);
    },
  };
}
