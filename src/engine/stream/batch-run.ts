import { backoffMs } from "../../lib/back-off.ts";
import type { FailureCondition, FailureRecord } from "../../model/failure-record.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { BatchExplanation } from "../explanation.ts";
import { AttemptNotes } from "../invoke/attempt-notes.ts";
import { BatchTrace } from "../trace/batch-trace.ts";
import { AttemptGate } from "./attempt-gate.ts";
import { BatchCall } from "./batch-call.ts";
import { BatchTelling } from "./batch-telling.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import {
  type Again,
  type AttemptResult,
  type Decision,
  decide,
  type GiveUp,
  type Split,
  settledBy,
} from "./decision.ts";
import { deliverDiscarded } from "./discarded-batch.ts";
import { fateOf, type RestOf, takeOfKey } from "./exhausted-batch.ts";
import { sortExpired } from "./expiry.ts";
import { attemptedPart, newSegment, type Segment, withoutExpired } from "./segment.ts";
import type { ShardContext } from "./shard-context.ts";
import { DONE, STOPPED, type Step } from "./step.ts";
import { damageOf } from "./throwing-source.ts";
import type { OpenWindow, WindowEnd } from "./tumbling-window.ts";

type Succeeded = Extract<InvocationOutcome, { readonly kind: "succeeded" }>;

/**
 * Brings one batch of a lane to its end: attempts, retries, bisect, partial responses, expiry, failure records (streams
 * §5). What an attempt comes to is decided in `decision.ts`; here it is done. Parts of a batch run strictly in order,
 * so nothing of the lane overtakes a record that is being retried.
 */
export class BatchRun {
  readonly #context: ShardContext;
  readonly #window: OpenWindow | undefined;
  readonly #trace: BatchTrace | undefined;
  readonly #notes: AttemptNotes;
  readonly #tell: BatchTelling;
  readonly #gate: AttemptGate;
  readonly #call: BatchCall;
  /** Parts that are not done, the next one last, and the one that is tried now. */
  #stack: Segment[] = [];
  #current: Segment | undefined;

  constructor(context: ShardContext, window: OpenWindow | undefined) {
    this.#context = context;
    this.#window = window;
    this.#trace = context.tracer && new BatchTrace(context.tracer);
    this.#notes = new AttemptNotes(context.clock);
    this.#tell = new BatchTelling(context, this.#notes, this.#trace);
    this.#gate = new AttemptGate(context, this.#notes);
    this.#call = new BatchCall(context, window, this.#notes, this.#trace);
  }

  explain(): BatchExplanation | undefined {
    const segment = this.#current;
    if (segment === undefined) return undefined;
    return this.#notes.explain(attemptedPart(segment, this.#stack));
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
      const step = await this.#step(segment);
      if (step.kind === "stopped") return false;
      // plant: parts-of-a-batch-are-pushed-in-the-wrong-order
      if (step.kind === "next") stack.push(...step.segments.toReversed());
    }
    return true;
  }

  #segment(records: readonly BufferedRecord[], depth: number, windowEnd: WindowEnd): Segment {
    const requestId = this.#context.requestIdOf?.(records) ?? this.#context.random.uuid();
    const triedForMs = windowEnd === "no" ? 0 : (this.#window?.triedForMs ?? 0);
    const triedFromMs = triedForMs === 0 ? undefined : this.#context.clock.monotonic() - triedForMs;
    return newSegment(records, requestId, { depth, windowEnd, triedFromMs });
  }

  async #step(segment: Segment): Promise<Step> {
    const blocked = this.#gate.blockedBy(segment);
    if (blocked === "stop") return STOPPED;
    if (blocked === "expired") return await this.#dropExpired(segment);
    if (blocked !== undefined) {
      await this.#gate.wait(segment, blocked);
      return { kind: "next", segments: [segment] };
    }
    const damaged = segment.records.findIndex((each) => damageOf(each) !== undefined);
    if (damaged >= 0) return await this.#giveUpDamaged(segment, damaged);
    const fitting = this.#call.fittingRecords(segment);
    if (fitting === 0 && segment.records.length === 1) return await this.#oversized(segment);
    if (fitting < segment.records.length) return this.#splitBySize(segment, fitting);
    return await this.#attempt(segment);
  }

  /** Cuts expired records out before the next attempt; the rest goes on with its budget (streams §5.3). */
  async #dropExpired(segment: Segment): Promise<Step> {
    const { telemetry, expiry, clock, random } = this.#context;
    if (segment.windowEnd !== "no") return await this.#discard(segment, [], "RecordAgeExceeded", undefined);
    const nowMs = clock.monotonic();
    const { aged, gone, live } = sortExpired(segment.records, expiry, this.#gate.goneOf(segment), nowMs);
    if (aged.length > 0) {
      telemetry.mark(
        segment.failures > 0 ? "record expired while retrying" : "record expired before invocation",
      );
      if (live.length > 0) telemetry.mark("expired records cut from a live batch");
      const step = await this.#discard(segment, aged, "RecordAgeExceeded", undefined);
      if (step.kind === "stopped") return step;
    }
    if (gone.length > 0) {
      this.#tell.retentionEnded(gone, segment);
      this.#context.settle(gone);
    }
    if (live.length === 0) return DONE;
    const rest = withoutExpired(segment, live, random.uuid());
    this.#notes.goesOn(segment.requestId, rest.requestId);
    return { kind: "next", segments: [rest] };
  }

  /** A record that no function can have goes alone, into the destination. */
  async #giveUpDamaged(segment: Segment, index: number): Promise<Step> {
    // plant: a-damaged-record-takes-its-batch-with-it
    if (segment.records.length > 1) return this.#splitBySize(segment, index);
    this.#tell.damaged(segment.records[0]);
    return await this.#discard(segment, segment.records, "MaximumPayloadSizeExceeded", undefined);
  }

  /** A single record that no event can hold. */
  async #oversized(segment: Segment): Promise<Step> {
    this.#context.telemetry.mark("oversized record");
    this.#tell.tooLarge(segment);
    if (this.#context.source.description.oversizedRecord === "givenUp") {
      return await this.#discard(segment, segment.records, "MaximumPayloadSizeExceeded", undefined);
    }
    return await this.#carryOut(segment, this.#decide(segment, { kind: "oversized" }));
  }

  /** No failure: the event would only be too large. An oversized first record goes alone. */
  #splitBySize({ records, depth, isRetry }: Segment, fitting: number): Step {
    const first = records.slice(0, Math.max(1, fitting));
    const rest = records.slice(first.length);
    const parts = [first, rest].map((part) => ({ ...this.#segment(part, depth, "no"), isRetry }));
    return { kind: "next", segments: parts };
  }

  // An attempt, and what comes of it.

  async #attempt(segment: Segment): Promise<Step> {
    this.#notes.does("queued");
    const startedMs = this.#context.clock.monotonic();
    const result = await this.#call.invoke(segment);
    if (result === undefined) return { kind: "next", segments: [segment] };
    if (this.#context.isClosed()) return STOPPED;
    if (result.kind === "notStarted") return { kind: "next", segments: [segment] };
    const isBegun = segment.windowEnd === "no" || segment.triedFromMs !== undefined;
    const tried = isBegun ? segment : { ...segment, triedFromMs: startedMs };
    if (result.kind === "succeeded") return await this.#returned(tried, result);
    this.#tell.outcome(tried, result);
    return await this.#carryOut(tried, this.#decide(tried, result));
  }

  async #returned(segment: Segment, { payload, executedVersion }: Succeeded): Promise<Step> {
    const { events } = this.#context.source;
    const verdict = this.#call.verdictOn(segment, payload);
    const partialRetry = events.partialRetry ?? "fromFirst";
    const decision = this.#decide(segment, { kind: "answered", verdict, partialRetry, executedVersion });
    this.#tell.verdict(segment, verdict, decision);
    if (verdict.kind !== "malformed")
      this.#keepWindowState(segment, verdict.stateJson, settledBy(segment, decision));
    return await this.#carryOut(segment, decision);
  }

  #decide(segment: Segment, result: AttemptResult): Decision {
    return decide(segment, result, this.#context.mapping, this.#context.clock.monotonic());
  }

  async #carryOut(segment: Segment, decision: Decision): Promise<Step> {
    switch (decision.kind) {
      case "settle":
        this.#context.parking?.succeeded();
        this.#context.settle(segment.records);
        return DONE;
      case "moveOn": {
        this.#context.parking?.succeeded();
        this.#context.settle(decision.settled);
        this.#tell.failed(decision.again.length);
        return { kind: "next", segments: [this.#retried(decision.again, segment.depth)] };
      }
      case "again":
        this.#failed(decision);
        return this.#pause(decision);
      case "split":
        this.#failed(decision);
        return this.#split(decision);
      case "giveUp": {
        this.#failed(decision);
        this.#context.telemetry.mark("retries exhausted");
        return await this.#giveUp(decision);
      }
    }
  }

  async #giveUp(decision: GiveUp): Promise<Step> {
    const { segment, condition, response } = decision;
    const rest: RestOf = (later, left) => withoutExpired(later, left, this.#context.random.uuid());
    const followers = (key: string) => takeOfKey(this.#stack, key, rest);
    const fate = await fateOf(this.#context, decision, this.#notes, followers);
    switch (fate.kind) {
      case "givenUp":
        return await this.#discard(segment, segment.records, condition, response);
      case "blocked":
        return this.#pause(fate.again);
      case "split":
        return { kind: "next", segments: fate.parts.map((part) => this.#retried(part, segment.depth + 1)) };
      default:
        return fate;
    }
  }

  #retried(records: readonly BufferedRecord[], depth: number): Segment {
    return { ...this.#segment(records, depth, "no"), isRetry: true };
  }

  #failed({ segment, triedForMs }: Again | Split | GiveUp): void {
    this.#tell.failed(segment.records.length);
    this.#current = segment;
    if (triedForMs === undefined) return;
    // How long a last invocation has been tried goes into the checkpoint: a restart must not begin its age anew.
    this.#window?.tried(triedForMs);
    this.#context.windowChanged();
  }

  #pause({ segment, costsRetry, backoff }: Again): Step {
    const { clock, settings, random } = this.#context;
    // The cap is of our own back-off: who asks for more patience gets it, as far as its adapter lets it ask.
    const delayMs = Math.max(backoff.atLeastMs, backoffMs(backoff.tries, settings, random));
    if (costsRetry) this.#tell.retry(segment, delayMs);
    return { kind: "next", segments: [{ ...segment, notBeforeMs: clock.monotonic() + delayMs }] };
  }

  #split({ segment, halves, failures }: Split): Step {
    this.#tell.split(segment);
    const depth = segment.depth + 1;
    const segments = halves.map((half) => ({ ...this.#retried(half, depth), failures }));
    return { kind: "next", segments };
  }

  #keepWindowState(
    { windowEnd }: Segment,
    stateJson: string | undefined,
    over: readonly BufferedRecord[],
  ): void {
    this.#window?.handedOn(windowEnd, stateJson, over.at(-1)?.record.position);
    if (this.#window !== undefined && windowEnd !== "no") this.#context.windowChanged();
  }

  async #discard(
    segment: Segment,
    records: readonly BufferedRecord[],
    condition: FailureCondition,
    response: FailureRecord["response"],
  ): Promise<Step> {
    const { park } = this.#context;
    if (park !== undefined) {
      park(records, condition, segment.cause);
      return DONE;
    }
    this.#notes.does("discarding");
    const batch = { segment, records, condition, response, window: this.#window, trace: this.#trace };
    if (!(await deliverDiscarded(this.#context, batch))) return STOPPED;
    if (this.#context.isClosed()) return STOPPED;
    // plant: what-a-window-gives-up-tells-its-ends-not-apart
    this.#keepWindowState(segment, undefined, records);
    this.#context.settle(records);
    return DONE;
  }
}
