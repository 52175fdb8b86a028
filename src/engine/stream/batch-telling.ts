import { reducedErrorType } from "../../model/function-error.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { InvocationResult } from "../../ports/invoker.ts";
import type { LogFields } from "../../ports/telemetry.ts";
import type { AttemptFailure } from "../explanation.ts";
import type { AttemptNotes } from "../invoke/attempt-notes.ts";
import { refusalCode } from "../invoke/refusal-code.ts";
import type { BatchVerdict } from "../invoke/response.ts";
import type { BatchTrace } from "../trace/batch-trace.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { Decision } from "./decision.ts";
import type { Segment } from "./segment.ts";
import type { ShardContext } from "./shard-context.ts";
import { damageOf } from "./throwing-source.ts";

const LISTED = "the function listed failures";

/** What a batch tells of itself on its way: never content of records or responses. */
export class BatchTelling {
  readonly #context: ShardContext;
  readonly #notes: AttemptNotes;
  readonly #trace: BatchTrace | undefined;

  constructor(context: ShardContext, notes: AttemptNotes, trace: BatchTrace | undefined) {
    this.#context = context;
    this.#notes = notes;
    this.#trace = trace;
  }

  /** How an attempt went: `undefined`, or in a word what went wrong. */
  attempt(
    problem: string | undefined,
    { requestId }: Segment,
    more: LogFields & { readonly errorId?: string | undefined } = {},
    code: AttemptFailure = "functionFails",
  ): void {
    const { errorId } = more;
    if (problem !== undefined) this.#notes.fails(problem, { errorId, failure: { requestId, code } });
    this.#context.report(problem, { requestId, traceId: this.#trace?.traceId, ...more });
  }

  /** Anything but a success. */
  outcome(segment: Segment, outcome: Exclude<InvocationResult, { kind: "succeeded" | "notStarted" }>): void {
    const { telemetry } = this.#context;
    switch (outcome.kind) {
      case "functionError":
      case "timedOut":
        this.#failure(segment, outcome);
        return;
      case "payloadTooLarge":
        this.tooLarge(segment);
        if (segment.records.length > 1) telemetry.mark("batch split by size that was refused");
        return;
      case "throttled":
        this.attempt(outcome.kind, segment, {}, "functionThrottled");
        telemetry.mark("throttled attempt cost no retry");
        if (outcome.retryAfterMs !== undefined) telemetry.mark("retry-after honoured");
        return;
      case "refused":
        this.attempt(outcome.why, segment, {}, refusalCode(outcome.why));
        return;
      case "unavailable":
        telemetry.mark("unavailable attempt cost no retry");
        this.attempt(outcome.kind, segment, { error: outcome.message }, "functionUnavailable");
        this.#notes.fails(`unavailable: ${outcome.message}`);
    }
  }

  #failure(
    segment: Segment,
    failure: Extract<InvocationOutcome, { kind: "functionError" | "timedOut" }>,
  ): void {
    const { errorId } = failure;
    const errorType = failure.kind === "timedOut" ? failure.kind : reducedErrorType(failure.errorType);
    const code = failure.kind === "timedOut" ? "functionTimesOut" : "functionFails";
    this.attempt(errorType, segment, { errorType, errorId }, code);
  }

  verdict(segment: Segment, verdict: BatchVerdict, decision: Decision): void {
    const { telemetry, mapping } = this.#context;
    if (verdict.kind === "malformed") {
      telemetry.mark(verdict.isOfState ? "window state missing" : "partial response malformed");
      const code = verdict.isOfState ? "windowStateMissing" : "malformedResponse";
      this.attempt(verdict.reason, segment, {}, code);
      return;
    }
    this.attempt(undefined, segment);
    if (verdict.kind === "succeeded") return;
    telemetry.count("partial_failures", mapping.name, 1);
    this.#notes.fails(LISTED);
    if (decision.kind !== "moveOn") {
      const { requestId } = segment;
      this.#notes.fails(LISTED, { failure: { requestId, code: "partialWithoutProgress" } });
      telemetry.mark("partial response without progress");
      return;
    }
    telemetry.mark("partial response moved on");
    if (decision.again.length > verdict.failed.size && decision.rule === "listed") {
      telemetry.mark("listed record held back its key");
    }
  }

  /** No event can hold it, or what stands before the function takes none of this size. */
  tooLarge(segment: Segment): void {
    const { records } = segment;
    const { telemetry, mapping } = this.#context;
    telemetry.count("too_large_events", mapping.name, records.length);
    const bytes = records.reduce((sum, { record }) => sum + record.encodedBytes, 0);
    const fields = { records: records.length, bytes, ...placeOf(records) };
    this.attempt("payloadTooLarge", segment, fields, "payloadTooLarge");
  }

  failed(records: number): void {
    const { telemetry, mapping } = this.#context;
    telemetry.count("failed_invoke_events", mapping.name, records);
  }

  retry({ requestId, failures, records }: Segment, delayMs: number): void {
    const { telemetry, mapping, shardId } = this.#context;
    if (!telemetry.logsDebug) return;
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

  /** Before it is split. */
  split({ records, depth }: Segment): void {
    const { telemetry, mapping } = this.#context;
    telemetry.count("batch_splits", mapping.name, 1);
    if (depth + 1 === 5) telemetry.mark("bisect depth 5");
    if (records.length % 2 === 1) telemetry.mark("odd batch bisected");
  }

  damaged(first: BufferedRecord | undefined): void {
    const { telemetry, mapping, shardId } = this.#context;
    telemetry.mark("damaged record given up");
    const reason = first && damageOf(first);
    const fields = { mapping: mapping.name, shardId, from: first?.record.position, reason };
    telemetry.log("error", "a record cannot be given to the function; it is given up", fields);
    this.#notes.fails("payloadTooLarge");
  }

  /** The source has dropped them: "until the record expires" ends here, and AWS does not count them as dropped. */
  retentionEnded(gone: readonly BufferedRecord[], { requestId }: Segment): void {
    const { telemetry, mapping, shardId } = this.#context;
    telemetry.mark("retention ended a retry");
    telemetry.count("expired_events", mapping.name, gone.length);
    telemetry.log("error", "records were given up: they failed until the source's retention ended", {
      mapping: mapping.name,
      shardId,
      requestId,
      traceId: this.#trace?.traceId,
      records: gone.length,
      ...placeOf(gone),
    });
  }
}

function placeOf(records: readonly BufferedRecord[]) {
  return { from: records[0]?.record.position, to: records.at(-1)?.record.position };
}
