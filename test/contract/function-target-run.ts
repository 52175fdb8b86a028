import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../../src/ports/function-target.ts";
import type { ResponseSink } from "../../src/ports/response-sink.ts";

/**
 * What a function under test is told by its event. A harness brings a function that knows the tasks named in
 * `supports`.
 */
export type FunctionTask =
  /** Returns the whole event. */
  | { readonly task: "echo"; readonly value?: unknown }
  /** Returns null. */
  | { readonly task: "returnNull" }
  /** Returns a JSON string of exactly so many bytes, quotes included. */
  | { readonly task: "returnBytes"; readonly bytes: number }
  /** Answers with this text, which need not be JSON. */
  | { readonly task: "returnText"; readonly text: string }
  /** Fails with an error of this name and message. */
  | { readonly task: "throw"; readonly errorType: string; readonly message: string }
  /** Never answers, but leaves its runtime responsive. */
  | { readonly task: "hang" }
  /** Never answers, in an endless loop. */
  | { readonly task: "block" }
  /** Begins to answer and never comes to an end. */
  | { readonly task: "trickle" }
  /** Ends the function's process or thread. */
  | { readonly task: "exit" }
  /** Breaks the connection after the request was received. */
  | { readonly task: "reset" }
  /** Writes these pieces, each when the file before it is there, and then ends so. */
  | {
      readonly task: "stream";
      readonly pieces: readonly { readonly text: string; readonly after?: string }[];
      readonly ending: "end" | "throw" | "hang" | "exit";
    }
  /** The target refuses for lack of capacity. */
  | { readonly task: "throttle"; readonly retryAfterSeconds?: number }
  /** The target says that it cannot start the function. */
  | { readonly task: "refuse" }
  /** The target says that the payload is too large. */
  | { readonly task: "rejectSize" };

export type Behaviour = FunctionTask["task"];

export interface FunctionTargetFixture {
  readonly target: FunctionTarget;
  /** Lets time pass for the target, where its time is virtual. Without it time passes by itself. */
  advance?(ms: number): Promise<void>;
  /** The target's wall clock, where it is not the machine's. */
  now?(): number;
  /** How often the function was started since the fixture was made, where the harness can tell. */
  executions?(): number;
  /** Ends the target and all that the harness made around it. */
  close(): Promise<void>;
}

export interface FunctionTargetHarness {
  create(): Promise<FunctionTargetFixture>;
  readonly supports: ReadonlySet<Behaviour>;
  /** Nobody tells it whether the function streams: to a sink it hands what is returned, too. */
  readonly takesAllForStreams?: boolean;
}

export const AMPLE_MS = 30_000;
/** The port's allowance behind a deadline and behind an abort. */
export const GRACE_MS = 1000;

export function behaviour(
  harness: FunctionTargetHarness,
  needs: readonly Behaviour[],
  sentence: string,
  prove: (run: ContractRun) => Promise<void>,
): void {
  if (!needs.every((need) => harness.supports.has(need))) return;
  test(sentence, async () => {
    const run = new ContractRun(await harness.create());
    try {
      await prove(run);
    } finally {
      await run.fixture.close();
    }
  });
}

export class ContractRun {
  readonly fixture: FunctionTargetFixture;
  readonly signal = new AbortController().signal;
  #calls = 0;

  constructor(fixture: FunctionTargetFixture) {
    this.fixture = fixture;
  }

  get target(): FunctionTarget {
    return this.fixture.target;
  }

  invoke(task: FunctionTask, timeoutMs = AMPLE_MS): Promise<InvocationOutcome> {
    return this.invokeRaw(encode(task), timeoutMs);
  }

  invokeRaw(payload: Uint8Array, timeoutMs: number): Promise<InvocationOutcome> {
    const call = this.target.invoke(payload, this.#context(timeoutMs), this.signal);
    return this.settle(call, timeoutMs + GRACE_MS);
  }

  start(
    task: FunctionTask,
    timeoutMs: number,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    return this.target.invoke(encode(task), this.#context(timeoutMs), signal, sink);
  }

  /** A call whose response goes to a sink. */
  stream(task: FunctionTask, sink: ResponseSink, timeoutMs = AMPLE_MS): Promise<InvocationOutcome> {
    return this.settle(this.start(task, timeoutMs, this.signal, sink), timeoutMs + GRACE_MS);
  }

  /** Under virtual time: the promise must settle before so much of it has passed. */
  async settle<T>(promise: Promise<T>, withinMs: number): Promise<T> {
    if (this.fixture.advance === undefined) return promise;
    let isSettled = false;
    const watched = promise.finally(() => {
      isSettled = true;
    });
    for (let passedMs = 0; passedMs < withinMs && !isSettled; passedMs += STEP_MS) {
      await this.fixture.advance(Math.min(STEP_MS, withinMs - passedMs));
    }
    assert.ok(isSettled, `the call had not ended after ${withinMs} ms`);
    return watched;
  }

  executions(): number {
    return this.fixture.executions?.() ?? 0;
  }

  assertExecutions(before: number, expected: number): void {
    if (this.fixture.executions === undefined) return;
    assert.equal(this.executions() - before, expected, "executions of the function");
  }

  async assertStillWorks(): Promise<void> {
    assert.deepEqual(succeeded(await this.invoke({ task: "echo", value: "next" })), {
      task: "echo",
      value: "next",
    });
  }

  #context(timeoutMs: number): InvocationContext {
    this.#calls += 1;
    return {
      requestId: `00000000-0000-4000-8000-${String(this.#calls).padStart(12, "0")}`,
      functionName: "contract",
      functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:contract",
      deadlineMs: (this.fixture.now?.() ?? Date.now()) + timeoutMs,
      timeoutMs,
    };
  }
}

const STEP_MS = 100;

export function encode(task: FunctionTask): Uint8Array {
  return Buffer.from(JSON.stringify(task));
}

export function succeeded(outcome: InvocationOutcome): unknown {
  assert.ok(outcome.kind === "succeeded", `succeeded expected, got ${JSON.stringify(outcome)}`);
  return JSON.parse(Buffer.from(outcome.payload).toString());
}
