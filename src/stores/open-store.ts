import type { AsyncQueue } from "../ports/async-queue.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { FailureIndex } from "../ports/failure-index.ts";
import type { ParkingStore } from "../ports/parking-store.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import { createMemoryStore } from "./memory.ts";
import { createMemoryAsyncQueue } from "./memory-async-queue.ts";
import { createMemoryCellStore } from "./memory-cells.ts";
import { createMemoryFailureIndex } from "./memory-failures.ts";
import { createMemoryParkingStore } from "./memory-parking.ts";
import { createMemoryResourceStore } from "./memory-resources.ts";
import { createMemorySnapshotStore } from "./memory-snapshots.ts";
import { openSqliteStore } from "./sqlite.ts";
import { openSqliteAsyncQueue } from "./sqlite-async-queue.ts";
import { openSqliteCellStore } from "./sqlite-cells.ts";
import { openSqliteFailureIndex } from "./sqlite-failures.ts";
import { openSqliteParkingStore } from "./sqlite-parking.ts";
import { openSqliteResourceStore } from "./sqlite-resources.ts";
import { openSqliteSnapshotStore } from "./sqlite-snapshots.ts";
import type { EventQueuePlace } from "./sqs-event-api.ts";

export type StorePlace =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "dynamodb"; readonly table: string }
  | { readonly kind: "memory" };

/** What brings a driver or an SDK is loaded when it is used: each takes a tenth of a second to load. */
export async function openStore(place: StorePlace): Promise<ProgressStore> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteStore(place.path);
    case "postgres":
      return (await import("./postgres.ts")).openPostgresStore(place.url);
    case "dynamodb":
      return (await import("./dynamodb.ts")).openDynamodbStore(place.table);
    case "memory":
      return createMemoryStore();
  }
}

/** In the same place as the progress, by connections of its own. */
export async function openResourceStore(place: StorePlace): Promise<ResourceStore> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteResourceStore(place.path);
    case "postgres":
      return (await import("./postgres-resources.ts")).openPostgresResourceStore(place.url);
    case "dynamodb":
      return (await import("./dynamodb-resources.ts")).openDynamodbResourceStore(place.table);
    case "memory":
      return createMemoryResourceStore();
  }
}

export async function openCellStore(place: StorePlace): Promise<CellStore> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteCellStore(place.path);
    case "postgres":
      return (await import("./postgres-cells.ts")).openPostgresCellStore(place.url);
    case "dynamodb":
      return (await import("./dynamodb-cells.ts")).openDynamodbCellStore(place.table);
    case "memory":
      return createMemoryCellStore();
  }
}

export async function openFailureIndex(place: StorePlace): Promise<FailureIndex> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteFailureIndex(place.path);
    case "postgres":
      return (await import("./postgres-failures.ts")).openPostgresFailureIndex(place.url);
    case "dynamodb":
      return (await import("./dynamodb-failures.ts")).openDynamodbFailureIndex(place.table);
    case "memory":
      return createMemoryFailureIndex();
  }
}

export async function openSnapshotStore(place: StorePlace): Promise<SnapshotStore> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteSnapshotStore(place.path);
    case "postgres":
      return (await import("./postgres-snapshots.ts")).openPostgresSnapshotStore(place.url);
    case "dynamodb":
      return (await import("./dynamodb-snapshots.ts")).openDynamodbSnapshotStore(place.table);
    case "memory":
      return createMemorySnapshotStore();
  }
}

export async function openParkingStore(place: StorePlace): Promise<ParkingStore> {
  switch (place.kind) {
    case "sqlite":
      return openSqliteParkingStore(place.path);
    case "postgres":
      return (await import("./postgres-parking.ts")).openPostgresParkingStore(place.url);
    case "dynamodb":
      return (await import("./dynamodb-parking.ts")).openDynamodbParkingStore(place.table);
    case "memory":
      return createMemoryParkingStore();
  }
}

/** `undefined`: a store of this kind has no queue of its own, and another engine has to be named. */
export async function openAsyncQueue(
  place: StorePlace,
  beside: EventQueuePlace | undefined,
  cells: CellStore,
): Promise<AsyncQueue | undefined> {
  if (beside !== undefined) return (await import("./sqs-async-queue.ts")).openSqsAsyncQueue(beside, cells);
  switch (place.kind) {
    case "sqlite":
      return openSqliteAsyncQueue(place.path);
    case "memory":
      return createMemoryAsyncQueue();
    case "postgres":
      return (await import("./postgres-async-queue.ts")).openPostgresAsyncQueue(place.url);
    case "dynamodb":
      return undefined;
  }
}
