import { RolloutControl } from "../../../src/control/rollouts/rollout-control.ts";
import { sumOf, VersionFigures } from "../../../src/invocation/version-figures.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { RolloutOrder } from "../../../src/model/rollout.ts";
import type { CellStore } from "../../../src/ports/cell-store.ts";
import type { ResourceStore } from "../../../src/ports/resource-store.ts";
import { writeDocument } from "../../../src/resources/document.ts";
import { QueriedAlarms } from "../../../src/rollouts/queried-alarms.ts";
import { type HookEvent, RolloutDriver } from "../../../src/rollouts/rollout-driver.ts";
import { SharedFigures } from "../../../src/rollouts/shared-figures.ts";
import { createMemoryCellStore } from "../../../src/stores/memory-cells.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";
import { createManualClock } from "../functions/manual-clock.ts";

const GONE_MS = 15_000;
export const PLACE = { region: "eu-west-1", account: "123456789012" };

export const ORDER: RolloutOrder = {
  plan: { kind: "linear", percent: 40, minutes: 1 },
  alarms: { errorRate: 0.01 },
  minimumInvocations: 20,
  requireTraffic: false,
  hooks: {},
};

export interface RolloutProcess {
  readonly name: string;
  readonly driver: RolloutDriver;
  readonly figures: VersionFigures;
  /** When it died; `undefined`: it lives. */
  diedMs: number | undefined;
}

/** A store with one function, versions 1 and 2 and the alias live of version 1, and processes that share it. */
export class RolloutProcesses {
  readonly clock = createManualClock();
  readonly rows: ResourceStore = createMemoryResourceStore();
  readonly cells: CellStore = createMemoryCellStore();
  readonly control: RolloutControl;
  readonly hooks: HookEvent[] = [];
  hookIsFine = true;
  /** Asked before and after each write of a row: throws where it fails. */
  fault: (when: "before" | "after") => boolean = () => false;
  iteratorAgeMs: number | undefined;
  /** What Prometheus answers; `undefined`: nothing. */
  isAlarmOn: boolean | undefined = false;
  readonly processes: RolloutProcess[] = [];
  #uuids = 0;

  constructor() {
    this.control = this.#control(this.rows);
  }

  async declare(version = "1"): Promise<void> {
    const document = (spec: object) =>
      writeDocument({
        spec: { ...spec },
        owner: { kind: "api" },
        generation: 1,
        conditions: [],
        lastModifiedMs: 0,
      });
    const target = { http: { url: "http://127.0.0.1:9/" } };
    for (const [kind, name, spec] of [
      ["version", "orders:1", target],
      ["version", "orders:2", target],
      ["version", "orders:3", target],
      ["function", "orders", { ...target, timeoutSeconds: 3 }],
      ["function", "check", { ...target, timeoutSeconds: 3 }],
      ["alias", "orders:live", { version }],
    ] as const) {
      await this.rows.insert({ uid: `${kind}:${name}`, kind, name, claims: [], document: document(spec) });
    }
  }

  start(name: string): RolloutProcess {
    const figures = new VersionFigures();
    figures.watch("orders", "1");
    figures.watch("orders", "2");
    const control = this.#control(this.#faulty());
    const { clock, cells, processes } = this;
    const membership = {
      processId: name,
      life: 1,
      isCutOff: false,
      get living() {
        const isCounted = ({ diedMs }: RolloutProcess) =>
          diedMs === undefined || clock.now() - diedMs < GONE_MS;
        return processes.filter(isCounted).length;
      },
      names: [],
      isGone: (other: string) => {
        const diedMs = processes.find((each) => each.name === other)?.diedMs;
        return diedMs !== undefined && clock.now() - diedMs >= GONE_MS;
      },
    };
    const own = () => ({
      figures: figures.of("orders", "2", clock.monotonic()),
      former: figures.of("orders", "1", clock.monotonic()),
      iteratorAgeMs: this.iteratorAgeMs,
    });
    const driver: RolloutDriver = new RolloutDriver({
      clock,
      queried: new QueriedAlarms({ ask: async () => this.isAlarmOn }, clock),
      random: { next: () => 0.5, uuid: () => `execution-${++this.#uuids}` },
      telemetry: SILENT_TELEMETRY,
      figures: new SharedFigures({ cells, clock, membership, own, sum: sumOf }),
      running: () => control.running(),
      write: (seen, next) => control.write(seen, next),
      watch: () => undefined,
      callHook: async (_fn, event) => {
        this.hooks.push(event);
        return this.hookIsFine;
      },
    });
    const process: RolloutProcess = { name, driver, figures, diedMs: undefined };
    this.processes.push(process);
    return process;
  }

  get alive(): readonly RolloutProcess[] {
    return this.processes.filter(({ diedMs }) => diedMs === undefined);
  }

  call(process: RolloutProcess, times: number, kind: "succeeded" | "functionError"): void {
    const nowMs = this.clock.monotonic();
    for (let call = 0; call < times; call++) process.figures.note("orders", "2", kind, nowMs - 5, nowMs);
  }

  #control(store: ResourceStore): RolloutControl {
    return new RolloutControl({
      store,
      clock: this.clock,
      place: PLACE,
      onChange: async () => undefined,
      sightOf: (id) =>
        this.alive.map(({ driver }) => driver.sightOf(id)).find((sight) => sight !== undefined),
    });
  }

  /** A write may fail before it took effect, or behind it. */
  #faulty(): ResourceStore {
    const { rows } = this;
    return {
      ...memoryOf(rows),
      replace: async (row, seenVersion) => {
        if (this.fault("before")) throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "before");
        const written = await rows.replace(row, seenVersion);
        if (this.fault("after")) throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "after");
        return written;
      },
    };
  }
}

function memoryOf(rows: ResourceStore): ResourceStore {
  return {
    list: (kinds) => rows.list(kinds),
    get: (uid) => rows.get(uid),
    insert: (row) => rows.insert(row),
    replace: (row, seen) => rows.replace(row, seen),
    remove: (uid, seen) => rows.remove(uid, seen),
    newestVersion: () => rows.newestVersion(),
    announce: (id, applied) => rows.announce(id, applied),
    processes: () => rows.processes(),
    forget: (id) => rows.forget(id),
    close: () => rows.close(),
  };
}
