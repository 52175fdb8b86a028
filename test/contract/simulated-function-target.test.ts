import { RESPONSE_BYTES_MAX } from "../../src/model/limits.ts";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { createExecutionTarget } from "../simulation/world/execution.ts";
import { SimProcess } from "../simulation/world/process.ts";
import { describeFunctionTargetContract } from "./function-target.ts";
import type { FunctionTask } from "./function-target-run.ts";

describeFunctionTargetContract("simulated", {
  supports: new Set([
    ...(["echo", "returnNull", "returnBytes", "returnText", "throw", "hang", "exit", "reset"] as const),
    ...(["throttle", "refuse", "rejectSize"] as const),
  ]),
  async create() {
    const random = new SeededRandom(13);
    const time = new VirtualTime(random.fork("tie-breaks"));
    const process = new SimProcess(0, "process-0", time, random, { wallOffsetMs: 0, rate: 1 });
    let executions = 0;
    const target = createExecutionTarget({
      process,
      time,
      begin(payload, { timeoutMs }) {
        executions++;
        const outcome = answer(JSON.parse(Buffer.from(payload).toString()), payload);
        if (outcome === undefined) return { durationMs: timeoutMs, outcome: { kind: "timedOut" } };
        return { durationMs: random.between(1, 50), outcome };
      },
    });
    return {
      target,
      now: () => process.clock.now(),
      executions: () => executions,
      advance: async (ms) => void (await time.run(time.now + ms, () => false)),
      close: () => target.close(),
    };
  },
});

/** `undefined`: never. */
function answer(task: FunctionTask, payload: Uint8Array): InvocationOutcome | undefined {
  switch (task.task) {
    case "echo":
      return { kind: "succeeded", payload };
    case "returnNull":
      return returned("null");
    case "returnText":
      return returned(task.text);
    case "returnBytes":
      if (task.bytes > RESPONSE_BYTES_MAX) return failed("Function.ResponseSizeTooLarge");
      return returned(`"${"x".repeat(task.bytes - 2)}"`);
    case "throw":
      return failed(task.errorType.slice(0, 256), task.message.slice(0, 2_048));
    case "exit":
      return failed("Runtime.ExitError");
    case "reset":
      return failed("ConnectionReset");
    case "throttle": {
      const { retryAfterSeconds } = task;
      const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
      return { kind: "throttled", retryAfterMs };
    }
    case "refuse":
      return { kind: "unavailable", message: "simulated" };
    case "rejectSize":
      return { kind: "payloadTooLarge" };
    case "hang":
    case "block":
    case "trickle":
    case "stream":
      return undefined;
  }
}

function returned(text: string): InvocationOutcome {
  return { kind: "succeeded", payload: Buffer.from(text) };
}

function failed(errorType: string, message = "simulated"): InvocationOutcome {
  return { kind: "functionError", errorType, message };
}
