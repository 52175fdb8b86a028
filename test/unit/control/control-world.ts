import { setImmediate } from "node:timers/promises";
import { ControlPlane } from "../../../src/control/control-plane.ts";
import type { EventsBook } from "../../../src/control/control-plane-options.ts";
import { Deployments } from "../../../src/control/deployments.ts";
import { FailureReaders } from "../../../src/control/failure-readers.ts";
import { FunctionBook } from "../../../src/control/function-book.ts";
import type { PackageParts } from "../../../src/control/functions/package-sweep.ts";
import { FunctionLogBook } from "../../../src/control/logs/function-log-book.ts";
import type { Engine, MappingStatus } from "../../../src/engine/engine.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { Manifests } from "../../../src/manifests/load-manifests.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import { RedriveBook } from "../../../src/parking/redrive-book.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Connector } from "../../../src/ports/connector.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import type { FunctionTarget, Readiness } from "../../../src/ports/function-target.ts";
import type { QueueSource } from "../../../src/ports/queue-source.ts";
import type { ResourceStore } from "../../../src/ports/resource-store.ts";
import type { StreamSource } from "../../../src/ports/stream-source.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { createMemorySnapshotStore } from "../../../src/stores/memory-snapshots.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";
import { createManualClock } from "../functions/manual-clock.ts";
import { KAFKA, LOCAL, SQS } from "../manifests/manifest-samples.ts";
import { AcceptedEvents } from "./accepted-events.ts";

/** Of its functions and mappings. */
export const PLACE = { region: "eu-west-1", account: "123456789012" };

export const STREAM = "arn:aws:local:eu-west-1:123456789012:stream/orders";
export const QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders";

export function functionNamed(name: string, versions: readonly string[] = []): FunctionResource {
  const target = { kind: "http", url: "http://127.0.0.1:9/" } as const;
  return {
    name,
    target,
    versions: new Map(versions.map((version) => [version, target])),
    aliases: new Map(),
    timeoutMs: 3_000,
    concurrency: 1000,
    isReserved: false,
    isConcurrencyAdaptive: false,
    errorDetails: "full",
  };
}

export const FUNCTIONS = [
  functionNamed("orders"),
  functionNamed("other"),
  functionNamed("versioned", ["1"]),
  { ...functionNamed("slow"), timeoutMs: 841_000 },
];

/** One store, a clock that stands, and what all processes of it did, in order. */
export class ControlWorld {
  readonly clock = createManualClock();
  readonly progress = createMemoryStore();
  readonly snapshots = createMemorySnapshotStore();
  readonly log: string[] = [];
  readonly logged: string[] = [];
  /** ARNs of sources that are not there. */
  readonly missing = new Set<string>();
  /** Names of functions that cannot be loaded. */
  readonly broken = new Set<string>();
  /** ARNs of sources that never answer when they are opened. */
  readonly silent = new Set<string>();
  visibilityMs = 30_000;
  /** Of every invocation. */
  outcome: InvocationOutcome = { kind: "succeeded", payload: new Uint8Array() };
  /** What every function says of its environments. */
  readiness: Readiness = { ready: 0, isFailing: false };
  /** Each function that was opened, with its version and how many environments it is to keep ready. */
  readonly opened: string[] = [];
  /** While set, a mapping that is stopped waits for it. */
  drain: Promise<void> | undefined;
  /** While set, a source that is opened waits for it. */
  opening: Promise<void> | undefined;
  mappings: ResourceStore = createMemoryResourceStore();
  readonly events = new AcceptedEvents();
  /** What processes say of the queue of events. */
  eventsBook: Omit<EventsBook, "events"> = {
    itemsMax: 100,
    bytesMax: 1_000_000,
    backlog: [],
    standingOf: () => ({ items: 0, bytes: 0, oldestMs: 0, held: 0, room: 1 }),
    deliveries: () => [],
    list: async () => [],
    show: async () => undefined,
  };
  #uuids = 0;
  readonly #killed = new Set<string>();

  async start(name: string, options: Partial<WorldOptions> = {}): Promise<ControlProcess> {
    const {
      manifests = { functions: FUNCTIONS, mappings: [] },
      isAdopting = false,
      isStrict = false,
    } = options;
    const running = new Map<string, MappingStatus>();
    const engine: Engine = {
      start: ({ mapping: { uuid, name: label } }) => {
        this.log.push(`${name} starts ${label}`);
        running.set(uuid, {
          uuid,
          name: label,
          state: "Enabled",
          lastProcessingResult: "OK",
          shards: [],
          oldestAgeMs: 0,
          caughtUp: true,
        });
      },
      stopMapping: async (uuid) => {
        await this.drain;
        this.log.push(`${name} stops ${running.get(uuid)?.name}`);
        running.delete(uuid);
        return { comesAgain: 0 };
      },
      stop: async () => ({ comesAgain: 0 }),
      taken: () => ({ budgetBytes: 0, slots: 0 }),
      expectStop: () => undefined,
      receivesBack: async () => undefined,
      status: () => [...running.values()],
      explain: () => undefined,
    };
    const { accountConcurrency } = options;
    const functionLog = new FunctionLogBook({ clock: this.clock, redact: (text) => text });
    const invokers = new InvokerBook(this.clock, SILENT_TELEMETRY, { accountConcurrency });
    const functionBook = new FunctionBook({
      functions: manifests.functions,
      openFunction: async (resource) => {
        if (this.broken.has(resource.name))
          throw new MillraceError("ERR_MILLRACE_FUNCTION", "throws at load.");
        const { name: fn, version = "$LATEST", provisioned } = resource;
        this.opened.push(`${fn}:${version} ${provisioned?.get(version) ?? 0}`);
        return closable<FunctionTarget>({
          invoke: async () => this.outcome,
          readiness: () => this.readiness,
        });
      },
      invokers,
      clock: this.clock,
      telemetry: SILENT_TELEMETRY,
    });
    const deployments = new Deployments(functionBook, {
      openDestination: async () => closable<Destination>(),
    });
    const starting = ControlPlane.start({
      engine,
      processId: name,
      manifests,
      deployments,
      functionBook,
      functionLog,
      owner: options.owner ?? { kind: "manifest", set: "default" },
      invokers,
      cells: createMemoryCellStore(),
      failures: {
        index: createMemoryFailureIndex(),
        readers: new FailureReaders(async () => undefined, []),
        redrives: new RedriveBook({
          store: createMemoryParkingStore(),
          clock: this.clock,
          random: { next: () => 0.5, uuid: () => "r-1" },
        }),
      },
      snapshots: this.snapshots,
      events: Object.assign(this.eventsBook, { events: this.events }),
      store: options.store ?? this.mappings,
      progress: this.progress,
      connectors: this.connectors,
      endpoints: { LOCAL_FILE: ["/tmp/orders.db"] },
      reach: { allowsLoopback: true },
      place: PLACE,
      isAdopting,
      isStrict,
      accountConcurrency,
      packages: options.packages,
      clock: this.#clockOf(name),
      random: { next: () => 0.5, uuid: () => this.uuid(++this.#uuids) },
      telemetry: createTelemetry({
        log: (_level, message) => void this.logged.push(message),
        processMetrics: false,
      }),
      drainMs: 1_000,
    });
    const plane = await starting;
    await this.quiet();
    return { plane, functionLog, running: () => [...running.values()].map((status) => status.name) };
  }

  /** Nothing of it goes on, and nobody is told. */
  kill(name: string): void {
    this.#killed.add(name);
  }

  #clockOf(name: string): Clock {
    const { clock } = this;
    return {
      now: clock.now,
      monotonic: clock.monotonic,
      schedule: (delayMs, fire) =>
        clock.schedule(delayMs, () => {
          if (!this.#killed.has(name)) fire();
        }),
    };
  }

  uuid(number: number): string {
    return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  }

  get connectors(): readonly Connector[] {
    const check = (arn: string) => {
      if (this.missing.has(arn)) throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "gone.");
    };
    return [
      {
        ...LOCAL,
        openStream: async ({ eventSourceArn = "" }) => {
          await this.opening;
          if (this.silent.has(eventSourceArn)) await new Promise(() => undefined);
          check(eventSourceArn);
          return closable<StreamSource>({ listShards: async () => [] });
        },
      },
      {
        ...SQS,
        openQueue: async ({ eventSourceArn }) => {
          check(eventSourceArn);
          return closable<QueueSource>({ description: { visibilityMs: this.visibilityMs } });
        },
      },
      { ...KAFKA, openStream: async () => closable<StreamSource>({ listShards: async () => [] }) },
    ];
  }

  /** Lets what is under way end, without any time going by. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 20; round++) await setImmediate();
  }

  async pass(ms: number): Promise<void> {
    const step = 250;
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(Math.min(step, ms - passed));
      await this.quiet();
    }
  }
}

interface WorldOptions {
  readonly manifests: Manifests;
  readonly isAdopting: boolean;
  readonly isStrict: boolean;
  readonly accountConcurrency: number;
  readonly owner: ManifestOwner;
  readonly store: ResourceStore;
  readonly packages: PackageParts;
}

export interface ControlProcess {
  readonly plane: ControlPlane;
  readonly functionLog: FunctionLogBook;
  running(): readonly string[];
}

function closable<A>(rest: object = {}): A {
  return { ...rest, close: async () => undefined } as A;
}

export const STREAM_SPEC = {
  functionName: "orders",
  eventSourceArn: STREAM,
  startingPosition: "LATEST",
} as const;
/** Of one server, `a:9092`, unless others are named. */
export function topicSpec(servers: readonly string[] = ["a:9092"], topic = "orders") {
  return {
    functionName: "orders",
    selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers } },
    topics: [topic],
    startingPosition: "TRIM_HORIZON",
    sourceAccessConfigurations: [],
  };
}

export const QUEUE_SPEC = { functionName: "orders", eventSourceArn: QUEUE } as const;
