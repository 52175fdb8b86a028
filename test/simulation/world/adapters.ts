import type { MappingDeployment } from "../../../src/engine/engine.ts";
import type { StreamMapping } from "../../../src/model/mapping.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { ParkedKeyStore } from "../../../src/ports/parked-keys.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import type { LogFields, LogLevel, Telemetry } from "../../../src/ports/telemetry.ts";
import type { QueueHistory } from "../queue-history.ts";
import { createSimDestination } from "./destination.ts";
import { SIM_EVENTS, SIM_TOPIC_EVENTS } from "./events.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { createSimFunction } from "./function.ts";
import { leaseKey } from "./lease-key.ts";
import { boundsUntilHealed, createSimParkedKeys } from "./parked-keys.ts";
import type { SimProcess } from "./process.ts";
import { asSimDeliveries, SIM_QUEUE_EVENTS } from "./queue-events.ts";
import { createSimQueueFunction } from "./queue-function.ts";
import { createSimQueueSource } from "./queue-source.ts";
import { createSimSource } from "./source.ts";
import { createSimStore } from "./store.ts";
import { createSimTelemetry } from "./telemetry.ts";
import { versionsOf } from "./weights.ts";
import type { World } from "./world.ts";

/** What one process's engine is built from. */
export interface Adapters {
  readonly clock: Clock;
  readonly store: ProgressStore;
  readonly parkedKeys: ParkedKeyStore;
  readonly deployments: readonly MappingDeployment[];
}

export function createAdapters(world: World, process: SimProcess): Adapters {
  const { time, faults, rows, historyOf } = world;
  return {
    clock: process.clock,
    store: createSimStore({ rows, process, time, faults, histories: historyOf }),
    parkedKeys: createSimParkedKeys({ rows, process, time, faults, histories: historyOf }, world.parkedKeys),
    deployments: [
      ...world.histories.map((_, ordinal) => createDeployment(world, process, ordinal)),
      ...world.queues.map((history) => createQueueDeployment(world, process, history)),
    ],
  };
}

/** Of a stream mapping, with the settings that it has now. */
export function createDeployment(world: World, process: SimProcess, ordinal: number): MappingDeployment {
  const { time, faults } = world;
  const plan = world.scenario.mappings[ordinal];
  const history = world.histories[ordinal];
  if (plan === undefined || history === undefined) throw new RangeError(`no mapping ${ordinal}`);
  const breach = (message: string) => world.breach("ports", `${process.owner}: ${message}`);
  const { timeoutMs, concurrency } = plan.fn;
  const tumblingWindowMs = history.windowUpdates.at(-1) ?? plan.mapping.tumblingWindowMs;
  return {
    kind: "stream",
    mapping: { ...plan.mapping, tumblingWindowMs, ...parkingOf(plan.mapping, faults) },
    source: createSimSource({
      stream: history.stream,
      process,
      time,
      faults,
      events: plan.isTopic ? SIM_TOPIC_EVENTS : SIM_EVENTS,
      isTopic: plan.isTopic,
      readIntervalMs: plan.readIntervalMs,
      tellsLag: plan.tellsLag,
      tellsLogs: plan.tellsLogs,
      noteRead: (shardId, how) => process.reads.set(leaseKey(history.mapping.uuid, shardId), how),
      record: (event) => history.events.push(event),
      breach,
    }),
    fn: {
      name: plan.mapping.functionName,
      ...versionsOf(
        history,
        process,
        createSimFunction({ process, time, faults, history, scenario: plan.fn, breach }),
        time.now,
      ),
      timeoutMs,
      concurrency,
    },
    destination:
      plan.mapping.onFailureDestination === undefined
        ? undefined
        : createSimDestination({ process, time, faults, history }),
  };
}

function parkingOf({ parkedKeys }: StreamMapping, faults: FaultDesk): Pick<StreamMapping, "parkedKeys"> {
  if (parkedKeys === undefined) return {};
  return { parkedKeys: { ...parkedKeys, bounds: boundsUntilHealed(parkedKeys.bounds, faults) } };
}

export function createQueueDeployment(
  world: World,
  process: SimProcess,
  history: QueueHistory,
): MappingDeployment {
  const { time, faults } = world;
  const { mapping, plan, queue } = history;
  const breach = (message: string) => world.breach("ports", `${process.owner}: ${message}`);
  return {
    kind: "queue",
    mapping: { ...mapping, batchSize: history.batchSizes.at(-1) ?? mapping.batchSize },
    source: createSimQueueSource({
      queue,
      process,
      time,
      faults,
      events: SIM_QUEUE_EVENTS,
      deliveriesOf: asSimDeliveries,
      record: (event) => history.events.push(event),
    }),
    fn: {
      name: mapping.functionName,
      ...versionsOf(
        history,
        process,
        createSimQueueFunction({ process, time, faults, history, breach }),
        time.now,
      ),
      timeoutMs: plan.fn.timeoutMs,
      concurrency: plan.fn.concurrency,
    },
  };
}

/** How the message of every broken invariant ends. */
const DEFECT = "This is a defect in millrace";

export function createTelemetry(
  world: World,
  process: SimProcess,
  log: (level: LogLevel, message: string, fields: LogFields) => void,
): Telemetry {
  return createSimTelemetry({
    process,
    time: world.time,
    histories: world.historyOf,
    queues: new Map(world.queues.map((history) => [history.mapping.name, history])),
    marks: world.marks,
    log: (_, level, message, fields) => {
      log(level, message, fields);
      const { error } = fields;
      // Who swallows a broken invariant tells it at least.
      if (typeof error === "string" && error.includes(DEFECT))
        world.breach("I18", `${process.owner}: ${error}`);
    },
  });
}
