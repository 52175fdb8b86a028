import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { LaunchedProcess, Launcher, ProcessListener } from "../runtime/launcher.ts";
import { findProcesses } from "../runtime/process-scan.ts";

const LOOK_MS = 100;
/** No process is of this group: whoever names the address in its variables is found. */
const NO_GROUP = -1;

export interface AttachedLauncherOptions {
  /** `AWS_LAMBDA_RUNTIME_API=HOST:PORT`, as the function's container has it. */
  readonly variable: string;
  readonly clock: Clock;
  /** Its processes have to end and cannot be reached from here: whoever runs the container has to end it. */
  onBeyondReach(): void;
}

/**
 * Starts nothing: somebody else runs the process. Where its processes are seen in /proc, as in a pod that shares its
 * process namespace, they are ended from here.
 */
export class AttachedLauncher implements Launcher {
  readonly #options: AttachedLauncherOptions;
  #current: AttachedProcess | undefined;

  constructor(options: AttachedLauncherOptions) {
    this.#options = options;
  }

  makeFolder(): string {
    return "";
  }

  async removeFolder(): Promise<void> {}

  launch(_order: unknown, listener: ProcessListener): LaunchedProcess {
    this.#current = new AttachedProcess(this.#options, listener);
    return this.#current;
  }

  /** Another has come in its place. */
  restarted(): void {
    this.#current?.hasGone();
  }
}

class AttachedProcess implements LaunchedProcess {
  readonly #options: AttachedLauncherOptions;
  readonly #listener: ProcessListener;
  #pids: readonly number[] = [];
  #isWorking = false;
  #hasGone = false;
  #isKilled = false;
  #timer: ScheduledCall | undefined;

  constructor(options: AttachedLauncherOptions, listener: ProcessListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Asked when the function is no longer wanted: its container is ended by whoever has started it. */
  terminate(): void {}

  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    this.#isWorking = false;
    this.#timer?.cancel();
    // What asks for an event now is the process that came after it.
    if (this.#hasGone) setImmediate(() => this.#listener.onGone());
    else void this.#end();
  }

  works(isWorking: boolean): void {
    if (this.#isKilled) return;
    this.#isWorking = isWorking;
    if (isWorking && this.#timer === undefined) this.#watch();
  }

  takeMemoryMb(): undefined {
    return undefined;
  }

  drained(then: () => void): void {
    setImmediate(then);
  }

  hasGone(): void {
    if (this.#hasGone || this.#isKilled) return;
    this.#hasGone = true;
    this.#isWorking = false;
    this.#timer?.cancel();
    this.#listener.onExit({ kind: "status", status: 0 });
  }

  /** Where its processes are seen, their end is as well. */
  #watch(): void {
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    if (!this.#isWorking) return;
    if (this.#pids.length === 0) this.#pids = await this.#find();
    else if (!this.#pids.some(lives)) return this.hasGone();
    if (this.#isWorking) this.#watch();
  }

  async #end(): Promise<void> {
    const found = await this.#find();
    const pids = found.filter((pid) => send(pid, "SIGKILL"));
    if (pids.length === 0) {
      this.#options.onBeyondReach();
      this.#listener.onGone();
      return;
    }
    const look = () => {
      if (pids.some(lives)) this.#options.clock.schedule(LOOK_MS, look);
      else this.#listener.onGone();
    };
    look();
  }

  async #find(): Promise<readonly number[]> {
    return (await findProcesses({ group: NO_GROUP, variable: this.#options.variable })) ?? [];
  }
}

function lives(pid: number): boolean {
  return send(pid, 0);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
