import { OpenedAsyncDestinations } from "../control/async-destinations.ts";
import { DeclaredAsyncFunctions } from "../control/async-functions.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { FunctionBook } from "../control/function-book.ts";
import { type AsyncWorker, createAsyncWorker } from "../engine/create-engine.ts";
import { Door } from "../invocation/door.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { eventDestinationKinds } from "../manifests/async-destination.ts";
import { ASYNC_BYTES_MAX, ASYNC_ITEMS_MAX } from "../model/limits.ts";
import type { Place } from "../model/place.ts";
import type { EventNotes } from "../ports/failure-notes.ts";
import type { Adapters, RunTelemetry } from "./adapters.ts";
import type { RunStores } from "./run-stores.ts";

export interface RunEventsOptions {
  readonly stores: Pick<RunStores, "events">;
  readonly adapters: Pick<
    Adapters,
    "clock" | "random" | "connectors" | "destinations" | "openDestination" | "openHttpDestination"
  >;
  readonly functionBook: FunctionBook;
  readonly invokers: InvokerBook;
  readonly place: Place;
  readonly telemetry: RunTelemetry;
  /** `undefined` until rules are known. */
  readonly control: () => ControlPlane | undefined;
  /** Told of events that were given up. */
  readonly failures: { readonly notes: EventNotes };
}

/** What runs the asynchronous events of this process; to be started once functions are known. */
export function createEvents(options: RunEventsOptions): AsyncWorker | undefined {
  const { adapters, functionBook, invokers, place, telemetry } = options;
  const { events: queue } = options.stores;
  if (queue === undefined) {
    const message =
      "this store keeps no asynchronous events: they are refused, and schedules have no ticks; give --async-queue";
    telemetry.log("info", message, {});
    return undefined;
  }
  const { clock, random } = adapters;
  const destinations = new OpenedAsyncDestinations({
    openDestination: (address) => adapters.openDestination(address),
    openHttpDestination: (url) => adapters.openHttpDestination(url),
    kinds: eventDestinationKinds(adapters.connectors, adapters.destinations),
    toBus: (bus, entry) => options.control()?.timed.busItems(bus, entry),
  });
  const functions = new DeclaredAsyncFunctions(functionBook, invokers, place);
  const invoker = new Door(functionBook, invokers, clock, telemetry);
  const worker = createAsyncWorker({
    ...{
      queue,
      invoker,
      functions,
      destinations,
      clock,
      random,
      telemetry,
      failures: options.failures.notes,
    },
    ...{ itemsMax: ASYNC_ITEMS_MAX, bytesMax: ASYNC_BYTES_MAX },
  });
  telemetry.watchEvents(() => worker.backlog);
  if (!queue.description.isDurable) {
    const message = "asynchronous events are kept in this process alone: what was accepted ends with it";
    telemetry.log("info", message, {});
  }
  return worker;
}
