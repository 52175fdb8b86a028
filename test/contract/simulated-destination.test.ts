import { type FailureRecord, failureDocumentWithPayload } from "../../src/model/failure-record.ts";
import { generateScenario } from "../simulation/generate-scenario.ts";
import { createMappingHistory } from "../simulation/history.ts";
import { SeededRandom } from "../simulation/random.ts";
import type { MappingScenario } from "../simulation/scenario.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { createSimDestination } from "../simulation/world/destination.ts";
import { FaultDesk } from "../simulation/world/fault-desk.ts";
import { SimProcess } from "../simulation/world/process.ts";
import { SimStream } from "../simulation/world/stream.ts";
import { describeDestinationContract } from "./destination.ts";
import { driven } from "./simulated-drive.ts";

describeDestinationContract("simulated", {
  tellsPlaces: false,
  carriesPayload: true,
  async createDestination() {
    const random = new SeededRandom(7);
    const time = new VirtualTime(random.fork("tie-breaks"));
    const process = new SimProcess(0, "process-0", time, random, { wallOffsetMs: 0, rate: 1 });
    const faults = new FaultDesk({}, new Map());
    const stream = new SimStream(1, () => time.now, random);
    const plan = anyPlan();
    const history = createMappingHistory(0, plan.mapping, stream, plan);
    const accepted: FailureRecord[] = [];
    const accept = (record: FailureRecord) => accepted.push(structuredClone(record));
    return {
      async open() {
        return driven(time, createSimDestination({ process, time, faults, history, accept }));
      },
      async accepted() {
        return accepted.map((record) => ({ id: record.id, document: failureDocumentWithPayload(record) }));
      },
      async setAvailable(isAvailable: boolean) {
        if (isAvailable) faults.endOutage("destination");
        else faults.beginOutage("destination");
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});

function anyPlan(): MappingScenario {
  for (let seed = 1; seed <= 100; seed++) {
    const [first] = generateScenario(seed).mappings;
    if (first !== undefined) return first;
  }
  throw new Error("some scenario has a stream mapping");
}
