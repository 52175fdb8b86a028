import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import { SHUTDOWN_MS } from "./environment-times.ts";
import { type ExtendedFunction, ExtensionSet, type ShutdownReason } from "./extension-set.ts";
import type { ProcessEnding } from "./launcher.ts";
import type { ExtensionsApi, RuntimeEvent } from "./listener.ts";
import type { SessionTelemetry } from "./session-telemetry.ts";

export interface SessionExtensionsOptions {
  readonly fn: ExtendedFunction;
  readonly clock: Clock;
  readonly telemetry: SessionTelemetry;
  /** Names of those that are started beside the process. */
  readonly names: readonly string[];
  /** All of them wait: what the process asked for meanwhile counts. */
  onReady(): void;
  /** One has failed, and with it the environment. */
  onFailed(ending: ProcessEnding): void;
}

/** The extensions of one process, from its start to its end. */
export class SessionExtensions {
  readonly #options: SessionExtensionsOptions;
  readonly #set: ExtensionSet;
  readonly #alive: Set<string>;
  #timer: ScheduledCall | undefined;
  #afterEnd: (() => void) | undefined;
  #isEnding = false;

  constructor(options: SessionExtensionsOptions) {
    this.#options = options;
    this.#alive = new Set(options.names);
    this.#set = new ExtensionSet(options.fn, options.names, () => options.onReady());
  }

  get isReady(): boolean {
    return this.#set.isReady;
  }

  /** They have been told of its end, or need not be. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** They are told of its end, and have time for theirs. */
  get wantsShutdown(): boolean {
    return this.#set.wantsShutdown && this.#alive.size > 0;
  }

  get api(): ExtensionsApi {
    const set = this.#set;
    const { telemetry } = this.#options;
    return {
      register: (name, events) => {
        const registered = set.register(name, events);
        if (!("errorType" in registered)) telemetry.registered(name, events);
        return registered;
      },
      subscribe: (id, api, body) => {
        const name = set.nameOf(id);
        return typeof name === "string" ? telemetry.subscribe(name, api, body) : name;
      },
      next: (id, held) => set.next(id, held),
      hungUp: (held) => void set.hungUp(held),
      fail: (id, errorType, said, accepted) => {
        const name = set.nameOf(id);
        if (typeof name !== "string") return name;
        accepted();
        this.#fail(errorType, `extension ${name}: ${said}`);
        return undefined;
      },
    };
  }

  /** The process has come to its first event. */
  begun(): void {
    this.#set.close();
  }

  invoke(event: RuntimeEvent): void {
    this.#set.invoke(event);
  }

  onExit(name: string): void {
    if (!this.#alive.delete(name)) return;
    if (this.#isEnding) {
      if (this.#alive.size === 0) this.#ended();
    } else {
      this.#fail("Extension.Crash", `extension ${name}: it ended`);
    }
  }

  /** Calls `then` when those who are told of the end have ended, or have had their time. */
  shutDown(reason: ShutdownReason, then: () => void): void {
    const { clock } = this.#options;
    this.#afterEnd = then;
    this.#isEnding = true;
    this.#set.shutDown(Math.round(clock.now() + SHUTDOWN_MS), reason);
    this.#timer = clock.schedule(SHUTDOWN_MS, () => this.#ended());
  }

  /** Nobody waits for them any more. */
  close(): void {
    this.#isEnding = true;
    this.#afterEnd = undefined;
    this.#timer?.cancel();
  }

  #ended(): void {
    const then = this.#afterEnd;
    this.close();
    then?.();
  }

  #fail(errorType: string, message: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#options.onFailed({ kind: "invalid", errorType, message });
  }
}
