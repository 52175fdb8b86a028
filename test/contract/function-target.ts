import assert from "node:assert/strict";
import { describe } from "node:test";
import { RESPONSE_BYTES_MAX } from "../../src/model/limits.ts";
import {
  AMPLE_MS,
  behaviour,
  encode,
  type FunctionTargetHarness,
  GRACE_MS,
  succeeded,
} from "./function-target-run.ts";

import { describeStreams } from "./function-target-streams.ts";

const SHORT_MS = 800;

/** The laws of `src/ports/function-target.ts` as named behaviours, which every target runs, simulated or real. */
export function describeFunctionTargetContract(name: string, harness: FunctionTargetHarness): void {
  describe(`${name} keeps the laws of a function target`, { timeout: 120_000 }, () => {
    describeResults(harness);
    describeFailures(harness);
    describeRefusals(harness);
    describeEndings(harness);
    describeStreams(harness);
  });
}

function describeResults(harness: FunctionTargetHarness): void {
  behaviour(
    harness,
    ["echo"],
    "hands the event to the function and its result back, byte for byte in meaning",
    async (run) => {
      const value = { text: "höhe 🜚 \u2028", nested: [1, null, { deep: true }], long: "x".repeat(1024) };
      const outcome = await run.invoke({ task: "echo", value });
      assert.deepEqual(succeeded(outcome), { task: "echo", value });
    },
  );

  behaviour(harness, ["echo"], "leaves the payload as it was, so that it can be sent again", async (run) => {
    const payload = encode({ task: "echo", value: "again" });
    const before = Buffer.from(payload);
    for (const attempt of [1, 2]) {
      const outcome = await run.invokeRaw(payload, AMPLE_MS);
      assert.deepEqual(succeeded(outcome), { task: "echo", value: "again" }, `attempt ${attempt}`);
    }
    assert.deepEqual(Buffer.from(payload), before);
  });

  behaviour(harness, ["echo"], "gives each of many concurrent calls its own answer", async (run) => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, value) => run.invoke({ task: "echo", value })),
    );
    assert.deepEqual(
      outcomes.map((outcome) => succeeded(outcome)),
      outcomes.map((_, value) => ({ task: "echo", value })),
    );
  });

  behaviour(harness, ["returnNull"], "hands back a null result", async (run) => {
    assert.equal(succeeded(await run.invoke({ task: "returnNull" })), null);
  });

  behaviour(
    harness,
    ["returnText"],
    "does not judge the result: what is not JSON comes back as it is",
    async (run) => {
      const outcome = await run.invoke({ task: "returnText", text: "{not json" });
      assert.ok(outcome.kind === "succeeded", outcome.kind);
      assert.equal(Buffer.from(outcome.payload).toString(), "{not json");
    },
  );

  behaviour(harness, ["returnBytes"], "accepts the largest response", async (run) => {
    const outcome = await run.invoke({ task: "returnBytes", bytes: RESPONSE_BYTES_MAX });
    assert.ok(outcome.kind === "succeeded", outcome.kind);
    assert.equal(outcome.payload.length, RESPONSE_BYTES_MAX);
  });

  for (const bytes of [RESPONSE_BYTES_MAX + 1, 7_000_000]) {
    behaviour(harness, ["returnBytes", "echo"], `fails a response of ${bytes} bytes`, async (run) => {
      const outcome = await run.invoke({ task: "returnBytes", bytes });
      assert.ok(outcome.kind === "functionError", outcome.kind);
      assert.equal(outcome.errorType, "Function.ResponseSizeTooLarge");
      await run.assertStillWorks();
    });
  }
}

function describeFailures(harness: FunctionTargetHarness): void {
  behaviour(
    harness,
    ["throw", "echo"],
    "tells a function's own error with its type and message",
    async (run) => {
      const before = run.executions();
      const outcome = await run.invoke({ task: "throw", errorType: "PoisonError", message: "unreadable" });
      assert.ok(outcome.kind === "functionError", outcome.kind);
      const { errorType, message, detail } = outcome;
      assert.deepEqual({ errorType, message }, { errorType: "PoisonError", message: "unreadable" });
      // Who knows a stack tells it: Node's begins with the error that it is of, the others' are frames alone.
      const isWithError = detail?.stackMember !== "stackTrace";
      if (detail?.stack !== undefined) assert.match(detail.stack, isWithError ? /unreadable/ : /handle/);
      run.assertExecutions(before, 1);
      await run.assertStillWorks();
    },
  );

  behaviour(harness, ["throw"], "bounds what a function says of its error", async (run) => {
    const outcome = await run.invoke({
      task: "throw",
      errorType: "T".repeat(5000),
      message: "m".repeat(50_000),
    });
    assert.ok(outcome.kind === "functionError", outcome.kind);
    assert.ok(outcome.errorType.length <= 256 && outcome.message.length <= 2048);
  });

  for (const task of ["exit", "reset"] as const) {
    behaviour(
      harness,
      [task, "echo"],
      `takes a call that ends in "${task}" for a function error, once`,
      async (run) => {
        const before = run.executions();
        const outcome = await run.invoke({ task });
        assert.equal(outcome.kind, "functionError");
        run.assertExecutions(before, 1);
        await run.assertStillWorks();
      },
    );
  }

  for (const task of ["hang", "block", "trickle"] as const) {
    behaviour(
      harness,
      [task, "echo"],
      `ends a call at its deadline when the function does "${task}"`,
      async (run) => {
        const outcome = await run.invoke({ task }, SHORT_MS);
        assert.deepEqual(outcome, { kind: "timedOut" });
        await run.assertStillWorks();
      },
    );
  }
}

function describeRefusals(harness: FunctionTargetHarness): void {
  behaviour(
    harness,
    ["throttle", "echo"],
    "tells a throttle with its delay, and tries only once",
    async (run) => {
      const before = run.executions();
      const outcome = await run.invoke({ task: "throttle", retryAfterSeconds: 2 });
      assert.deepEqual(outcome, { kind: "throttled", retryAfterMs: 2000 });
      run.assertExecutions(before, 1);
      await run.assertStillWorks();
    },
  );

  behaviour(harness, ["throttle"], "tells a throttle without a delay", async (run) => {
    const outcome = await run.invoke({ task: "throttle" });
    assert.deepEqual(outcome, { kind: "throttled", retryAfterMs: undefined });
  });

  behaviour(
    harness,
    ["refuse", "echo"],
    "tells that the function was not started, and tries only once",
    async (run) => {
      const before = run.executions();
      assert.equal((await run.invoke({ task: "refuse" })).kind, "unavailable");
      run.assertExecutions(before, 1);
      await run.assertStillWorks();
    },
  );

  behaviour(harness, ["rejectSize"], "tells that the payload is too large", async (run) => {
    assert.deepEqual(await run.invoke({ task: "rejectSize" }), { kind: "payloadTooLarge" });
  });
}

function describeEndings(harness: FunctionTargetHarness): void {
  behaviour(
    harness,
    ["hang", "echo"],
    "ends the calls of a signal that aborts, and no others",
    async (run) => {
      const [stopped, other] = [new AbortController(), new AbortController()];
      const calls = [1, 2, 3].map(() => run.start({ task: "hang" }, AMPLE_MS, stopped.signal));
      const survivor = run.start({ task: "echo", value: "survives" }, AMPLE_MS, other.signal);
      stopped.abort();
      for (const outcome of await run.settle(Promise.all(calls), GRACE_MS)) {
        assert.notEqual(outcome.kind, "succeeded");
      }
      assert.deepEqual(succeeded(await run.settle(survivor, AMPLE_MS)), { task: "echo", value: "survives" });
    },
  );

  behaviour(
    harness,
    ["echo"],
    "does not start the function for a signal that has aborted already",
    async (run) => {
      const before = run.executions();
      const outcome = await run.settle(run.start({ task: "echo" }, AMPLE_MS, AbortSignal.abort()), GRACE_MS);
      assert.notEqual(outcome.kind, "succeeded");
      run.assertExecutions(before, 0);
    },
  );

  behaviour(
    harness,
    ["hang"],
    "ends pending calls when it is closed, and can be closed twice",
    async (run) => {
      const call = run.start({ task: "hang" }, AMPLE_MS, run.signal);
      await run.settle(Promise.all([run.target.close(), run.target.close()]), GRACE_MS);
      assert.notEqual((await run.settle(call, GRACE_MS)).kind, "succeeded");
    },
  );

  behaviour(
    harness,
    ["echo"],
    "answers a call after it was closed with an outcome, not an exception",
    async (run) => {
      await run.settle(run.target.close(), GRACE_MS);
      assert.notEqual((await run.invoke({ task: "echo" })).kind, "succeeded");
    },
  );
}
