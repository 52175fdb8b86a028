import { createMemoryCellStore } from "../../src/stores/memory-cells.ts";
import { FaultyWay } from "../simulation/control/faulty-way.ts";
import { ProcessClock } from "../simulation/control/process-clock.ts";
import { FaultyCells } from "../simulation/grants/faulty-cells.ts";
import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { describeCellStoreContract } from "./cell-store.ts";
import { driven } from "./simulated-drive.ts";

const FOR_EVER_MS = 1e9;

function createStore() {
  const random = new SeededRandom(7);
  const time = new VirtualTime(random.fork("tie-breaks"));
  const inner = createMemoryCellStore();
  const ways: FaultyWay[] = [];
  const cut = async (ms: number) => {
    for (const way of ways) way.cut(ms);
  };
  return {
    async open() {
      const own = random.fork(`process ${ways.length}`);
      const way = new FaultyWay(time, new ProcessClock(time, own.fork("clock")), own.fork("way"));
      way.faultRate = 0;
      // What is sent on a cut way may come through; a store that can write nothing takes none of it.
      way.losesAll = true;
      ways.push(way);
      return driven(time, new FaultyCells(inner, way));
    },
    begin: () => cut(FOR_EVER_MS),
    end: () => cut(0),
    async [Symbol.asyncDispose]() {},
  };
}

describeCellStoreContract("simulated cell store", {
  createStore: async () => createStore(),
  writeFaults: [{ name: "way that is cut", createStore: async () => createStore() }],
});
