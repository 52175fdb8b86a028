import assert from "node:assert/strict";
import { test } from "node:test";
import { RunStores } from "../../../src/cli/run-stores.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { createMemoryAsyncQueue } from "../../../src/stores/memory-async-queue.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { createMemorySnapshotStore } from "../../../src/stores/memory-snapshots.ts";

const URL = { kind: "memory" } as const;

/** Which were closed when one of them cannot be opened, though none can be closed without an error. */
async function openedWith(
  fails: "progress" | "resources" | "cells" | "failures" | "snapshots" | "parking" | "events",
) {
  const closed: string[] = [];
  const noted = async <S extends { close(): Promise<void> }>(name: string, store: S): Promise<S> => {
    if (name === fails) throw new Error(`${name} is away`);
    return Object.assign(store, {
      close: async () => {
        closed.push(name);
        throw new Error(`${name} cannot be closed`);
      },
    });
  };
  const opening = RunStores.open(
    {
      openStore: () => noted("progress", createMemoryStore()),
      openResourceStore: () => noted("resources", createMemoryResourceStore()),
      openCellStore: () => noted("cells", createMemoryCellStore()),
      openFailureIndex: () => noted("failures", createMemoryFailureIndex()),
      openSnapshotStore: () => noted("snapshots", createMemorySnapshotStore()),
      openParkingStore: () => noted("parking", createMemoryParkingStore()),
      openAsyncQueue: () => noted("events", createMemoryAsyncQueue()),
    },
    { store: URL },
  );
  await assert.rejects(opening, { message: `${fails} is away` });
  return closed;
}

test("what was opened of a store is closed when the rest of it cannot be opened", async () => {
  assert.deepEqual(await openedWith("progress"), []);
  assert.deepEqual(await openedWith("resources"), ["progress"]);
  assert.deepEqual(await openedWith("cells"), ["progress", "resources"]);
  assert.deepEqual(await openedWith("failures"), ["progress", "resources", "cells"]);
  assert.deepEqual(await openedWith("snapshots"), ["progress", "resources", "cells", "failures"]);
  assert.deepEqual(await openedWith("parking"), ["progress", "resources", "cells", "failures", "snapshots"]);
  assert.deepEqual(await openedWith("events"), [
    ...["progress", "resources", "cells", "failures", "snapshots", "parking"],
  ]);
});
