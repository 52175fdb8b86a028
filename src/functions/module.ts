import { resolve } from "node:path";
import { MillraceError } from "../model/errors.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import { CallWatch, type WatchedCall } from "./call-watch.ts";
import { abandoned, describeFailure, withDetail } from "./function-failure.ts";
import { type GivenEnvironment, lambdaEnvironment } from "./lambda-environment.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { RuntimeDescription } from "./module-messages.ts";
import { type LogLine, ModuleRuntime, type RuntimeListener } from "./module-runtime.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { SYSTEM_CLOCK } from "./system-clock.ts";

export interface ModuleFunctionOptions extends GivenEnvironment {
  /** What handlers see as `context.functionName`, and what their log lines begin with. */
  readonly functionName: string;
  /** File of an ES or CommonJS module, JavaScript or TypeScript (types are stripped, not checked). */
  readonly path: string;
  /**
   * The export that is the handler; default `handler`. Dots lead into nested objects; Lambda's form `index.handler` is
   * understood for a file named `index`.
   */
  readonly exportName?: string;
  /**
   * Worker threads at most, each with one invocation at a time; more calls wait for a free one, and their time runs.
   */
  readonly concurrency: number;
  /**
   * Memory of the handler in MB; default 512. V8 clears garbage late, so a worker is stopped only when its heap is
   * twice as large; its call is a function error then. Memory outside of the heap (Buffers) is not counted.
   */
  readonly memoryMb?: number;
  /** What is told of a module that cannot be loaded; default `full`. */
  readonly errorDetails?: ErrorDetails;
  /** Gets each line that a handler prints. Default: standard error, behind the function's name in brackets. */
  readonly onLog?: LogLine;
  /** Gets each file that the module is made of, when a thread reads it; left out, threads tell none. */
  readonly onImport?: ((path: string) => void) | undefined;
  /** Is told of each call that a thread takes, and of what became of it. */
  readonly calls?: ModuleCallWatch | undefined;
  /** Its threads are gone. */
  readonly onClosed?: () => void;
  /** Default: the machine's time. */
  readonly clock?: Clock;
}

export interface ModuleCallWatch {
  began(requestId: string): void;
  ended(requestId: string, outcome: InvocationOutcome, durationMs: number): void;
}

const MEMORY_MB = 512;
const EXPORT_NAME = "handler";
const INIT_TIMEOUT_MS = 10_000;
/** Workers without work for so long are ended while others still work; the pool shrinks to what the load needs. */
const IDLE_MS = 5 * 60 * 1000;

/**
 * A Lambda handler run in worker threads of this process. Threads are made on demand, kept while idle, and replaced
 * when a function hangs, exits or crashes. What ends the process is not contained (native code, V8's fatal errors such
 * as an array of 2^28 elements): run such functions behind HTTP. The module is loaded at the first call;
 * `checkModuleFunction` tells beforehand whether it can be.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when an option is not valid.
 */
export function createModuleFunction(options: ModuleFunctionOptions): FunctionTarget {
  return new ModuleFunction(options);
}

/**
 * Loads the module in a worker of its own and ends it again.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when it cannot be loaded or does not export the handler.
 */
export async function checkModuleFunction(options: ModuleFunctionOptions): Promise<void> {
  const clock = options.clock ?? SYSTEM_CLOCK;
  const description = describeRuntime(options);
  const failure = await new Promise<string | undefined>((settle) => {
    const listener: RuntimeListener = {
      onImport: (path) => options.onImport?.(path),
      onReady: (runtime) => end(runtime, undefined),
      onAnswer: () => {},
      onBroken: (runtime, outcome) => end(runtime, describeFailure(outcome, options.errorDetails)),
      onGone: () => {},
    };
    const end = (ended: ModuleRuntime, reason: string | undefined): void => {
      timer.cancel();
      ended.terminate().then(() => settle(reason), settle);
    };
    const runtime = new ModuleRuntime(description, environmentOf(options), logTo(options), listener);
    const timer = clock.schedule(INIT_TIMEOUT_MS, () =>
      end(runtime, `Loading took more than ${INIT_TIMEOUT_MS / 1000} seconds.`),
    );
  });
  if (failure === undefined) return;
  throw invalid(`function ${options.functionName} cannot be started from ${description.path}: ${failure}`);
}

class ModuleFunction implements FunctionTarget, RuntimeListener {
  readonly #options: ModuleFunctionOptions;
  readonly #description: RuntimeDescription;
  readonly #clock: Clock;
  readonly #watch: CallWatch;
  /** Every thread that is not gone; never more than the concurrency. */
  readonly #runtimes = new Set<ModuleRuntime>();
  readonly #running = new Map<ModuleRuntime, ModuleCall>();
  /** The one used last is at the end and is used next, so that those at the front grow old. */
  #idle: ModuleRuntime[] = [];
  #waiting: ModuleCall[] = [];
  readonly #memory: MemoryWatch<ModuleRuntime>;
  #closed: Promise<void> | undefined;

  constructor(options: ModuleFunctionOptions) {
    this.#options = options;
    this.#description = describeRuntime(options);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#watch = new CallWatch(this.#clock);
    this.#memory = new MemoryWatch(this.#clock, this.#description.memoryMb, () => this.#running.keys());
  }

  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    if (signal.aborted || this.#closed !== undefined) return Promise.resolve(abandoned());
    return new Promise((settle) => {
      const call: ModuleCall = {
        watchIndex: -1,
        expiresAt: this.#clock.monotonic() + context.timeoutMs,
        signal,
        payload,
        context,
        settle,
        stream: sink && new StreamedAnswer(sink, this.#clock, "$LATEST"),
        runtime: undefined,
        begunMs: 0,
        onExpired: () => this.#stop(call, call.runtime === undefined ? NO_CAPACITY : timedOut(call.runtime)),
        onAbandoned: () => this.#stop(call, abandoned()),
      };
      this.#watch.add(call);
      this.#waiting.push(call);
      this.#startWaiting();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  onImport(path: string): void {
    this.#options.onImport?.(path);
  }

  onAnswer(runtime: ModuleRuntime, outcome: InvocationOutcome): void {
    this.#settle(this.#running.get(runtime), outcome);
    runtime.unref();
    runtime.idleSinceMs = this.#clock.monotonic();
    this.#idle.push(runtime);
    this.#startWaiting();
    this.#endAgedRuntime();
  }

  onBroken(runtime: ModuleRuntime, outcome: InvocationOutcome): void {
    this.#idle = this.#idle.filter((idle) => idle !== runtime);
    this.#settle(this.#running.get(runtime), outcome);
    runtime.terminate().catch(() => {});
  }

  onGone(runtime: ModuleRuntime): void {
    this.#runtimes.delete(runtime);
    this.#startWaiting();
  }

  /** First come, first served, as far as there are threads. */
  #startWaiting(): void {
    while (this.#waiting.length > 0) {
      const runtime = this.#idle.pop() ?? this.#newRuntime();
      if (runtime === undefined) return;
      const call = this.#waiting.shift();
      if (call === undefined) return;
      call.runtime = runtime;
      this.#running.set(runtime, call);
      if (this.#options.calls !== undefined) {
        call.begunMs = this.#clock.monotonic();
        this.#options.calls.began(call.context.requestId);
      }
      runtime.run(call.payload, call.context, call.stream);
      this.#memory.wake();
    }
  }

  #newRuntime(): ModuleRuntime | undefined {
    if (this.#closed !== undefined || this.#runtimes.size >= this.#options.concurrency) return undefined;
    const runtime = new ModuleRuntime(
      this.#description,
      environmentOf(this.#options),
      logTo(this.#options),
      this,
    );
    this.#runtimes.add(runtime);
    return runtime;
  }

  /** A thread cannot be told to stop what it does: it is ended and another takes its place. */
  #stop(call: ModuleCall, outcome: InvocationOutcome): void {
    const { runtime } = call;
    this.#waiting = this.#waiting.filter((waiting) => waiting !== call);
    this.#settle(call, outcome);
    runtime?.terminate().catch(() => {});
  }

  #settle(call: ModuleCall | undefined, outcome: InvocationOutcome): void {
    if (call === undefined) return;
    if (call.runtime !== undefined) {
      this.#running.delete(call.runtime);
      const durationMs = this.#clock.monotonic() - call.begunMs;
      if (this.#options.calls !== undefined) call.runtime.flushOutput();
      this.#options.calls?.ended(call.context.requestId, outcome, durationMs);
    }
    this.#watch.remove(call);
    call.settle(call.stream?.ended(outcome) ?? outcome);
  }

  #endAgedRuntime(): void {
    const eldest = this.#idle[0];
    if (eldest === undefined || this.#clock.monotonic() - eldest.idleSinceMs < IDLE_MS) return;
    this.#idle.shift();
    eldest.terminate().catch(() => {});
  }

  async #close(): Promise<void> {
    this.#watch.close();
    this.#memory.close();
    this.#idle = [];
    await Promise.all(Array.from(this.#runtimes, (runtime) => runtime.terminate()));
    this.#options.onClosed?.();
  }
}

interface ModuleCall extends WatchedCall {
  readonly payload: Uint8Array;
  readonly context: InvocationContext;
  readonly settle: (outcome: InvocationOutcome) => void;
  readonly stream: StreamedAnswer | undefined;
  /** `undefined` while it waits. */
  runtime: ModuleRuntime | undefined;
  begunMs: number;
}

function timedOut({ logTail }: ModuleRuntime): InvocationOutcome {
  return { kind: "timedOut", ...withDetail({ logTail }) };
}

const NO_CAPACITY: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };

function describeRuntime(options: ModuleFunctionOptions): RuntimeDescription {
  const memoryMb = options.memoryMb ?? MEMORY_MB;
  const path = resolve(options.path);
  for (const [name, value] of Object.entries({ concurrency: options.concurrency, memoryMb })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw invalid(`${name} of function ${options.functionName} must be a whole number above 0, not ${value}`);
  }
  return {
    path,
    exportName: options.exportName ?? EXPORT_NAME,
    functionName: options.functionName,
    memoryMb,
    logGroupName: `/aws/lambda/${options.functionName}`,
    logStreamName: `${process.pid}/[$LATEST]`,
    tellsImports: options.onImport !== undefined,
  };
}

function environmentOf(options: ModuleFunctionOptions): Record<string, string> {
  return lambdaEnvironment(describeRuntime(options), options, process.env);
}

function logTo(options: ModuleFunctionOptions): LogLine {
  return options.onLog ?? ((line) => process.stderr.write(`[${options.functionName}] ${line}\n`));
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_FUNCTION", message);
}
