import type { InvocationOutcome } from "../model/outcome.ts";
import { readTraceCarrier } from "../model/trace-context.ts";
import type { Invocation } from "../ports/invoker.ts";
import type { OpenSpan } from "../ports/tracing.ts";
import { SpanMaker, spanProblem } from "./span-maker.ts";

/**
 * Makes the spans of calls that bring none of their own: those that are of no batch. A call goes on with the trace that
 * its caller came with, or begins one.
 */
export class CallTracer extends SpanMaker {
  beginCall({ caller, functionArn, requestId, carrier }: Invocation, functionName: string): OpenSpan {
    const parent = carrier && readTraceCarrier(carrier);
    const context = parent === undefined ? this.begin() : this.goOn(parent);
    const startMs = this.clock.now();
    const startedMs = this.clock.monotonic();
    return {
      context,
      end: (outcome) =>
        this.record({
          kind: "call",
          context,
          parent,
          callerKind: caller.kind,
          functionName,
          functionArn,
          startMs,
          durationMs: this.clock.monotonic() - startedMs,
          requestId,
          problem: spanProblem(outcome),
          outcome: outcome.kind,
          executedVersion: executedVersionOf(outcome),
        }),
    };
  }
}

function executedVersionOf(outcome: InvocationOutcome): string | undefined {
  return "executedVersion" in outcome ? outcome.executedVersion : undefined;
}
