import { DeclaredAsyncFunctions } from "../../src/control/async-functions.ts";
import { AsyncWorker } from "../../src/engine/async/async-worker.ts";
import { Door } from "../../src/invocation/door.ts";
import { InvokerBook } from "../../src/invocation/invoker-book.ts";
import type { FunctionResource } from "../../src/manifests/resources.ts";
import { FUNCTION_LANE, newAttemptState } from "../../src/model/async-item.ts";
import { ASYNC_BYTES_MAX, ASYNC_ITEMS_MAX } from "../../src/model/limits.ts";
import { DEFAULT_PLACE } from "../../src/model/place.ts";
import { openPostgresAsyncQueue } from "../../src/stores/postgres-async-queue.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { createSystemRandom } from "../../src/system/random.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { importRival } from "./rival-packages.ts";

/** Whose events are accepted, kept and run, all in one process. */
export type EventWork =
  | { readonly kind: "millrace"; readonly url: string }
  /** `notify`: it is told of each event by the database, beside looking for them. */
  | { readonly kind: "pg-boss"; readonly url: string; readonly notify: boolean }
  | { readonly kind: "bullmq"; readonly port: number };

/** One queue with a handler that does nothing but say so. */
export interface EventSide {
  /** Resolves once the event is on the disk. */
  accept(event: EventOfBench): Promise<void>;
}

export interface EventOfBench {
  readonly n: number;
  readonly text: string;
}

export type OnRun = (n: number) => void;

export async function openSide(work: EventWork, onRun: OnRun): Promise<EventSide> {
  switch (work.kind) {
    case "millrace":
      return await openMillrace(work.url, onRun);
    case "pg-boss":
      return await openPgBoss(work.url, work.notify, onRun);
    case "bullmq":
      return await openBullmq(work.port, onRun);
  }
}

const NAME = "bench";
const CONCURRENCY = 100;

/** What `millrace run` puts behind its API: gate, worker, door and the queue of its store, with its telemetry. */
async function openMillrace(url: string, onRun: OnRun): Promise<EventSide> {
  const [clock, random] = [createSystemClock(), createSystemRandom()];
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  const target = {
    invoke: async (payload: Uint8Array) => {
      onRun((JSON.parse(Buffer.from(payload).toString()) as EventOfBench).n);
      return { kind: "succeeded", payload: Buffer.from("null") } as const;
    },
    close: async () => undefined,
  };
  const opened = { name: NAME, target, timeoutMs: 30_000, concurrency: CONCURRENCY, isReserved: false };
  const resource: FunctionResource = {
    ...{ name: NAME, target: { kind: "http", url: "http://127.0.0.1/" }, timeoutMs: 30_000 },
    ...{ versions: new Map(), aliases: new Map(), concurrency: CONCURRENCY, isReserved: false },
    ...{ isConcurrencyAdaptive: false, errorDetails: "full" },
  };
  const book = {
    functions: [resource],
    declares: (name: string) => name === NAME,
    openFunction: async () => ({ ...opened, versions: new Map(), aliases: new Map() }),
  };
  const invokers = new InvokerBook(clock, telemetry);
  const worker = new AsyncWorker({
    queue: await openPostgresAsyncQueue(url),
    invoker: new Door(book, invokers, clock, telemetry),
    functions: new DeclaredAsyncFunctions(book, invokers, DEFAULT_PLACE),
    destinations: {
      routeOf: () => ({ kind: "delivery" }),
      deliver: async () => undefined,
      close: async () => undefined,
    },
    ...{ clock, random, telemetry, failures: undefined },
    ...{ itemsMax: ASYNC_ITEMS_MAX, bytesMax: ASYNC_BYTES_MAX },
  });
  await worker.start();
  return {
    async accept(event) {
      const accepted = await worker.events.accept([
        {
          ...{ id: random.uuid(), kind: "invoke", lane: FUNCTION_LANE + NAME, qualifier: "" },
          body: Buffer.from(JSON.stringify(event)),
          state: newAttemptState(clock.now()),
          visibleInMs: 0,
        },
      ]);
      if (accepted !== "accepted") throw new Error(`the event was not accepted: ${accepted}`);
    },
  };
}

interface PgBossModule {
  readonly PgBoss: new (
    options: object,
  ) => {
    start(): Promise<unknown>;
    on(name: "error", listener: (error: Error) => void): unknown;
    createQueue(name: string, options: object): Promise<unknown>;
    send(name: string, event: object): Promise<string | null>;
    work(
      name: string,
      options: object,
      handler: (jobs: readonly { readonly data: EventOfBench }[]) => Promise<void>,
    ): Promise<unknown>;
  };
}

/** Batches as large as pay, the next one at once while they are full, and no work beside the queue's. */
async function openPgBoss(url: string, notify: boolean, onRun: OnRun): Promise<EventSide> {
  const { PgBoss } = (await importRival("pg-boss")) as PgBossModule;
  const boss = new PgBoss({
    ...{ connectionString: url, max: 10, supervise: false, schedule: false },
    ...(notify ? { useListenNotify: true } : {}),
  });
  boss.on("error", (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(NAME, { notify });
  const settings = { batchSize: 100, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
  await boss.work(NAME, settings, async (jobs) => {
    for (const { data } of jobs) onRun(data.n);
  });
  return {
    async accept(event) {
      if ((await boss.send(NAME, event)) === null) throw new Error("the event was not accepted");
    },
  };
}

interface BullmqModule {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { add(name: string, event: object, options: object): Promise<unknown> };
  readonly Worker: new (
    name: string,
    handler: (job: { readonly data: EventOfBench }) => Promise<void>,
    options: object,
  ) => { waitUntilReady(): Promise<unknown> };
}

async function openBullmq(port: number, onRun: OnRun): Promise<EventSide> {
  const { Queue, Worker } = (await importRival("bullmq")) as BullmqModule;
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new Queue(NAME, { connection });
  const handler = async ({ data }: { readonly data: EventOfBench }) => onRun(data.n);
  const worker = new Worker(NAME, handler, { connection, concurrency: CONCURRENCY });
  await worker.waitUntilReady();
  const options = { removeOnComplete: true };
  return { accept: async (event) => void (await queue.add("event", event, options)) };
}
