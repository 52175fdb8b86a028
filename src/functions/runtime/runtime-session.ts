import type { Clock } from "../../ports/clock.ts";
import type { EnvironmentSignal, EnvironmentState, Verdict } from "./environment-state.ts";
import type { ExtendedFunction, ShutdownReason } from "./extension-set.ts";
import type { LaunchedProcess, Launcher, LaunchOrder, ProcessEnding, ProcessListener } from "./launcher.ts";
import type {
  AnswerStream,
  ExtensionsApi,
  HeldNext,
  Listener,
  OpenListener,
  RuntimeAnswer,
  RuntimeApi,
  RuntimeEvent,
  RuntimeReport,
} from "./listener.ts";
import { SessionExtensions } from "./session-extensions.ts";
import { SessionTelemetry } from "./session-telemetry.ts";

/** What a session is made with. */
interface SessionParts {
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly extended?: ExtendedFunction | undefined;
}

/** The environment that the session is of. */
export interface SessionOwner {
  readonly state: EnvironmentState;
  signal(signal: EnvironmentSignal): Verdict;
  isCurrent(session: RuntimeSession): boolean;
  /** What was printed is to be read before this answer counts. */
  needsOutput(id: string, answer: RuntimeAnswer): boolean;
  onAnswerRead(id: string, answer: RuntimeAnswer): Verdict;
  openStream(id: string, contentType: string | undefined): AnswerStream | undefined;
  onAnswerBroken(id: string): void;
  onInitError(report: RuntimeReport): Verdict;
  onOutput(text: string, stream: "stdout" | "stderr"): void;
  onExit(ending: ProcessEnding): void;
  onOpenFailed(error: Error): void;
  onGroupGone(): void;
}

/** One process of an environment and the address where it is heard: nothing of it reaches the process that follows. */
export class RuntimeSession implements RuntimeApi, ProcessListener {
  readonly #owner: SessionOwner;
  readonly #launcher: Launcher;
  readonly #environment: Omit<LaunchOrder, "apiAddress">;
  #server: OpenListener | undefined;
  #process: LaunchedProcess | undefined;
  /** Those that wait for an event; the first is served first. */
  readonly #held: HeldNext[] = [];
  /** They wait until all extensions wait, too. */
  #asking: HeldNext[] = [];
  readonly #extensions: SessionExtensions | undefined;
  readonly #telemetry: SessionTelemetry | undefined;
  #isKilled = false;

  constructor(
    owner: SessionOwner,
    { launcher, clock, extended }: SessionParts,
    environment: Omit<LaunchOrder, "apiAddress">,
  ) {
    this.#owner = owner;
    this.#launcher = launcher;
    this.#environment = environment;
    if (extended === undefined) return;
    const { isProvisioned } = environment;
    this.#telemetry = new SessionTelemetry({ fn: extended, clock, isProvisioned });
    this.#extensions = new SessionExtensions({
      ...{ fn: extended, clock, telemetry: this.#telemetry, names: launcher.extensions ?? [] },
      onReady: () => this.#askAll(),
      onFailed: (ending) => this.onExit(ending),
    });
  }

  get extensions(): ExtensionsApi | undefined {
    return this.#extensions?.api;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** As AWS's supervisor names it in its errors. */
  get stateName(): string {
    return STATE_NAMES[this.#owner.state.name] ?? "Started";
  }

  open(listener: Listener): void {
    listener.open(this, (opened) => {
      if (this.#isKilled) {
        if (!(opened instanceof Error)) opened.close();
        return;
      }
      if (opened instanceof Error) {
        this.#owner.onOpenFailed(opened);
        return;
      }
      const { folder, isProvisioned } = this.#environment;
      this.#server = opened;
      this.#process = this.#launcher.launch({ folder, isProvisioned, apiAddress: opened.address }, this);
    });
  }

  /** An event has its outcome. Returns what its processes had at most since the one before. */
  settled(id: string, initMs: number | undefined, isExact: boolean): number | undefined {
    const maxMemoryMb = this.#process?.takeMemoryMb(isExact || this.#telemetry?.isHeard === true);
    this.#telemetry?.settled(id, { initMs, maxMemoryMb });
    return maxMemoryMb;
  }

  deliver(event: RuntimeEvent): void {
    this.#process?.works(true);
    this.#extensions?.begun();
    this.#telemetry?.started(event);
    this.#held.shift()?.deliver(event);
    this.#extensions?.invoke(event);
  }

  /** Kindly; `then` is called where extensions end before their time is up. */
  terminate(then: () => void): void {
    this.#process?.terminate();
    void this.#telemetry?.ended("SPINDOWN");
    if (this.wantsShutdown) this.#extensions?.shutDown("SPINDOWN", then);
  }

  /** Extensions are told of its end, and have time for theirs. */
  get wantsShutdown(): boolean {
    return this.#extensions?.wantsShutdown === true;
  }

  /** Extensions hear the reason first, and have a moment. */
  kill(reason: ShutdownReason): void {
    void this.#telemetry?.ended(reason);
    if (this.wantsShutdown && this.#extensions?.isEnding === false)
      this.#extensions.shutDown(reason, () => this.#kill());
    else this.#kill();
  }

  #kill(): void {
    this.#isKilled = true;
    this.close();
    if (this.#process === undefined) this.#owner.onGroupGone();
    else this.#process.kill();
  }

  /** It is heard no more. */
  close(): void {
    this.#held.length = 0;
    this.#asking = [];
    this.#extensions?.close();
    this.#telemetry?.close();
    this.#server?.close();
    this.#server = undefined;
  }

  next(held: HeldNext): Verdict {
    if (!this.#owner.isCurrent(this)) return "notAllowed";
    this.#telemetry?.runtimeReady();
    if (this.#extensions?.isReady === false) {
      // The event before is over when all have asked for the next; so is the start.
      this.#asking.push(held);
      return "done";
    }
    return this.#ask(held);
  }

  #askAll(): void {
    for (const held of this.#asking.splice(0)) this.#ask(held);
  }

  #ask(held: HeldNext): Verdict {
    this.#held.push(held);
    this.#telemetry?.waits();
    const verdict = this.#owner.signal({ kind: "next" });
    if (verdict !== "done") this.#remove(held);
    else if (this.#owner.state.name === "idle") this.#process?.works(false);
    return verdict;
  }

  hungUp(held: HeldNext): void {
    const asking = this.#asking.indexOf(held);
    if (asking >= 0) this.#asking.splice(asking, 1);
    if (this.#owner.isCurrent(this) && this.#remove(held)) this.#owner.signal({ kind: "hungUp" });
  }

  #remove(held: HeldNext): boolean {
    const index = this.#held.indexOf(held);
    if (index >= 0) this.#held.splice(index, 1);
    return index >= 0;
  }

  beginAnswer(id: string): Verdict {
    if (!this.#owner.isCurrent(this)) return "wrongId";
    return this.#owner.signal({ kind: "answer", id });
  }

  endAnswer(id: string, answer: RuntimeAnswer, reply: (verdict: Verdict) => void): void {
    const end = () => {
      const verdict = this.#owner.isCurrent(this) ? this.#owner.onAnswerRead(id, answer) : "wrongId";
      if (verdict === "done") this.#telemetry?.answered(id, "body" in answer ? answer.body.length : 0);
      reply(verdict);
    };
    if (this.#process !== undefined && this.#owner.needsOutput(id, answer)) this.#process.drained(end);
    else end();
  }

  breakAnswer(id: string): void {
    if (this.#owner.isCurrent(this)) this.#owner.onAnswerBroken(id);
  }

  openStream(id: string, contentType: string | undefined): AnswerStream | undefined {
    return this.#owner.isCurrent(this) ? this.#owner.openStream(id, contentType) : undefined;
  }

  initError(report: RuntimeReport): Verdict {
    return this.#owner.isCurrent(this) ? this.#owner.onInitError(report) : "notAllowed";
  }

  onOutput(text: string, stream: "stdout" | "stderr", isOfExtension = false): void {
    this.#telemetry?.printed(text, isOfExtension ? "extension" : "function");
    this.#owner.onOutput(text, stream);
  }

  onExit(ending: ProcessEnding): void {
    if (this.#owner.isCurrent(this)) this.#owner.onExit(ending);
  }

  onExtensionExit(name: string): void {
    if (this.#owner.isCurrent(this)) this.#extensions?.onExit(name);
  }

  onGone(): void {
    if (this.#owner.isCurrent(this)) this.#owner.onGroupGone();
  }
}

const STATE_NAMES: Partial<Readonly<Record<EnvironmentState["name"], string>>> = {
  idle: "Ready",
  busy: "Running",
  answered: "RuntimeResponseSentState",
};
