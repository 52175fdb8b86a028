import { type AttemptState, FUNCTION_LANE, type LastAttempt } from "../../model/async-item.ts";
import { ASYNC_CALLER } from "../../model/caller.ts";
import { errorBodyOf, failureOf } from "../../model/error-body.ts";
import { cutText, ERROR_MESSAGE_BYTES_MAX } from "../../model/function-error.ts";
import type { InvokeConfig } from "../../model/invoke-config.ts";
import { isJson } from "../../model/json-check.ts";
import { passedOnce } from "../../model/lineage.ts";
import type { OutcomeOfRun } from "../../model/outcome.ts";
import type { AsyncFunction } from "../../ports/async-functions.ts";
import type { InvocationResult } from "../../ports/invoker.ts";
import type { AsyncParts } from "./async-parts.ts";
import { type AttemptResult, ageEndMs, decideAttempt, type Ending } from "./attempt-decision.ts";
import { itemsOfEnding } from "./destinations-of.ts";
import type { HeldItem } from "./held-items.ts";
import { settle } from "./item-settlement.ts";
import { throttlePauseMs } from "./retry-times.ts";

/** What a record keeps of a function's answer; AWS's bound of what it returns asynchronously. */
const PAYLOAD_KEPT_BYTES_MAX = 64 * 1024;
const LATEST = "$LATEST";
const UNHANDLED = "Unhandled";

/** What an attempt came to, and what a record shows of it. */
interface Attempted {
  readonly result: AttemptResult;
  /** What it answered, if it succeeded. */
  readonly answer?: LastAttempt;
}

/** One attempt of one event, from its hold to its end in the queue. */
export class EventRun {
  readonly #parts: AsyncParts;
  readonly #held: HeldItem;
  readonly #state: AttemptState;
  readonly #name: string;
  #wasAged = false;

  constructor(held: HeldItem, state: AttemptState, parts: AsyncParts) {
    this.#parts = parts;
    this.#held = held;
    this.#state = state;
    this.#name = held.item.lane.slice(FUNCTION_LANE.length);
  }

  async run(): Promise<void> {
    const { functions, clock } = this.#parts;
    const { qualifier } = this.#held.item;
    // Looked up before each attempt: what its name means, and how it is retried, may be another.
    const before = functions.find(this.#name, qualifier);
    const attempted = await this.#attempt(before, this.#configOf(before));
    const fn = functions.find(this.#name, qualifier);
    const config = this.#configOf(fn);
    const ending = decideAttempt(this.#state, attempted.result, config, clock.now());
    await this.#end(ending, attempted, fn, config);
  }

  /** What came with the event stands for what its function says. */
  #configOf(fn: AsyncFunction | undefined): InvokeConfig {
    const { maximumRetryAttempts, maximumEventAgeSeconds } = this.#state.policy ?? {};
    return {
      ...fn?.config,
      ...(maximumRetryAttempts === undefined ? {} : { maximumRetryAttempts }),
      ...(maximumEventAgeSeconds === undefined ? {} : { maximumEventAgeSeconds }),
    };
  }

  async #attempt(fn: AsyncFunction | undefined, config: InvokeConfig): Promise<Attempted> {
    const { clock, functions, invoker, telemetry, ending } = this.#parts;
    const { item } = this.#held;
    // plant: an-event-of-zero-concurrency-goes-to-the-door
    if (fn?.isZero === true) return { result: { kind: "zeroConcurrency" } };
    const endMs = ageEndMs(this.#state, config);
    if (clock.now() > endMs) return { result: { kind: "aged" } };
    if (fn === undefined) return { result: { kind: "failed", last: this.#gone() } };
    const state = this.#state;
    const result = await invoker.invoke({
      caller: ASYNC_CALLER,
      // plant: the-request-id-of-an-event-is-renewed
      requestId: item.id,
      functionArn: functions.arnOf(this.#name, item.qualifier),
      payload: () => {
        telemetry.asyncAge(this.#name, Math.max(0, clock.now() - state.acceptedMs) / 1000);
        return item.body;
      },
      mayStart: () => this.#mayStart(endMs),
      signal: ending,
      carrier: state.trace,
      // plant: a-chain-of-events-is-never-cut
      lineage: state.lineage,
    });
    return this.#attempted(result);
  }

  /** Waiting for a turn is waiting in the queue: the age is asked again. */
  #mayStart(endMs: number): boolean {
    const { clock, held, stopping } = this.#parts;
    this.#wasAged = clock.now() > endMs;
    // plant: an-event-starts-after-its-hold-has-ended
    return !stopping.aborted && held.isHeld(this.#held) && !this.#wasAged;
  }

  #attempted(result: InvocationResult): Attempted {
    switch (result.kind) {
      case "succeeded": {
        const { executedVersion = LATEST, payload } = result;
        return {
          result: { kind: "succeeded" },
          answer: { statusCode: 200, executedVersion, payload: answerText(payload) },
        };
      }
      case "functionError":
      case "timedOut":
        return { result: { kind: "failed", last: this.#failed(result) } };
      case "payloadTooLarge": {
        const message = "The function does not take a payload of this size.";
        return { result: { kind: "failed", last: { statusCode: 413, functionError: UNHANDLED, message } } };
      }
      case "throttled":
        return this.#heldBack(429, "Rate Exceeded.", result.retryAfterMs);
      case "unavailable":
        return this.#heldBack(500, "The function cannot be reached.");
      case "notStarted":
        return { result: { kind: this.#wasAged ? "aged" : "notStarted" } };
      case "refused":
        return this.#refused(result.why);
    }
  }

  #refused(why: Extract<InvocationResult, { kind: "refused" }>["why"]): Attempted {
    switch (why) {
      case "zeroConcurrency":
        return { result: { kind: "zeroConcurrency" } };
      case "noSuchFunction":
        return { result: { kind: "failed", last: this.#gone() } };
      case "recursion": {
        const message = "The function was called in a loop: the chain of its events was cut.";
        return { result: { kind: "recursion", last: { statusCode: 400, message } } };
      }
      case "notReady":
        return this.#heldBack(502, "The function cannot be opened.");
      case "reservedConcurrency":
      case "concurrency":
      case "accountConcurrency":
        return this.#heldBack(429, "Rate Exceeded.");
    }
  }

  #heldBack(statusCode: number, message: string, retryAfterMs?: number): Attempted {
    const pauseMs = throttlePauseMs(this.#state.throttles + 1, retryAfterMs, this.#parts.random);
    return { result: { kind: "held", last: { statusCode, message }, pauseMs } };
  }

  #gone(): LastAttempt {
    const { qualifier } = this.#held.item;
    const arn = this.#parts.functions.arnOf(this.#name, qualifier === "" ? LATEST : qualifier);
    return { statusCode: 404, message: `Function not found: ${arn}` };
  }

  #failed(outcome: Exclude<OutcomeOfRun, { kind: "succeeded" }>): LastAttempt {
    const { functions } = this.#parts;
    const { executedVersion = LATEST } = outcome;
    const timeoutMs = functions.timeoutMs(this.#name, executedVersion);
    const call = { requestId: this.#held.item.id, timeoutMs };
    const payload = JSON.stringify(errorBodyOf(outcome, call));
    const { errorMessage } = failureOf(outcome, call);
    return {
      statusCode: 200,
      executedVersion,
      functionError: UNHANDLED,
      message: cutText(errorMessage, ERROR_MESSAGE_BYTES_MAX, "beginning"),
      payload: payload.length > PAYLOAD_KEPT_BYTES_MAX ? undefined : payload,
    };
  }

  async #end(
    ending: Ending,
    { answer }: Attempted,
    fn: AsyncFunction | undefined,
    config: InvokeConfig,
  ): Promise<void> {
    const { queue } = this.#parts;
    const { item } = this.#held;
    const change = (settlement: () => ReturnType<typeof queue.release>) =>
      settle(this.#held, settlement, this.#parts);
    switch (ending.kind) {
      case "release":
        await queue.release(item, 0).catch(() => undefined);
        return;
      case "retry": {
        // plant: the-settings-of-an-event-are-read-once
        const { state, delayMs } = ending;
        // plant: a-retry-keeps-the-state-of-before
        await change(() => queue.retry(item, state, delayMs));
        return;
      }
      case "succeeded": {
        const next = this.#next("Success", 1, answer, fn, config);
        // plant: what-an-event-ends-in-is-put-behind-its-end
        // plant: what-an-event-ends-in-is-put-before-its-end
        const end = await change(() => queue.finish(item, next));
        if (end !== "lost") this.#parts.onPut(next);
        return;
      }
      case "giveUp": {
        const { condition, attempts, last } = ending;
        const next = this.#next(condition, attempts, last, fn, config);
        if ((await change(() => queue.finish(item, next))) === "lost") return;
        this.#parts.onPut(next);
        this.#tell(ending, next.length);
        return;
      }
    }
  }

  #next(
    condition: string,
    attempts: number,
    response: LastAttempt | undefined,
    fn: AsyncFunction | undefined,
    config: InvokeConfig,
  ) {
    const { functions, destinations, random, clock, queue } = this.#parts;
    const { id, qualifier, body } = this.#held.item;
    const functionArn = functions.arnOf(this.#name, qualifier === "" ? LATEST : qualifier);
    const nowMs = clock.now();
    const record = {
      ...{ requestId: id, functionArn, condition, attempts, requestPayload: body, response },
      timestampMs: nowMs,
    };
    const { lineage, trace, policy } = this.#state;
    const ended = {
      ...{ record, config, policy, functionName: this.#name },
      isSuccess: condition === "Success",
      deadLetter: fn?.deadLetterOf(response?.executedVersion),
      lineage: passedOnce(lineage, functionArn),
      traceHeader: trace?.xray,
    };
    const { bodyBytesMax } = queue.description;
    return itemsOfEnding(ended, { destinations, random, nowMs, bodyBytesMax });
  }

  /** A chain that was cut is told loudly: on AWS users were hit by it in silence. */
  #tell({ condition, attempts, last }: Extract<Ending, { kind: "giveUp" }>, routes: number): void {
    const { telemetry } = this.#parts;
    const fields = { function: this.#name, requestId: this.#held.item.id, condition, attempts, routes };
    telemetry.asyncCount("async_events_dropped", this.#name, 1);
    if (condition === "RecursiveInvocation") {
      telemetry.asyncCount("recursive_invocations_dropped", this.#name, 1);
      const message =
        "an event was given up: its chain has passed the function too often. End the loop, or allow it (recursiveLoop: Allow)";
      telemetry.log("error", message, fields);
      return;
    }
    const told = { ...fields, statusCode: last?.statusCode };
    if (routes > 0) telemetry.log("warn", "an event was given up: its destinations are told", told);
    else
      telemetry.log(
        "error",
        "an event was given up, and nobody is told: its function has no destination",
        told,
      );
  }
}

/** JSON, whatever the function wrote. */
function answerText(payload: Uint8Array): string {
  if (payload.length === 0) return "null";
  const text = new TextDecoder().decode(payload);
  return isJson(payload) ? text : JSON.stringify(text);
}
