import type { EnvironmentSignal, EnvironmentState, Verdict } from "./environment-state.ts";
import type { LaunchedProcess, Launcher, LaunchOrder, ProcessEnding, ProcessListener } from "./launcher.ts";
import type {
  AnswerStream,
  HeldNext,
  Listener,
  OpenListener,
  RuntimeAnswer,
  RuntimeApi,
  RuntimeEvent,
  RuntimeReport,
} from "./listener.ts";

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
  #isKilled = false;

  constructor(owner: SessionOwner, launcher: Launcher, environment: Omit<LaunchOrder, "apiAddress">) {
    this.#owner = owner;
    this.#launcher = launcher;
    this.#environment = environment;
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

  /** What its processes had at most since it was last asked. */
  takeMemoryMb(isExact: boolean): number | undefined {
    return this.#process?.takeMemoryMb(isExact);
  }

  deliver(event: RuntimeEvent): void {
    this.#process?.works(true);
    this.#held.shift()?.deliver(event);
  }

  terminate(): void {
    this.#process?.terminate();
  }

  kill(): void {
    this.#isKilled = true;
    this.close();
    if (this.#process === undefined) this.#owner.onGroupGone();
    else this.#process.kill();
  }

  /** It is heard no more. */
  close(): void {
    this.#held.length = 0;
    this.#server?.close();
    this.#server = undefined;
  }

  next(held: HeldNext): Verdict {
    if (!this.#owner.isCurrent(this)) return "notAllowed";
    this.#held.push(held);
    const verdict = this.#owner.signal({ kind: "next" });
    if (verdict !== "done") this.#remove(held);
    else if (this.#owner.state.name === "idle") this.#process?.works(false);
    return verdict;
  }

  hungUp(held: HeldNext): void {
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
    const end = () => reply(this.#owner.isCurrent(this) ? this.#owner.onAnswerRead(id, answer) : "wrongId");
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

  onOutput(text: string, stream: "stdout" | "stderr"): void {
    this.#owner.onOutput(text, stream);
  }

  onExit(ending: ProcessEnding): void {
    if (this.#owner.isCurrent(this)) this.#owner.onExit(ending);
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
