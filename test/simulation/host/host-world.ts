import type {
  LaunchedProcess,
  Launcher,
  LaunchOrder,
  ProcessListener,
} from "../../../src/functions/runtime/launcher.ts";
import type {
  AnswerStream,
  HeldNext,
  Listener,
  OpenListener,
  RuntimeApi,
  RuntimeEvent,
} from "../../../src/functions/runtime/listener.ts";
import type { HostClock } from "./host-clock.ts";

export interface HostWorldOptions {
  readonly clock: HostClock;
  /** Between 0 and 1. */
  chance(): number;
  readonly processesMax: number;
  /** Events of one process at once. */
  readonly eventsMax: number;
  violate(text: string): void;
  /** A process got an event. */
  onEvent(process: HostProcess, event: RuntimeEvent): void;
}

/** An event that a process works on. */
export interface HostWork {
  readonly event: RuntimeEvent;
  isAnswering: boolean;
  /** Where its answer goes while it is written. */
  stream: AnswerStream | undefined;
}

/** A process as the walk moves it: what it says, and whether it dies. */
export class HostProcess implements LaunchedProcess {
  readonly number: number;
  readonly api: RuntimeApi;
  readonly listener: ProcessListener;
  readonly #world: HostWorld;
  /** Nobody can kill it. */
  readonly isUndying: boolean;
  hasExited = false;
  /** It is asked to end. */
  isEnding = false;
  isKilled = false;
  isGone = false;
  isLost = false;
  readonly held: HeldNext[] = [];
  heldSinceMs = 0;
  /** Events that it works on. */
  readonly work: HostWork[] = [];

  constructor(world: HostWorld, number: number, api: RuntimeApi, listener: ProcessListener) {
    this.#world = world;
    this.number = number;
    this.api = api;
    this.listener = listener;
    this.isUndying = world.options.chance() < 0.01;
  }

  terminate(): void {
    this.isEnding = true;
    if (this.#world.options.chance() < 0.5) this.#dieIn(100);
  }

  kill(): void {
    if (this.isKilled) return;
    this.isKilled = true;
    this.held.length = 0;
    if (!this.isUndying) this.#dieIn(this.#world.options.chance() < 0.7 ? 0 : 900);
  }

  works(): void {}

  takeMemoryMb(): undefined {
    return undefined;
  }

  drained(then: () => void): void {
    then();
  }

  next(): void {
    const held: HeldNext = {
      deliver: (event) => {
        if (this.held[0] !== held && this.held.length > 0)
          this.#world.options.violate("I40: a stranger's next");
        this.#world.checkOrder(this);
        this.held.shift();
        this.work.push({ event, isAnswering: false, stream: undefined });
        this.#world.options.onEvent(this, event);
      },
    };
    const wasKilled = this.isKilled;
    const { heldSinceMs } = this;
    this.heldSinceMs = this.#world.tick();
    this.held.push(held);
    const verdict = this.api.next(held);
    if (verdict !== "done") {
      this.held.splice(this.held.indexOf(held), 1);
      this.heldSinceMs = heldSinceMs;
    }
    if (verdict === "done" && wasKilled) this.#world.options.violate("I40: a killed process was heard");
  }

  forget(work: HostWork): void {
    const index = this.work.indexOf(work);
    if (index >= 0) this.work.splice(index, 1);
  }

  exit(): void {
    if (this.hasExited) return;
    this.hasExited = true;
    this.held.length = 0;
    this.listener.onExit({ kind: "status", status: 1 });
  }

  hangUp(): void {
    const held = this.held.pop();
    if (held !== undefined) this.api.hungUp(held);
  }

  #dieIn(ms: number): void {
    this.#world.options.clock.schedule(ms, () => {
      this.exit();
      if (!this.isKilled || this.isGone) return;
      this.isGone = true;
      this.listener.onGone();
    });
  }
}

/** Processes, addresses and folders under virtual time, and what is left of them. */
export class HostWorld implements Launcher, Listener {
  readonly options: HostWorldOptions;
  readonly processes: HostProcess[] = [];
  readonly folders = new Set<string>();
  readonly #open = new Map<string, RuntimeApi>();
  #numbers = 0;
  #ticks = 0;

  constructor(options: HostWorldOptions) {
    this.options = options;
  }

  get addresses(): number {
    return this.#open.size;
  }

  tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  makeFolder(): string {
    if (this.options.chance() < 0.002) throw new Error("the disk is full");
    this.#numbers += 1;
    const folder = `folder-${this.#numbers}`;
    this.folders.add(folder);
    return folder;
  }

  removeFolder(folder: string): Promise<void> {
    this.folders.delete(folder);
    return DONE;
  }

  open(api: RuntimeApi, onOpen: (opened: OpenListener | Error) => void): void {
    const { chance, clock } = this.options;
    if (chance() < 0.005) {
      onOpen(new Error("no address is free"));
      return;
    }
    this.#numbers += 1;
    const address = `address-${this.#numbers}`;
    const open = () => {
      this.#open.set(address, api);
      onOpen({ address, close: () => void this.#open.delete(address) });
    };
    if (chance() < 0.5) open();
    else clock.schedule(1, open);
  }

  launch(order: LaunchOrder, listener: ProcessListener): LaunchedProcess {
    const api = this.#open.get(order.apiAddress);
    if (api === undefined || !this.folders.has(order.folder)) throw new Error("launched without its place");
    this.#numbers += 1;
    const process = new HostProcess(this, this.#numbers, api, listener);
    this.processes.push(process);
    const alive = this.processes.filter((each) => !each.isGone && !each.isLost).length;
    if (alive > this.options.processesMax) this.options.violate(`I40: ${alive} processes live`);
    return process;
  }

  /** The one that asked last works first, where each has one event at a time. */
  checkOrder(chosen: HostProcess): void {
    if (this.options.eventsMax > 1) return;
    const later = this.processes.find(
      (each) =>
        each.held.length > 0 && !each.isEnding && !each.isKilled && each.heldSinceMs > chosen.heldSinceMs,
    );
    if (later !== undefined) this.options.violate("I40: an environment that rested longer was used first");
  }

  /** Those that nobody hears of any more are forgotten, but for the latest. */
  forget(): void {
    const dead = this.processes.filter((each) => each.isGone);
    if (dead.length < 20) return;
    const old = new Set(dead.slice(0, 10));
    const kept = this.processes.filter((each) => !old.has(each));
    this.processes.length = 0;
    this.processes.push(...kept);
  }
}

const DONE = Promise.resolve();

/** What is left of a world that has ended, but for what nobody can kill. */
export function remainsOf(world: HostWorld): readonly string[] {
  const undying = world.processes.filter((each) => each.isUndying && !each.isGone).length;
  const alive = world.processes.filter((each) => !each.isGone && !each.isUndying).length;
  return [
    ...(alive > 0 ? [`${alive} processes`] : []),
    ...(world.addresses > 0 ? [`${world.addresses} addresses`] : []),
    ...(world.folders.size > undying ? [`${world.folders.size} folders`] : []),
  ];
}

export const SILENT = { add: () => {}, run: () => {}, begin: () => {}, tail: "", flush: () => {} };
