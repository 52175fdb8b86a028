import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientContextHeader } from "../../model/client-context.ts";
import { MillraceError } from "../../model/errors.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import { runtimeFamily } from "../../model/runtime-name.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EnvironmentWatch, Separation } from "../../ports/environment-watch.ts";
import type { FunctionLog } from "../../ports/function-log.ts";
import type { FunctionTarget, InvocationContext, Readiness } from "../../ports/function-target.ts";
import type { ResponseSink } from "../../ports/response-sink.ts";
import { abandoned } from "../function-failure.ts";
import type { GivenEnvironment } from "../lambda-environment.ts";
import { StreamedAnswer } from "../streamed-answer.ts";
import { SYSTEM_CLOCK } from "../system-clock.ts";
import { traceHeaders } from "../trace.ts";
import type { StartFailure } from "./environment-outcome.ts";
import type { RunFigures } from "./environment-parts.ts";
import { EnvironmentPool } from "./environment-pool.ts";
import { GroupLauncher } from "./group-launcher.ts";
import { HTTP_LISTENER } from "./http-listener.ts";
import { type IsolationWish, isolationOf } from "./isolation.ts";
import type { LaunchOrder } from "./launcher.ts";
import { endLine, type ReportedRun, reportLine, startLine, withReport } from "./report-lines.ts";
import { RuntimeCall } from "./runtime-call.ts";
import { runtimeCommand } from "./runtime-command.ts";
import { RuntimeOutput } from "./runtime-output.ts";
import { variablesOf } from "./runtime-variables.ts";

export interface RuntimeFunctionOptions extends GivenEnvironment {
  /** What handlers see, and what their log lines begin with. */
  readonly functionName: string;
  /** `$LATEST` without it. */
  readonly version?: string | undefined;
  /** Lambda's name of it; without one there is a command. */
  readonly runtime: string | undefined;
  readonly handler: string | undefined;
  readonly command: readonly string[] | undefined;
  /** The module that exports the handler, where it is named by its path. */
  readonly module?: { readonly path: string; readonly exportName: string } | undefined;
  /** Where the code is, which runs in place. */
  readonly codeFolder: string;
  readonly layerFolders: readonly string[];
  readonly memoryMb: number;
  /** Calls at once. */
  readonly concurrency: number;
  readonly scaling?: RuntimeScaling | undefined;
  /** What separates its processes from others; default `group`. */
  readonly isolation?: IsolationWish | undefined;
  /** MB that may stand in an environment's folder; default as on Lambda. */
  readonly ephemeralStorageMb?: number | undefined;
  /** So many environments are started before anybody calls, and kept; where `scaling` says more, those. */
  readonly environmentsMin?: number | undefined;
  /** Gets each line that an environment prints, and what is said of each call. */
  readonly log: FunctionLog;
  /** Is told what becomes of its environments. */
  readonly watch?: EnvironmentWatch | undefined;
  readonly clock?: Clock;
  /** Nothing of its code is used any more. */
  readonly onClosed?: () => void;
}

export interface RuntimeScaling {
  readonly environmentsMin?: number;
  /** Default: as many as its calls need. */
  readonly environmentsMax?: number | undefined;
  /** Calls of one environment at once; default one. */
  readonly invocationsPerEnvironment?: number;
}

/**
 * A function of any language: processes that speak Lambda's Runtime API, started when calls come, kept while they are
 * used, and ended when they exit, hang or are no longer wanted.
 * What the code does wrong is told by calls.
 * @throws MillraceError `ERR_MILLRACE_FUNCTION` when nothing here can run it
 */
export async function createRuntimeFunction(options: RuntimeFunctionOptions): Promise<FunctionTarget> {
  return await openFunction(options);
}

/**
 * As `createRuntimeFunction`, of a function that is there only when an environment of it can start.
 * @throws as `createRuntimeFunction`
 */
export async function openCheckedFunction(
  options: RuntimeFunctionOptions,
): Promise<{ readonly target: FunctionTarget } | { readonly failure: InvocationOutcome }> {
  const target = await openFunction(options);
  const failure = await target.startFirst();
  if (failure === undefined) return { target };
  await target.close();
  return { failure: failure("", "") };
}

async function openFunction(options: RuntimeFunctionOptions): Promise<RuntimeFunction> {
  if (!Number.isSafeInteger(options.concurrency) || options.concurrency < 1) {
    const message = `concurrency of function ${options.functionName} must be a whole number above 0`;
    throw new MillraceError("ERR_MILLRACE_FUNCTION", message);
  }
  return new RuntimeFunction(options, await runtimeCommand(options));
}

class RuntimeFunction implements FunctionTarget {
  readonly #options: RuntimeFunctionOptions;
  readonly #clock: Clock;
  readonly #version: string;
  readonly #pool: EnvironmentPool;
  readonly #compileCache: string | undefined;
  readonly #separation: Separation;
  #isClosed = false;

  constructor(options: RuntimeFunctionOptions, command: readonly string[]) {
    const { clock = SYSTEM_CLOCK, codeFolder, memoryMb, functionName: fn, concurrency, log } = options;
    const { scaling, scaling: { invocationsPerEnvironment = 1 } = {} } = options;
    const { isolation: wish = "group", layerFolders } = options;
    const isolation = isolationOf(wish, fn);
    this.#separation = { isolation: isolation.name, storage: isolation.storage };
    options.watch?.opened(this.#separation);
    this.#options = options;
    this.#clock = clock;
    const version = options.version ?? "$LATEST";
    this.#version = version;
    this.#compileCache = compileCacheOf(options);
    const description = { ...describeRuntime(options, version), compileCache: this.#compileCache };
    if (isolation.level !== "group")
      log.line({ fn, version, stream: "platform", text: `isolation: ${isolation.name}` });
    const environmentOf = (order: LaunchOrder) => variablesOf(description, order, process.env);
    this.#pool = new EnvironmentPool({
      clock,
      launcher: new GroupLauncher({
        ...{ command, codeFolder, environmentOf, clock, memoryMb, isolation, layerFolders },
        storageMb: options.ephemeralStorageMb,
      }),
      listener: HTTP_LISTENER,
      createOutput: () => new RuntimeOutput({ log, fn, version }),
      watch: options.watch,
      extended: {
        ...{ functionName: fn, functionVersion: version, handler: options.handler ?? "" },
        ...{ accountId: "000000000000", memoryMb },
      },
      eventsMax: invocationsPerEnvironment,
      environmentsMax: scaling?.environmentsMax ?? Math.ceil(concurrency / invocationsPerEnvironment),
      environmentsMin: Math.max(options.environmentsMin ?? 0, scaling?.environmentsMin ?? 0),
      onLost: () => log.line({ fn, version, stream: "stderr", text: LOST }),
    });
  }

  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    if (signal.aborted || this.#isClosed) return Promise.resolve(abandoned());
    const encoded = context.clientContext;
    return new Promise((settle) => {
      const call = new RuntimeCall({
        payload,
        context,
        signal,
        stream: sink && new StreamedAnswer(sink, this.#clock, this.#version),
        traceId: traceHeaders(context).xray,
        clientContext: encoded === undefined ? undefined : clientContextHeader(encoded),
        onSettled: (outcome, figures) => settle(this.#told(outcome, context, figures)),
      });
      this.#pool.run(call);
    });
  }

  startFirst(): Promise<StartFailure | undefined> {
    return new Promise((resolve) => this.#pool.startFirst(resolve));
  }

  readiness(): Readiness {
    return this.#pool.readiness;
  }

  async close(): Promise<void> {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    await this.#pool.close();
    if (!isFirst) return;
    this.#options.watch?.closed(this.#separation);
    this.#options.onClosed?.();
    if (this.#compileCache !== undefined)
      await rm(this.#compileCache, { recursive: true, force: true }).catch(() => {});
  }

  /** The log has each run as Lambda writes it, and so has whoever wants it with the outcome. */
  #told(outcome: InvocationOutcome, context: InvocationContext, figures: RunFigures): InvocationOutcome {
    switch (outcome.kind) {
      case "succeeded":
      case "functionError":
      case "timedOut": {
        const { requestId } = context;
        const { memoryMb } = this.#options;
        const run = { ...figures, requestId, version: this.#version, memoryMb };
        // What stands in the pipes is read in the same round of the event loop, and comes before its end.
        setImmediate(() => this.#report(outcome, run));
        if (figures.maxMemoryMb !== undefined) this.#options.watch?.memory(figures.maxMemoryMb);
        if (context.logs !== "tail") return outcome;
        const logTail = withReport(outcome.detail?.logTail ?? "", outcome, run);
        return { ...outcome, detail: { ...outcome.detail, logTail } };
      }
      case "throttled":
      case "unavailable":
      case "payloadTooLarge":
        return outcome;
    }
  }

  #report(outcome: InvocationOutcome, run: ReportedRun): void {
    const { log, functionName: fn } = this.#options;
    const { requestId, version } = run;
    const write = (text: string) => log.line({ fn, version, requestId, stream: "platform", text });
    // One that no process was handed is told as a run, too: as one that failed.
    if (!run.isRun) write(startLine(requestId, version));
    write(endLine(requestId));
    write(reportLine(outcome, run));
  }
}

const LOST = "a process of this function cannot be ended, and is left";

/** A Node that starts with it is ready in half the time. Without a folder all goes on. */
function compileCacheOf({ runtime = "", command }: RuntimeFunctionOptions): string | undefined {
  if (runtimeFamily(runtime) !== "nodejs" || command !== undefined) return undefined;
  try {
    return mkdtempSync(join(tmpdir(), "millrace-compiled-"));
  } catch {
    return undefined;
  }
}

function describeRuntime(options: RuntimeFunctionOptions, version: string) {
  const { functionName, runtime, command } = options;
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  const isNamed = runtime !== undefined && !runtime.startsWith("provided") && command === undefined;
  return {
    ...options,
    version,
    executionName: isNamed ? `AWS_Lambda_${runtime}` : undefined,
    invocationsMax: options.scaling?.invocationsPerEnvironment ?? 1,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${day}/[${version}]${randomBytes(16).toString("hex")}`,
  };
}
