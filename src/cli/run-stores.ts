import type { FunctionResource } from "../manifests/resources.ts";
import { describeError } from "../model/errors.ts";
import type { AsyncQueue } from "../ports/async-queue.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { ParkingStore } from "../ports/parking-store.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Adapters } from "./adapters.ts";
import type { EventQueueUrl, StoreUrl } from "./store-url.ts";

interface Closable {
  close(): Promise<void>;
}

/** What one `--store` keeps: progress, rows, cells, the list of failures and snapshots. */
export class RunStores {
  readonly progress: ProgressStore;
  readonly resources: ResourceStore;
  readonly cells: CellStore;
  readonly failures: FailureIndex;
  readonly snapshots: SnapshotStore;
  readonly parking: ParkingStore;
  /** Asynchronous events; absent: the store has no queue for them. */
  readonly events: AsyncQueue | undefined;
  readonly #isFile: boolean;

  private constructor(
    stores: Pick<
      RunStores,
      "progress" | "resources" | "cells" | "failures" | "snapshots" | "parking" | "events"
    >,
    isFile: boolean,
  ) {
    this.#isFile = isFile;
    this.progress = stores.progress;
    this.resources = stores.resources;
    this.cells = stores.cells;
    this.failures = stores.failures;
    this.snapshots = stores.snapshots;
    this.parking = stores.parking;
    this.events = stores.events;
  }

  /** @throws MillraceError of the first that cannot be opened; those before it are closed. */
  static async open(
    adapters: Pick<
      Adapters,
      | "openStore"
      | "openResourceStore"
      | "openCellStore"
      | "openFailureIndex"
      | "openSnapshotStore"
      | "openParkingStore"
      | "openAsyncQueue"
    >,
    { store: url, eventQueue }: { readonly store: StoreUrl; readonly eventQueue?: EventQueueUrl },
  ): Promise<RunStores> {
    const opened: Closable[] = [];
    const kept = <S extends Closable>(store: S): S => {
      opened.push(store);
      return store;
    };
    try {
      const progress = kept(await adapters.openStore(url));
      const resources = kept(await adapters.openResourceStore(url));
      const cells = kept(await adapters.openCellStore(url));
      const failures = kept(await adapters.openFailureIndex(url));
      const snapshots = kept(await adapters.openSnapshotStore(url));
      const parking = kept(await adapters.openParkingStore(url));
      const queue = await adapters.openAsyncQueue(url, eventQueue, cells);
      const events = queue && kept(queue);
      return new RunStores(
        { progress, resources, cells, failures, snapshots, parking, events },
        url.kind === "sqlite",
      );
    } catch (error) {
      await Promise.allSettled(opened.map((store) => store.close()));
      throw error;
    }
  }

  /**
   * A file that was removed takes with it what it had accepted: a stop must not say that all is kept. What another host
   * keeps is kept, whether or not it answers just now.
   */
  async whyGone(): Promise<string | undefined> {
    if (!this.#isFile) return undefined;
    try {
      await this.progress.list("");
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  /** For who looks at all of it and runs nothing. */
  forLookers() {
    const { progress, resources: store, snapshots, parking, events } = this;
    return { progress, store, snapshots, parking, events };
  }

  /** Closes all, and returns why one could not be. */
  async close(): Promise<readonly unknown[]> {
    const ends = await Promise.allSettled([
      this.progress.close(),
      this.resources.close(),
      this.cells.close(),
      this.failures.close(),
      this.snapshots.close(),
      this.parking.close(),
      this.events?.close(),
    ]);
    return ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  }
}

/** Whoever reserves concurrency is told where a store cannot have others keep to it. */
export function tellOwnLimits(
  { kind }: StoreUrl,
  functions: readonly FunctionResource[],
  { log }: Pick<Telemetry, "log">,
): void {
  if (kind !== "memory" || !functions.some(({ isReserved }) => isReserved)) return;
  const message =
    "reservedConcurrency holds in this process alone: the store memory: is shared with no other process";
  log("info", message, {});
}
