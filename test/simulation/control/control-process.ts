import { ControlPlane } from "../../../src/control/control-plane.ts";
import { Deployments } from "../../../src/control/deployments.ts";
import { FailureReaders } from "../../../src/control/failure-readers.ts";
import { FunctionBook } from "../../../src/control/function-book.ts";
import { FunctionLogBook } from "../../../src/control/logs/function-log-book.ts";
import { reloadManifests } from "../../../src/control/reload.ts";
import type { Engine, MappingStatus } from "../../../src/engine/engine.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import type { LoadedManifests } from "../../../src/manifests/load-manifests.ts";
import { hasErrorCode, MillraceError } from "../../../src/model/errors.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import { RedriveBook } from "../../../src/parking/redrive-book.ts";
import type { Connector } from "../../../src/ports/connector.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import type { QueueSource } from "../../../src/ports/queue-source.ts";
import type { ResourceStore } from "../../../src/ports/resource-store.ts";
import type { SnapshotStore } from "../../../src/ports/snapshot-store.ts";
import type { StreamSource } from "../../../src/ports/stream-source.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";
import { createMemoryParkingStore } from "../../../src/stores/memory-parking.ts";
import { FUNCTIONS } from "../../unit/control/control-world.ts";
import { LOCAL, SQS } from "../../unit/manifests/manifest-samples.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { FaultyStore } from "./faulty-store.ts";
import { FaultyWay } from "./faulty-way.ts";
import { BROKEN_FUNCTION, manifestsOf, openBroken, openingOf } from "./manifest-mappings.ts";
import { ProcessClock } from "./process-clock.ts";

export interface ControlProcessOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly store: ResourceStore;
  readonly progress: ProgressStore;
  readonly snapshots: SnapshotStore;
  /** What its manifests say, and of which revision they are. */
  readonly content: number;
  readonly revision: number;
  /** A mapping ended and began anew, as the same. */
  readonly onNeedlessRestart: (uuid: string) => void;
  /** The engine begins to process a mapping. */
  readonly onStart: (uuid: string) => void;
  /** A start failed, and not for want of the store. */
  readonly onEnded: (error: unknown) => void;
}

export const DRAIN_MS_MAX = 6_000;
const OPEN_MS_MAX = 12_000;

/** A process with the real control plane over an engine that only says what it runs. */
export class ControlProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly way: FaultyWay;
  /** What the engine has, and whether it starts anything of it still. */
  readonly running = new Map<string, "runs" | "drains">();
  /** Sources open slowly, or not at all. */
  sourceFaultRate = 0.1;
  /** What is wrong with sources and functions of manifests is mended. */
  isRepaired = false;
  /** When the first source of a manifest was opened in this life. */
  openedMs: number | undefined;
  plane: ControlPlane | undefined;
  content: number;
  readonly revision: number;
  /** What runs as which mapping, and what is to be followed by another. */
  readonly #started = new Map<string, string>();
  readonly #followed = new Map<string, string>();
  readonly #options: ControlProcessOptions;
  readonly #store: FaultyStore;

  constructor(options: ControlProcessOptions) {
    const { time, random, store, name } = options;
    this.#options = options;
    this.name = name;
    this.content = options.content;
    this.revision = options.revision;
    this.clock = new ProcessClock(time, random.fork("clock"));
    this.way = new FaultyWay(time, this.clock, random.fork("store"));
    this.#store = new FaultyStore(store, this.way);
  }

  /** Until it has started, again and again, as a supervisor would. */
  async start(): Promise<void> {
    const { progress, random, name, onEnded } = this.#options;
    while (this.plane === undefined && !this.clock.isDead) {
      const invokers = new InvokerBook(this.clock, silentTelemetry());
      const functionBook = this.#functionBook(invokers);
      const openDestination = async () => closable<Destination>({});
      this.plane = await ControlPlane.start({
        engine: this.#engine(),
        processId: name,
        manifests: manifestsOf(this.content, this.#connectors()),
        deployments: new Deployments(functionBook, { openDestination }),
        functionBook,
        functionLog: new FunctionLogBook({ clock: this.clock, redact: (text) => text }),
        owner: { kind: "manifest", set: "default", revision: this.revision },
        invokers,
        cells: createMemoryCellStore(),
        failures: {
          index: createMemoryFailureIndex(),
          readers: new FailureReaders(async () => undefined, []),
          redrives: new RedriveBook({ store: createMemoryParkingStore(), clock: this.clock, random }),
        },
        snapshots: this.#options.snapshots,
        store: this.#store,
        progress,
        connectors: this.#connectors(),
        endpoints: { LOCAL_FILE: ["/tmp/orders.db"] },
        reach: { allowsLoopback: true },
        place: DEFAULT_PLACE,
        isAdopting: false,
        isStrict: false,
        clock: this.clock,
        random: random.fork("control"),
        telemetry: silentTelemetry(),
        drainMs: DRAIN_MS_MAX,
      }).catch((error: unknown) => {
        if (!hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE")) onEnded(error);
        return undefined;
      });
      await this.#wait(1_000);
    }
  }

  /** As at a hang-up; `undefined`: something in the manifests is wrong. */
  async reload(content: number | undefined): Promise<void> {
    const { plane } = this;
    if (plane === undefined) return;
    const loaded: LoadedManifests =
      content === undefined
        ? { kind: "invalid", problems: [] }
        : { kind: "valid", manifests: manifestsOf(content, this.#connectors()) };
    this.content = content ?? this.content;
    await reloadManifests(loaded, (manifests) => plane.reload(manifests), silentTelemetry());
  }

  #engine(): Engine {
    const status = (uuid: string): MappingStatus => {
      return {
        uuid,
        name: uuid,
        state: "Enabled",
        lastProcessingResult: "OK",
        shards: [],
        oldestAgeMs: 0,
        caughtUp: false,
      };
    };
    return {
      start: ({ mapping }) => {
        const { uuid } = mapping;
        if (this.#followed.get(uuid) === JSON.stringify(mapping)) this.#options.onNeedlessRestart(uuid);
        this.#followed.delete(uuid);
        this.#started.set(uuid, JSON.stringify(mapping));
        this.running.set(uuid, "runs");
        this.#options.onStart(uuid);
      },
      stopMapping: async (uuid, _drainMs, options) => {
        const started = this.#started.get(uuid);
        if (options?.isFollowed === true && started !== undefined) this.#followed.set(uuid, started);
        this.running.set(uuid, "drains");
        await this.#wait(this.#options.random.between(0, DRAIN_MS_MAX));
        this.running.delete(uuid);
        return { comesAgain: 0 };
      },
      stop: async () => ({ comesAgain: 0 }),
      taken: () => ({ budgetBytes: 0, slots: 0 }),
      expectStop: () => undefined,
      receivesBack: async () => undefined,
      status: () => [...this.running.keys()].map(status),
      explain: () => undefined,
    };
  }

  #functionBook(invokers: InvokerBook): FunctionBook {
    const openFunction = async ({ name }: { readonly name: string }) => {
      if (name === BROKEN_FUNCTION.name && !this.isRepaired)
        throw new MillraceError("ERR_MILLRACE_FUNCTION", "The module throws when it is loaded.");
      return closable<FunctionTarget>({ invoke: async () => ({ kind: "unavailable", message: "" }) });
    };
    const functions = [...FUNCTIONS, BROKEN_FUNCTION];
    return new FunctionBook({
      functions,
      openFunction,
      invokers,
      clock: this.clock,
      telemetry: silentTelemetry(),
    });
  }

  #connectors(): readonly Connector[] {
    const { random } = this.#options;
    const open = async () => {
      await this.#wait(random.between(0, random.chance(this.sourceFaultRate) ? OPEN_MS_MAX : 200));
      if (random.chance(this.sourceFaultRate)) throw new Error("the source does not answer");
    };
    return [
      {
        ...LOCAL,
        openStream: async ({ eventSourceArn = "" }) => {
          const opening = openingOf(eventSourceArn);
          if (opening === undefined) await open();
          else {
            this.openedMs ??= this.clock.monotonic();
            if (!this.isRepaired) await openBroken(opening);
            await this.#wait(random.between(0, 200));
          }
          return closable<StreamSource>({ listShards: async () => [] });
        },
      },
      {
        ...SQS,
        openQueue: async () => {
          await open();
          return closable<QueueSource>({ description: { visibilityMs: 30_000 } });
        },
      },
    ];
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(ms, resolve));
  }
}

function closable<A>(rest: object): A {
  return { ...rest, close: async () => undefined } as A;
}

function silentTelemetry() {
  const nothing = () => undefined;
  return {
    count: nothing,
    observe: nothing,
    gauge: nothing,
    logsDebug: false,
    offsetLag: nothing,
    invocation: nothing,
    functionCall: nothing,
    functionRunning: nothing,
    functionGrant: nothing,
    asyncCount: nothing,
    asyncAge: nothing,
    log: nothing,
    mark: nothing,
    register: nothing,
    unregister: nothing,
    environments: () => [],
    eventFigures: () => [],
    totals: (): never => {
      throw new Error("nobody asks for an explanation here");
    },
  };
}
