import type { AsyncQueue } from "../ports/async-queue.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { ParkingStore } from "../ports/parking-store.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import type { EventQueueUrl, StoreUrl } from "./store-url.ts";

/** What a run keeps its things in, all in one place. */
export interface StoreAdapters {
  openStore(url: StoreUrl): Promise<ProgressStore>;
  /** In the same place as the progress; closed by its own. */
  openResourceStore(url: StoreUrl): Promise<ResourceStore>;
  /** As the mappings' store. */
  openCellStore(url: StoreUrl): Promise<CellStore>;
  openFailureIndex(url: StoreUrl): Promise<FailureIndex>;
  /** As the mappings' store. */
  openSnapshotStore(url: StoreUrl): Promise<SnapshotStore>;
  /** As the mappings' store. */
  openParkingStore(url: StoreUrl): Promise<ParkingStore>;
  /**
   * In the same place, or in the queue beside it, whose cursors stand in `cells`; `undefined`: a store of this kind
   * keeps no asynchronous events.
   */
  openAsyncQueue(
    url: StoreUrl,
    beside: EventQueueUrl | undefined,
    cells: CellStore,
  ): Promise<AsyncQueue | undefined>;
}
