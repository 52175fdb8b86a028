import { createMemorySnapshotStore } from "../../src/stores/memory-snapshots.ts";
import { FaultySnapshots } from "../simulation/control/faulty-snapshots.ts";
import { FaultyWay } from "../simulation/control/faulty-way.ts";
import { ProcessClock } from "../simulation/control/process-clock.ts";
import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { driven } from "./simulated-drive.ts";
import { describeSnapshotStoreContract } from "./snapshot-store.ts";

describeSnapshotStoreContract("simulated snapshot store", {
  async createStore() {
    const random = new SeededRandom(7);
    const time = new VirtualTime(random.fork("tie-breaks"));
    const inner = createMemorySnapshotStore();
    let processes = 0;
    return {
      async open() {
        const own = random.fork(`process ${processes++}`);
        const way = new FaultyWay(time, new ProcessClock(time, own.fork("clock")), own.fork("way"));
        way.faultRate = 0;
        return driven(time, new FaultySnapshots(inner, way));
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
