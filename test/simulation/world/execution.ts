import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../../../src/ports/function-target.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { SimProcess } from "./process.ts";

/** One execution under way: how long it takes, how it ends, and who is to be told. */
export interface Execution {
  readonly durationMs: number;
  readonly outcome: InvocationOutcome;
  /** The function has come to its end, whether or not the caller still lives to hear of it. */
  ran?(): void;
  /** The caller hears of this outcome. */
  told?(outcome: InvocationOutcome): void;
}

export interface ExecutionOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  begin(payload: Uint8Array, context: InvocationContext): Execution;
}

/** Calls that take no longer simply end: the port gives them a second after an abort. */
const ABORT_MS = 500;
const ABORTED: InvocationOutcome = { kind: "unavailable", message: "the call was stopped" };

/** A function target in virtual time; what the function does is the caller's to say. */
export function createExecutionTarget({ process, time, begin }: ExecutionOptions): FunctionTarget {
  const stops = new Set<() => void>();
  let isClosed = false;
  return {
    invoke(payload, context, signal) {
      if (!process.admitsCall()) return new Promise(() => {});
      if (isClosed || signal.aborted) return Promise.resolve(ABORTED);
      const execution = begin(payload, context);
      return new Promise((resolve) => {
        let isTold = false;
        const tell = (outcome: InvocationOutcome) => {
          if (isTold) return;
          isTold = true;
          stops.delete(stop);
          execution.told?.(outcome);
          resolve(outcome);
        };
        const stop = () => process.enter(() => tell(ABORTED));
        const isLong = execution.durationMs > ABORT_MS;
        time.schedule(execution.durationMs, () => {
          execution.ran?.();
          process.enter(() => {
            if (isLong) signal.removeEventListener("abort", stop);
            tell(execution.outcome);
          });
        });
        if (!isLong) return;
        stops.add(stop);
        signal.addEventListener("abort", stop);
      });
    },
    close() {
      isClosed = true;
      for (const stop of [...stops]) stop();
      return Promise.resolve();
    },
  };
}
