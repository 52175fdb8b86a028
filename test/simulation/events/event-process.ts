import { DeclaredAsyncFunctions } from "../../../src/control/async-functions.ts";
import { AsyncWorker } from "../../../src/engine/async/async-worker.ts";
import { Door } from "../../../src/invocation/door.ts";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { AsyncDestinations } from "../../../src/ports/async-destinations.ts";
import type { AsyncEvents } from "../../../src/ports/async-events.ts";
import type { AsyncQueue } from "../../../src/ports/async-queue.ts";
import type { InvocationContext } from "../../../src/ports/function-target.ts";
import type { AsyncCounterName, LogFields, Telemetry } from "../../../src/ports/telemetry.ts";
import { ProcessClock } from "../control/process-clock.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";

export type Call = InvocationContext & { readonly payload: Uint8Array };

export interface EventProcessOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly queue: AsyncQueue;
  readonly destinations: AsyncDestinations;
  functions(): readonly FunctionResource[];
  onCall(call: Call, process: EventProcess): Promise<InvocationOutcome>;
  onGivenUp?(fields: LogFields): void;
  readonly itemsMax?: number;
}

const NOTHING = () => undefined;

/** One process with the real worker and the real doors of functions, over a queue that may fail it. */
export class EventProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly worker: AsyncWorker;
  readonly counts = new Map<AsyncCounterName, number>();
  readonly logs: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly #options: EventProcessOptions;
  readonly #invokers: InvokerBook;
  #known: readonly FunctionResource[];

  constructor(options: EventProcessOptions) {
    const { name, time, random, queue, destinations, itemsMax = 100_000 } = options;
    this.#options = options;
    this.name = name;
    this.clock = new ProcessClock(time, random.fork("clock"));
    const telemetry = this.#telemetry();
    this.#invokers = new InvokerBook(this.clock, telemetry);
    this.#known = options.functions();
    const book = {
      functions: this.#known,
      declares: (fn: string) => this.#known.some((each) => each.name === fn),
      openFunction: async (fn: string) => this.#opened(fn),
    };
    Object.defineProperty(book, "functions", { get: () => this.#known });
    const invoker = new Door(book, this.#invokers, this.clock, telemetry);
    const functions = new DeclaredAsyncFunctions(book, this.#invokers, DEFAULT_PLACE);
    this.worker = new AsyncWorker({
      ...{ queue, invoker, functions, destinations, telemetry, itemsMax, bytesMax: 1024 ** 3 },
      clock: this.clock,
      random: random.fork("worker"),
    });
  }

  /** Functions as it read them last. */
  get known(): readonly FunctionResource[] {
    return this.#known;
  }

  get events(): AsyncEvents {
    return this.worker.events;
  }

  /** What is declared now, as a look at the rows would have it. */
  look(): void {
    const before = this.#known;
    this.#known = this.#options.functions();
    for (const { name } of before)
      if (!this.#known.some((fn) => fn.name === name)) void this.#invokers.withdraw(name);
    for (const fn of this.#known) void this.#invokers.replace(this.#opened(fn.name));
  }

  #opened(name: string): InvocableFunction {
    const resource = this.#known.find((fn) => fn.name === name);
    if (resource === undefined) throw new Error(`${name} is not declared`);
    const target = {
      invoke: (payload: Uint8Array, context: InvocationContext) =>
        this.#options.onCall({ ...context, payload }, this),
      close: async () => undefined,
    };
    const { timeoutMs, concurrency, isReserved, aliases, versions, allowsLoops } = resource;
    return {
      ...{ name, target, timeoutMs, concurrency, isReserved, aliases },
      versions: new Map([...versions.keys()].map((number) => [number, target])),
      ...(allowsLoops === true ? { allowsLoops: true } : {}),
    };
  }

  #telemetry(): Telemetry {
    return {
      count: NOTHING,
      observe: NOTHING,
      gauge: NOTHING,
      offsetLag: NOTHING,
      invocation: NOTHING,
      functionCall: NOTHING,
      functionRunning: NOTHING,
      functionGrant: NOTHING,
      asyncCount: (counter, _fn, amount) => {
        this.counts.set(counter, (this.counts.get(counter) ?? 0) + amount);
      },
      asyncAge: NOTHING,
      log: (level, message, fields) => {
        this.logs.push({ level, message, fields });
        if (fields["condition"] !== undefined) this.#options.onGivenUp?.(fields);
      },
      logsDebug: false,
      mark: NOTHING,
    };
  }
}
