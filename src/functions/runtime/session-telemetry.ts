import type { Clock } from "../../ports/clock.ts";
import { OutputLines } from "../output-lines.ts";
import type { RunFigures } from "./environment-parts.ts";
import type { ExtendedFunction, ShutdownReason } from "./extension-set.ts";
import type { RuntimeEvent } from "./listener.ts";
import { type SendTelemetry, TelemetryBuffer } from "./telemetry-buffer.ts";
import { telemetrySender } from "./telemetry-delivery.ts";
import {
  readSubscription,
  type TelemetryAnswer,
  type TelemetryApi,
  type TelemetryKind,
  type TelemetrySubscription,
} from "./telemetry-subscription.ts";

export interface TelemetryParts {
  readonly fn: ExtendedFunction;
  readonly clock: Clock;
  readonly isProvisioned: boolean;
  /** Default: to where the subscription says. */
  readonly senderOf?: (subscription: TelemetrySubscription) => SendTelemetry;
}

interface Subscriber {
  readonly api: TelemetryApi;
  readonly types: ReadonlySet<TelemetryKind>;
  readonly buffer: TelemetryBuffer;
}

interface RunningEvent {
  readonly begunMs: number;
  answeredMs: number | undefined;
  figures?: Pick<RunFigures, "initMs" | "maxMemoryMb">;
}

/** What came before the first subscriber, in records; so much of a start is told. */
const BACKLOG_MAX = 1_000;
const LINE_CHARS_MAX = 256 * 1024;

/**
 * What the extensions of one process are told of it (Telemetry API and Logs API, invocation §5). Without subscribers
 * nothing is kept once the start is over.
 */
export class SessionTelemetry {
  readonly #parts: TelemetryParts;
  readonly #subscribers = new Map<string, Subscriber>();
  #backlog: {
    readonly kind: TelemetryKind;
    readonly time: string;
    readonly type: string;
    readonly record: unknown;
  }[] = [];
  #isStarting = true;
  #isRuntimeReady = false;
  readonly #begunMs: number;
  readonly #running = new Map<string, RunningEvent>();
  readonly #lines = {
    function: new OutputLines((line) => this.#tell("function", "function", line), LINE_CHARS_MAX),
    extension: new OutputLines((line) => this.#tell("extension", "extension", line), LINE_CHARS_MAX),
  };

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.#begunMs = parts.clock.monotonic();
    this.#tell("platform", "platform.initStart", {
      ...this.#init,
      functionName: parts.fn.functionName,
      functionVersion: parts.fn.functionVersion,
    });
  }

  subscribe(name: string, api: TelemetryApi, body: Uint8Array): TelemetryAnswer {
    if (!this.#isStarting)
      return refused(
        403,
        `${titleOf(api)}.SubscriptionClosed`,
        `${titleOf(api)} API subscription is closed already`,
      );
    const read = readSubscription(api, body);
    if (typeof read === "string") return refused(400, "ValidationError", read);
    const known = this.#subscribers.get(name);
    const other = [...this.#subscribers.values()].some((each) => each.api !== api);
    if (known === undefined && other)
      return refused(400, "ValidationError", "Logs API and Telemetry API cannot both be subscribed to");
    const types = [...read.types];
    if (known === undefined) {
      const { senderOf = telemetrySender, clock } = this.#parts;
      const buffer = new TelemetryBuffer(read, clock, senderOf(read));
      this.#subscribers.set(name, { api, types: read.types, buffer });
      for (const each of this.#backlog)
        if (read.types.has(each.kind) && isKnownTo(api, each.type))
          buffer.add({ time: each.time, type: each.type, record: each.record });
    }
    const state = known === undefined ? "Subscribed" : "Already subscribed";
    const type = api === "logs" ? "platform.logsSubscription" : "platform.telemetrySubscription";
    this.#tell("platform", type, { name, state, types });
    return { status: 200, body: '"OK"' };
  }

  /** `events`: as the extension says them. */
  registered(name: string | undefined, events: unknown): void {
    this.#tell("platform", "platform.extension", { name, state: "Registered", events });
  }

  /** The process asks for an event; for its first one, once. */
  runtimeReady(): void {
    if (!this.#isStarting || this.#isRuntimeReady) return;
    this.#isRuntimeReady = true;
    this.#tell("platform", "platform.initRuntimeDone", { ...this.#init, status: "success" });
  }

  /** The process and all extensions wait for an event: the start is over, or the events before. */
  waits(): void {
    if (this.#isStarting) this.#initEnded();
    for (const [requestId, run] of this.#running)
      if (run.answeredMs !== undefined) this.#report(requestId, run, "success");
  }

  #initEnded(): void {
    const durationMs = rounded(this.#parts.clock.monotonic() - this.#begunMs);
    this.#tell("platform", "platform.initReport", {
      ...this.#init,
      status: "success",
      metrics: { durationMs },
    });
    this.#isStarting = false;
    this.#backlog = [];
  }

  started({ requestId, traceId }: RuntimeEvent): void {
    if (this.#subscribers.size === 0) return;
    this.#running.set(requestId, { begunMs: this.#parts.clock.monotonic(), answeredMs: undefined });
    const { functionVersion: version } = this.#parts.fn;
    const tracing = traceId === "" ? {} : { tracing: { type: "X-Amzn-Trace-Id", value: traceId } };
    this.#tell("platform", "platform.start", { requestId, version, ...tracing });
  }

  answered(requestId: string, producedBytes: number): void {
    const run = this.#running.get(requestId);
    if (run === undefined) return;
    run.answeredMs = this.#parts.clock.monotonic();
    const durationMs = rounded(run.answeredMs - run.begunMs);
    const metrics = { durationMs, producedBytes };
    this.#tell("platform", "platform.runtimeDone", { requestId, status: "success", metrics });
  }

  /** Somebody is told of events. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0;
  }

  /** What its `REPORT` line says beside times. */
  settled(requestId: string, figures: Pick<RunFigures, "initMs" | "maxMemoryMb">): void {
    const run = this.#running.get(requestId);
    if (run !== undefined) run.figures = figures;
  }

  /** The process is ended; so are its events. Resolves when subscribers have been told. */
  async ended(reason: ShutdownReason): Promise<void> {
    this.#lines.function.flush();
    this.#lines.extension.flush();
    const status = reason === "TIMEOUT" ? "timeout" : "failure";
    for (const [requestId, run] of this.#running) {
      if (run.answeredMs === undefined) {
        const durationMs = rounded(this.#parts.clock.monotonic() - run.begunMs);
        this.#tell("platform", "platform.runtimeDone", { requestId, status, metrics: { durationMs } });
      }
      this.#report(requestId, run, run.answeredMs === undefined ? status : "success");
    }
    await Promise.all([...this.#subscribers.values()].map(({ buffer }) => buffer.flush()));
  }

  printed(text: string, kind: "function" | "extension"): void {
    if (this.#subscribers.size === 0 && !this.#isStarting) return;
    this.#lines[kind].add(text);
  }

  close(): void {
    for (const { buffer } of this.#subscribers.values()) buffer.close();
    this.#subscribers.clear();
    this.#backlog = [];
  }

  #report(requestId: string, run: RunningEvent, status: string): void {
    this.#running.delete(requestId);
    const durationMs = rounded(this.#parts.clock.monotonic() - run.begunMs);
    const { memoryMb: memorySizeMB } = this.#parts.fn;
    const { maxMemoryMb: maxMemoryUsedMB, initMs } = run.figures ?? {};
    const metrics = {
      durationMs,
      billedDurationMs: Math.ceil(durationMs + (initMs ?? 0)),
      memorySizeMB,
      ...(maxMemoryUsedMB === undefined ? {} : { maxMemoryUsedMB }),
      ...(initMs === undefined ? {} : { initDurationMs: rounded(initMs) }),
    };
    this.#tell("platform", "platform.report", { requestId, status, metrics });
  }

  get #init(): { readonly initializationType: string; readonly phase: string } {
    const initializationType = this.#parts.isProvisioned ? "provisioned-concurrency" : "on-demand";
    return { initializationType, phase: "init" };
  }

  #tell(kind: TelemetryKind, type: string, record: unknown): void {
    if (this.#subscribers.size === 0 && !this.#isStarting) return;
    const told = { time: new Date(this.#parts.clock.now()).toISOString(), type, record };
    if (this.#isStarting && this.#backlog.length < BACKLOG_MAX) this.#backlog.push({ kind, ...told });
    for (const { api, types, buffer } of this.#subscribers.values())
      if (types.has(kind) && isKnownTo(api, type)) buffer.add(told);
  }
}

/** The older API tells nothing of starts. */
function isKnownTo(api: TelemetryApi, type: string): boolean {
  return api === "telemetry" || !type.startsWith("platform.init");
}

function titleOf(api: TelemetryApi): "Telemetry" | "Logs" {
  return api === "logs" ? "Logs" : "Telemetry";
}

function refused(status: 400 | 403, errorType: string, errorMessage: string): TelemetryAnswer {
  return { status, body: JSON.stringify({ errorMessage, errorType }) };
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
