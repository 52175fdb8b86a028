import { AsyncWorker, type AsyncWorkerOptions } from "./async/async-worker.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { Supervisor } from "./supervisor.ts";

/** Runs asynchronous events of all functions of a process. */
export function createAsyncWorker(options: AsyncWorkerOptions): AsyncWorker {
  return new AsyncWorker(options);
}

export type { AsyncWorker, DeliveryStanding, EventsStanding } from "./async/async-worker.ts";

export function createEngine(options: EngineOptions): Engine {
  return new Supervisor(options);
}
