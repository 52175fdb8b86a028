import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { FaultDesk } from "../simulation/world/fault-desk.ts";
import { SimProcess } from "../simulation/world/process.ts";
import { createSimStore } from "../simulation/world/store.ts";
import { StoreRows } from "../simulation/world/store-rows.ts";
import { describeProgressStoreContract } from "./progress-store.ts";
import { driven } from "./simulated-drive.ts";

function createStore() {
  const random = new SeededRandom(7);
  const time = new VirtualTime(random.fork("tie-breaks"));
  const rows = new StoreRows();
  const faults = new FaultDesk({}, new Map());
  let opened = 0;
  return {
    async open() {
      const ordinal = opened++;
      const own = random.fork(`process ${ordinal}`);
      const process = new SimProcess(ordinal, `process-${ordinal}`, time, own, {
        wallOffsetMs: 0,
        rate: 1,
      });
      return driven(time, createSimStore({ rows, process, time, faults, histories: new Map() }));
    },
    begin: async () => faults.beginOutage("store"),
    end: async () => faults.endOutage("store"),
    async [Symbol.asyncDispose]() {},
  };
}

describeProgressStoreContract("simulated", {
  createStore: async () => createStore(),
  writeFaults: [{ name: "store that is away", createStore: async () => createStore() }],
});
