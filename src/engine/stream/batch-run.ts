import { backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { TumblingWindow } from "../../model/record.ts";
import type { Invocation, InvocationResult } from "../../ports/invoker.ts";
import type { LogFields } from "../../ports/telemetry.ts";
import type { BatchExplanation } from "../explanation.ts";
import { AttemptNotes, epochOf } from "../invoke/attempt-notes.ts";
import { type BatchVerdict, readResponse } from "../invoke/response.ts";
import { BatchTrace } from "../trace/batch-trace.ts";
import { carriersOf } from "../trace/carriers.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { failureRecordOf } from "./discarded-batch.ts";
import { bornMs, type Expiry } from "./expiry.ts";
import { recordFinder } from "./item-identifier.ts";
import { splitByFailures } from "./partial-retry.ts";
import { RetryWatch } from "./retry-watch.ts";
import type { ShardContext, StartPermission } from "./shard-context.ts";
import { damageOf, noteUnencodable } from "./throwing-source.ts";
import type { OpenWindow, WindowEnd } from "./tumbling-window.ts";

/** A batch, or what bisecting and partial responses left of it, with its own request id and retry budget. */
interface Segment {
  readonly records: readonly BufferedRecord[];
  readonly requestId: string;
  /** Splits between the batch and this part of it. */
  readonly depth: number;
  readonly windowEnd: WindowEnd;
  /** Monotonic time of the first try of a window's last invocation, over restarts: the age of it is no record's. */
  triedFromMs: number | undefined;
  /** Its records were in an invocation before. */
  isRetry: boolean;
  /** Failures that count against `MaximumRetryAttempts`. */
  failures: number;
  /** Calls in which the function ran. */
  invocations: number;
  /** The version that the last of them ran; `undefined`: `$LATEST`. */
  executedVersion?: string | undefined;
  /** Throttled and unavailable attempts in a row: they cost no retry, only time. */
  pauses: number;
  /** Monotonic time before which there is no further attempt. */
  notBeforeMs: number;
}

/** What may stand between a segment and its next attempt. */
type Obstacle = Exclude<StartPermission, "start"> | "expired" | "pause";

type Step =
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  /** These come next, in this order, before anything else of the lane. */
  | { readonly kind: "next"; readonly segments: readonly Segment[] };

const DONE: Step = { kind: "done" };
const STOPPED: Step = { kind: "stopped" };

/** Mapping-wide answer shown in failure records after an error of the function itself. */
const UNHANDLED = { functionError: "Unhandled" } as const;
/** … and after a partial or malformed response: the function returned, its answer failed the batch. */
const NO_FUNCTION_ERROR = { functionError: null } as const;

const PARTIAL = "the function listed failures";

/**
 * Brings one batch of a lane to its end: attempts, retries, bisect, partial responses, expiry, failure records (streams
 * §5). Parts of a batch run strictly in order, so nothing of the lane overtakes a record that is being retried.
 */
export class BatchRun {
  readonly #context: ShardContext;
  readonly #window: OpenWindow | undefined;
  readonly #expiry: Expiry;
  readonly #trace: BatchTrace | undefined;
  readonly #notes: AttemptNotes;
  /** Parts that are not done, the next one last, and the one that is tried now. */
  #stack: readonly Segment[] = [];
  #current: Segment | undefined;
  /** Set once a part is tried again. */
  #watch: RetryWatch | undefined;

  constructor(context: ShardContext, window: OpenWindow | undefined) {
    this.#context = context;
    this.#window = window;
    this.#expiry = context.expiry;
    this.#trace = context.tracer && new BatchTrace(context.tracer);
    this.#notes = new AttemptNotes(context.clock);
  }

  explain(): BatchExplanation | undefined {
    const segment = this.#current;
    if (segment === undefined) return undefined;
    const { requestId, records, failures, pauses, notBeforeMs } = segment;
    return this.#notes.explain({
      requestId,
      records: records.length,
      laterRecords: this.#stack.reduce((sum, later) => sum + later.records.length, 0),
      firstRecord: records[0]?.record.position,
      lastRecord: records.at(-1)?.record.position,
      failures,
      throttles: pauses,
      notBeforeMs,
      groups: [],
    });
  }

  /** `true`: all is settled. `false`: stopped before; what is not settled comes again. */
  run(records: readonly BufferedRecord[]): Promise<boolean> {
    return this.#runAll([this.#segment(records, 0, "no")]);
  }

  /** The invocation without records that closes the tumbling window. */
  runFinal(): Promise<boolean> {
    this.#context.telemetry.mark("window final invocation");
    return this.#runAll([this.#segment([], 0, "final")]);
  }

  async #runAll(stack: Segment[]): Promise<boolean> {
    this.#stack = stack;
    for (let segment = stack.pop(); segment !== undefined; segment = stack.pop()) {
      if (
        segment.windowEnd === "no" &&
        this.#window?.isOversized(this.#context.settings.windowStateBytesMax)
      ) {
        this.#context.telemetry.mark("window terminated early");
        stack.push(segment);
        segment = this.#segment([], 0, "early");
      }
      this.#current = segment;
      const step = await this.#attempt(segment);
      if (step.kind === "stopped") return false;
      // plant: parts-of-a-batch-are-pushed-in-the-wrong-order
      if (step.kind === "next") stack.push(...step.segments.toReversed());
    }
    return true;
  }

  #segment(records: readonly BufferedRecord[], depth: number, windowEnd: WindowEnd): Segment {
    const requestId = this.#context.random.uuid();
    const triedForMs = windowEnd === "no" ? 0 : (this.#window?.triedForMs ?? 0);
    return {
      records,
      requestId,
      depth,
      windowEnd,
      triedFromMs: triedForMs === 0 ? undefined : this.#context.clock.monotonic() - triedForMs,
      isRetry: false,
      failures: 0,
      invocations: 0,
      pauses: 0,
      notBeforeMs: 0,
    };
  }

  #retry(records: readonly BufferedRecord[], depth: number): Segment {
    return { ...this.#segment(records, depth, "no"), isRetry: true };
  }

  async #attempt(segment: Segment): Promise<Step> {
    const blocked = this.#blockedBy(segment);
    if (blocked !== undefined) return await this.#unblock(segment, blocked);
    const damaged = segment.records.findIndex((each) => damageOf(each) !== undefined);
    if (damaged >= 0) return await this.#giveUpDamaged(segment, damaged);
    const fitting = this.#fittingRecords(segment);
    if (fitting === 0 && segment.records.length === 1) {
      this.#context.telemetry.mark("oversized record");
      this.#tooLarge(segment);
      if (this.#context.source.description.oversizedRecord === "givenUp") {
        return await this.#discard(segment, segment.records, "MaximumPayloadSizeExceeded", undefined);
      }
      return await this.#failed(segment, undefined);
    }
    if (fitting < segment.records.length) return this.#splitBySize(segment, fitting);
    this.#notes.does("queued");
    const startedMs = this.#context.clock.monotonic();
    const result = await this.#invoke(segment);
    if (result === undefined) return { kind: "next", segments: [segment] };
    if (this.#context.isClosed()) return STOPPED;
    if (result.kind === "notStarted" || result.kind === "refused")
      return { kind: "next", segments: [segment] };
    if (segment.windowEnd !== "no") segment.triedFromMs ??= startedMs;
    return await this.#conclude(segment, result);
  }

  /** `undefined`: nothing was invoked, since records cannot be encoded; they are noted. */
  async #invoke(segment: Segment): Promise<InvocationResult | undefined> {
    try {
      return await this.#context.invoker.invoke(this.#request(segment));
    } catch (error) {
      if (noteUnencodable(this.#context.source.events, segment.records)) return undefined;
      throw error;
    }
  }

  /** A record that no function can have goes alone, into the destination. */
  async #giveUpDamaged(segment: Segment, index: number): Promise<Step> {
    // plant: a-damaged-record-takes-its-batch-with-it
    if (segment.records.length > 1) return this.#splitBySize(segment, index);
    const { telemetry, mapping, shardId } = this.#context;
    const [first] = segment.records;
    telemetry.mark("damaged record given up");
    const reason = first && damageOf(first);
    const fields = { mapping: mapping.name, shardId, from: first?.record.position, reason };
    telemetry.log("error", "a record cannot be given to the function; it is given up", fields);
    this.#notes.lastProblem = "payloadTooLarge";
    return await this.#discard(segment, segment.records, "MaximumPayloadSizeExceeded", undefined);
  }

  /** What stands between a segment and its next attempt; mostly nothing. */
  #blockedBy(segment: Segment): Obstacle | undefined {
    const permission = this.#context.startPermission();
    // plant: what-is-left-of-a-batch-is-started-after-stop
    if (permission !== "start") return permission;
    if (this.#dueMs(segment) <= this.#context.clock.monotonic() || this.#goneOf(segment) > 0)
      return "expired";
    return segment.notBeforeMs > this.#context.clock.monotonic() ? "pause" : undefined;
  }

  async #unblock(segment: Segment, blocked: Obstacle): Promise<Step> {
    const { clock, settings, stopSignal, telemetry } = this.#context;
    switch (blocked) {
      case "stop":
        return STOPPED;
      case "expired":
        return await this.#dropExpired(segment);
      case "leaseless":
      case "undurable":
        telemetry.mark(blocked === "leaseless" ? "lease expired locally" : "work waited for a checkpoint");
        this.#notes.does(blocked);
        await sleep(clock, settings.leaseRenewalMs / 4, stopSignal);
        return { kind: "next", segments: [segment] };
      case "pause": {
        // Wakes for the first expiry too: a record is given up when its age or the source says so, not with the next
        // retry.
        const lookAtMs = this.#watch?.lookAtMs ?? Number.POSITIVE_INFINITY;
        const untilMs = Math.min(this.#dueMs(segment), segment.notBeforeMs, lookAtMs);
        this.#notes.does("pausing");
        const isElapsed = await sleep(clock, Math.max(0, untilMs - clock.monotonic()), stopSignal);
        if (!isElapsed) telemetry.mark("retry wait cut short by stop");
        return { kind: "next", segments: [segment] };
      }
    }
  }

  #request(segment: Segment): Invocation {
    const { mapping, source, callSignal, clock } = this.#context;
    const window = this.#windowEvent(segment);
    const first = segment.records[0];
    const born = first && bornMs(first.record.arrivalMs, first.read);
    return {
      caller: this.#context.caller,
      requestId: segment.requestId,
      functionArn: mapping.functionArn,
      batch: {
        records: segment.records.length,
        isRetry: segment.isRetry,
        arrivalMs: born === undefined ? undefined : epochOf(clock)(born),
      },
      payload: () => {
        this.#notes.does("invoking");
        return source.events.encode(recordsOf(segment), window);
      },
      // plant: what-is-left-of-a-batch-is-started-after-stop-2
      mayStart: () => this.#context.startPermission() === "start",
      signal: callSignal,
      beginSpan: this.#beginSpan(segment),
    };
  }

  #beginSpan({ requestId, records }: Segment): Invocation["beginSpan"] {
    const trace = this.#trace;
    if (trace === undefined) return undefined;
    const { events } = this.#context.source;
    return () => trace.beginAttempt({ requestId, carriers: carriersOf(events, records) });
  }

  /** `problem`: never content of records or responses. */
  #report(problem: string | undefined, { requestId }: Segment, more: LogFields = {}): void {
    if (problem !== undefined) this.#notes.lastProblem = problem;
    this.#context.report(problem, { requestId, traceId: this.#trace?.traceId, ...more });
  }

  /** No event can hold it, or what stands before the function takes none of this size. */
  #tooLarge(segment: Segment): void {
    const { records } = segment;
    const { telemetry, mapping } = this.#context;
    telemetry.count("too_large_events", mapping.name, records.length);
    const bytes = records.reduce((sum, { record }) => sum + record.encodedBytes, 0);
    const place = { from: records[0]?.record.position, to: records.at(-1)?.record.position };
    this.#report("payloadTooLarge", segment, { records: records.length, bytes, ...place });
  }

  async #conclude(segment: Segment, outcome: InvocationOutcome): Promise<Step> {
    const { telemetry } = this.#context;
    switch (outcome.kind) {
      case "succeeded":
        segment.invocations++;
        segment.executedVersion = outcome.executedVersion;
        return await this.#returned(segment, outcome.payload);
      case "functionError":
      case "timedOut":
        segment.invocations++;
        segment.executedVersion = outcome.executedVersion;
        this.#report(outcome.kind === "timedOut" ? outcome.kind : outcome.errorType, segment);
        return await this.#failed(segment, UNHANDLED);
      case "payloadTooLarge":
        this.#tooLarge(segment);
        return await this.#refusedForSize(segment);
      case "throttled":
        this.#report(outcome.kind, segment);
        telemetry.mark("throttled attempt cost no retry");
        if (outcome.retryAfterMs !== undefined) telemetry.mark("retry-after honoured");
        // plant: a-throttle-costs-a-retry
        return this.#pause(segment, outcome.retryAfterMs ?? 0);
      case "unavailable":
        telemetry.mark("unavailable attempt cost no retry");
        this.#report(outcome.kind, segment, { error: outcome.message });
        this.#notes.lastProblem = `unavailable: ${outcome.message}`;
        return this.#pause(segment, 0);
    }
  }

  /** Throttles and unavailability cost no retry (streams §5.1). */
  #pause(segment: Segment, atLeastMs: number): Step {
    const { clock, settings, random, telemetry, mapping } = this.#context;
    telemetry.count("failed_invoke_events", mapping.name, segment.records.length);
    segment.pauses++;
    segment.isRetry = true;
    this.#noteTries(segment);
    // The cap is of our own back-off: who asks for more patience gets it, as far as its adapter lets it ask.
    const pauseMs = Math.max(atLeastMs, backoffMs(segment.pauses, settings, random));
    segment.notBeforeMs = clock.monotonic() + pauseMs;
    return { kind: "next", segments: [segment] };
  }

  async #returned(segment: Segment, payload: Uint8Array): Promise<Step> {
    const verdict = this.#verdict(segment, payload);
    const { telemetry } = this.#context;
    if (verdict.kind === "malformed") {
      telemetry.mark(
        verdict.reason.includes("`state`") ? "window state missing" : "partial response malformed",
      );
      this.#report(verdict.reason, segment);
      return await this.#failed(segment, NO_FUNCTION_ERROR);
    }
    this.#report(undefined, segment);
    if (verdict.kind === "succeeded") {
      this.#keepWindowState(segment, verdict.stateJson, segment.records);
      this.#context.settle(segment.records);
      return DONE;
    }
    const rule = this.#context.source.events.partialRetry ?? "fromFirst";
    const { settled, again } = splitByFailures(segment.records, verdict.failed, rule);
    this.#keepWindowState(segment, verdict.stateJson, settled);
    if (settled.length === 0) {
      telemetry.mark("partial response without progress");
      telemetry.count("partial_failures", this.#context.mapping.name, 1);
      this.#notes.lastProblem = PARTIAL;
      return await this.#failed(segment, NO_FUNCTION_ERROR);
    }
    telemetry.mark("partial response moved on");
    telemetry.count("partial_failures", this.#context.mapping.name, 1);
    this.#notes.lastProblem = PARTIAL;
    if (again.length > verdict.failed.size && rule === "listed") {
      telemetry.mark("listed record held back its key");
    }
    this.#context.settle(settled);
    telemetry.count("failed_invoke_events", this.#context.mapping.name, again.length);
    return { kind: "next", segments: [this.#retry(again, segment.depth)] };
  }

  #verdict(segment: Segment, payload: Uint8Array): BatchVerdict {
    const { mapping, source, shardId } = this.#context;
    return readResponse(payload, {
      reportBatchItemFailures: mapping.reportBatchItemFailures && segment.records.length > 0,
      expectsState: this.#window !== undefined && segment.windowEnd === "no",
      indexOf: recordFinder(segment.records, source, shardId),
    });
  }

  /** `settled`: what the state is made of now, of the records of the segment. */
  #keepWindowState(
    segment: Segment,
    stateJson: string | undefined,
    settled: readonly BufferedRecord[],
  ): void {
    const window = this.#window;
    if (window === undefined) return;
    if (segment.windowEnd === "no") {
      window.keepState(stateJson, settled.at(-1)?.record.position);
      return;
    }
    // A window that has had its last invocation is gone; one that ended early goes on.
    if (segment.windowEnd === "early") window.endedEarly();
    this.#context.windowChanged();
  }

  /**
   * Smaller parts may pass, whatever the mapping says of bisecting; one record can only be tried again and given up.
   */
  async #refusedForSize(segment: Segment): Promise<Step> {
    // plant: a-batch-whose-size-is-refused-is-not-split
    if (segment.records.length < 2) return await this.#failed(segment, undefined);
    const { telemetry, mapping } = this.#context;
    telemetry.mark("batch split by size that was refused");
    telemetry.count("failed_invoke_events", mapping.name, segment.records.length);
    // It costs no retry, and wins none back.
    return this.#bisect(segment, segment.failures);
  }

  /** A failure that counts: split, retry or give up. */
  async #failed(segment: Segment, response: FailureRecord["response"]): Promise<Step> {
    const { mapping, telemetry, clock, random, settings } = this.#context;
    telemetry.count("failed_invoke_events", mapping.name, segment.records.length);
    segment.failures++;
    segment.isRetry = true;
    segment.pauses = 0;
    this.#noteTries(segment);
    // plant: the-smallest-batches-are-not-split
    if (mapping.bisectBatchOnFunctionError && segment.records.length > 1) return this.#bisect(segment);
    // plant: one-retry-too-many
    // plant: one-retry-too-few
    if (mapping.retryAttemptsMax !== undefined && segment.failures > mapping.retryAttemptsMax) {
      telemetry.mark("retries exhausted");
      return await this.#discard(segment, segment.records, "RetryAttemptsExhausted", response);
    }
    const delayMs = backoffMs(segment.failures, settings, random);
    segment.notBeforeMs = clock.monotonic() + delayMs;
    if (telemetry.logsDebug) this.#tellRetry(segment, delayMs);
    return { kind: "next", segments: [segment] };
  }

  #tellRetry({ requestId, failures, records }: Segment, delayMs: number): void {
    const { telemetry, mapping, shardId } = this.#context;
    telemetry.log("debug", "a failed batch is tried again", {
      mapping: mapping.name,
      shardId,
      requestId,
      traceId: this.#trace?.traceId,
      failures,
      records: records.length,
      delayMs,
    });
  }

  /**
   * Left half first and to its end, then the right; no wait, and a fresh budget for each (decision 0026), unless said.
   */
  #bisect(segment: Segment, failures = 0): Step {
    const { telemetry, mapping } = this.#context;
    const depth = segment.depth + 1;
    // plant: batches-are-split-one-record-at-a-time
    const middle = Math.floor(segment.records.length / 2);
    telemetry.count("batch_splits", mapping.name, 1);
    if (depth === 5) telemetry.mark("bisect depth 5");
    if (segment.records.length % 2 === 1) telemetry.mark("odd batch bisected");
    const left = { ...this.#retry(segment.records.slice(0, middle), depth), failures };
    // plant: a-split-loses-a-record
    const right = { ...this.#retry(segment.records.slice(middle), depth), failures };
    // plant: the-right-half-of-a-split-batch-goes-first
    return { kind: "next", segments: [left, right] };
  }

  /**
   * Cuts expired records out before the next attempt; the rest goes on with what is left of its budget (streams §5.3).
   */
  async #dropExpired(segment: Segment): Promise<Step> {
    const { telemetry } = this.#context;
    if (segment.windowEnd !== "no") return await this.#discard(segment, [], "RecordAgeExceeded", undefined);
    const { aged, gone, live } = this.#sortExpired(segment);
    if (aged.length > 0) {
      telemetry.mark(
        segment.failures > 0 ? "record expired while retrying" : "record expired before invocation",
      );
      if (live.length > 0) telemetry.mark("expired records cut from a live batch");
      const step = await this.#discard(segment, aged, "RecordAgeExceeded", undefined);
      if (step.kind === "stopped") return step;
    }
    if (gone.length > 0) this.#giveUpToRetention(gone, segment);
    if (live.length === 0) return DONE;
    const { isRetry, failures, invocations, pauses, notBeforeMs } = segment;
    const kept = { isRetry, failures, invocations, pauses, notBeforeMs };
    const rest = { ...this.#segment(live, segment.depth, "no"), ...kept };
    return { kind: "next", segments: [rest] };
  }

  /** `aged` go to the destination, `gone` nowhere: the source has expired them first. Each keeps its order. */
  #sortExpired(segment: Segment) {
    const nowMs = this.#context.clock.monotonic();
    const first = segment.records[this.#goneOf(segment)];
    const aged: BufferedRecord[] = [];
    const gone: BufferedRecord[] = [];
    const live: BufferedRecord[] = [];
    for (const buffered of segment.records) {
      const isAged = this.#expiry.dueMs(buffered) <= nowMs;
      const isGone = first === undefined || buffered.ordinal < first.ordinal;
      // plant: records-that-are-too-old-are-forgotten
      (isAged ? aged : isGone ? gone : live).push(buffered);
    }
    return { aged, gone, live };
  }

  /** How many of its records, from the first on, the source serves no more. Asked only of what has been tried. */
  #goneOf({ isRetry, windowEnd, records }: Segment): number {
    if (!isRetry || windowEnd !== "no") return 0;
    this.#watch ??= new RetryWatch(this.#context);
    return this.#watch.goneOf(records);
  }

  /** The source has dropped them: "until the record expires" ends here, and AWS does not count them as dropped. */
  #giveUpToRetention(gone: readonly BufferedRecord[], { requestId }: Segment): void {
    const { telemetry, mapping, shardId } = this.#context;
    telemetry.mark("retention ended a retry");
    telemetry.count("expired_events", mapping.name, gone.length);
    telemetry.log("error", "records were given up: they failed until the source's retention ended", {
      mapping: mapping.name,
      shardId,
      requestId,
      traceId: this.#trace?.traceId,
      records: gone.length,
      from: gone[0]?.record.position,
      to: gone.at(-1)?.record.position,
    });
    this.#context.settle(gone);
  }

  async #discard(
    segment: Segment,
    records: readonly BufferedRecord[],
    condition: FailureCondition,
    response: FailureRecord["response"],
  ): Promise<Step> {
    const { delivery, stopSignal, callSignal } = this.#context;
    this.#notes.does("discarding");
    const invocations = condition === "RetryAttemptsExhausted" ? segment.failures : segment.invocations;
    const failure = failureRecordOf(this.#context, {
      records,
      requestId: segment.requestId,
      condition,
      approximateInvokeCount: Math.max(1, invocations),
      response: response && ofVersion(response, segment.executedVersion),
      window: this.#windowEvent(segment),
      windowPlace: this.#window?.placeOf(segment.windowEnd),
    });
    const carriers = () => carriersOf(this.#context.source.events, records);
    const traced = this.#trace && { trace: this.#trace, carriers };
    if (!(await delivery.discard(failure, stopSignal, callSignal, traced))) return STOPPED;
    if (this.#context.isClosed()) return STOPPED;
    if (segment.windowEnd !== "no") this.#keepWindowState(segment, undefined, []);
    this.#context.settle(records);
    return DONE;
  }

  #windowEvent(segment: Segment): TumblingWindow | undefined {
    return this.#window?.asEvent(this.#context.shardId, segment.windowEnd);
  }

  /**
   * How many of the records fit into one event. Lanes cut batches to fit; but the state of a tumbling window may have
   * grown since, and a single record may be too large for any event.
   */
  #fittingRecords({ records, windowEnd }: Segment): number {
    if (records.length > 1 && this.#window === undefined) return records.length;
    const { source, settings, shardId } = this.#context;
    const { events } = source;
    const window = this.#window?.asEvent(shardId, windowEnd);
    let bytes = window === undefined ? events.envelopeBytes(shardId) : events.encode([], window).length;
    let count = 0;
    for (const { record } of records) {
      bytes += record.encodedBytes + (count === 0 ? 0 : 1);
      if (bytes > settings.payloadBytesMax) break;
      count++;
    }
    return count;
  }

  /** No failure: the event would only be too large. An oversized first record goes alone. */
  #splitBySize(segment: Segment, fitting: number): Step {
    const first = segment.records.slice(0, Math.max(1, fitting));
    const rest = segment.records.slice(first.length);
    const { depth } = segment;
    const parts = [first, rest].map((part) => ({
      ...this.#segment(part, depth, "no"),
      isRetry: segment.isRetry,
    }));
    return { kind: "next", segments: parts };
  }

  /**
   * Monotonic time at which the mapping's record age ends the segment. A window's last invocation is a thing of its
   * own: its age runs from its first try, so that none is given up untried, however old the records before it are.
   */
  #dueMs({ windowEnd, records, triedFromMs }: Segment): number {
    if (windowEnd === "no") return this.#expiry.firstDueMs(records);
    // plant: a-windows-last-invocation-is-as-old-as-the-window
    if (triedFromMs === undefined) return Number.POSITIVE_INFINITY;
    return triedFromMs + (this.#context.mapping.recordAgeMsMax ?? Number.POSITIVE_INFINITY);
  }

  /** How long a last invocation has been tried goes into the checkpoint: a restart must not begin its age anew. */
  #noteTries({ triedFromMs }: Segment): void {
    if (triedFromMs === undefined) return;
    this.#window?.tried(this.#context.clock.monotonic() - triedFromMs);
    this.#context.windowChanged();
  }
}

function recordsOf(segment: Segment) {
  return segment.records.map(({ record }) => record);
}

function ofVersion(response: NonNullable<FailureRecord["response"]>, executedVersion: string | undefined) {
  return executedVersion === undefined ? response : { ...response, executedVersion };
}
