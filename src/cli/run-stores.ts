import type { CellStore } from "../ports/cell-store.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { Adapters } from "./adapters.ts";
import type { StoreUrl } from "./store-url.ts";

interface Closable {
  close(): Promise<void>;
}

/** What one `--store` keeps: progress, rows and cells. */
export class RunStores {
  readonly progress: ProgressStore;
  readonly resources: ResourceStore;
  readonly cells: CellStore;

  private constructor(progress: ProgressStore, resources: ResourceStore, cells: CellStore) {
    this.progress = progress;
    this.resources = resources;
    this.cells = cells;
  }

  /** @throws MillraceError of the first that cannot be opened; those before it are closed. */
  static async open(
    adapters: Pick<Adapters, "openStore" | "openResourceStore" | "openCellStore">,
    url: StoreUrl,
  ): Promise<RunStores> {
    const opened: Closable[] = [];
    const kept = <S extends Closable>(store: S): S => {
      opened.push(store);
      return store;
    };
    try {
      const progress = kept(await adapters.openStore(url));
      const resources = kept(await adapters.openResourceStore(url));
      return new RunStores(progress, resources, await adapters.openCellStore(url));
    } catch (error) {
      await Promise.allSettled(opened.map((store) => store.close()));
      throw error;
    }
  }

  /** Closes all, and returns why one could not be. */
  async close(): Promise<readonly unknown[]> {
    const ends = await Promise.allSettled([
      this.progress.close(),
      this.resources.close(),
      this.cells.close(),
    ]);
    return ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  }
}
