import type { RunDetail } from "../../model/function-error.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import {
  abandoned,
  brokenOff,
  functionError,
  parseErrorBody,
  RESPONSE_TOO_LARGE,
  withDetail,
} from "../function-failure.ts";
import { INIT_MS } from "./environment-times.ts";
import type { ProcessEnding } from "./launcher.ts";
import type { RuntimeAnswer, RuntimeReport } from "./listener.ts";

/** Why a process never came to its first event. Each call that fails by it is told under its own id. */
export type StartFailure = (requestId: string, logTail: string) => InvocationOutcome;

export function errorTypeOf(failure: StartFailure): string {
  const outcome = failure("", "");
  return outcome.kind === "functionError" ? outcome.errorType : outcome.kind;
}

/** Nobody waits any longer for its first event. */
export const startedLate: StartFailure = () =>
  functionError("Runtime.InitTimeout", `Loading took more than ${INIT_MS / 1000} seconds.`);

/** `wantsOutput`: what was printed is told of a success, too. */
export function outcomeOfAnswer(
  answer: RuntimeAnswer,
  logTail: string,
  wantsOutput: boolean,
): InvocationOutcome {
  switch (answer.kind) {
    case "response":
      return { kind: "succeeded", payload: answer.body, ...(wantsOutput ? withDetail({ logTail }) : {}) };
    case "streamed":
      return { kind: "succeeded", payload: NO_BYTES, ...(wantsOutput ? withDetail({ logTail }) : {}) };
    case "error":
      return outcomeOfReport(answer, logTail);
    case "tooLarge":
      return functionError(RESPONSE_TOO_LARGE.errorType, RESPONSE_TOO_LARGE.message, { logTail });
  }
}

const NO_BYTES = new Uint8Array(0);

/** Whoever waits for an answer gets none. */
export function outcomeWithoutAnswer(
  by: "broken" | "timeout" | "abandoned",
  logTail: string,
): InvocationOutcome {
  switch (by) {
    case "broken":
      return brokenOff(logTail);
    case "timeout":
      return { kind: "timedOut", ...withDetail({ logTail }) };
    case "abandoned":
      return abandoned();
  }
}

/** Why a process came to nothing, as far as it is known now. */
export function startFailureOf(
  report: RuntimeReport | undefined,
  ending: ProcessEnding | undefined,
  printed: string,
): StartFailure {
  return (requestId, logTail) => {
    const tail = logTail === "" ? printed : logTail;
    if (report !== undefined) return outcomeOfReport(report, tail);
    return outcomeOfEnding(ending ?? { kind: "status", status: 0 }, requestId, tail);
  };
}

/** What the runtime says goes to the caller as it is; its header names only what the body does not. */
export function outcomeOfReport({ body, errorType }: RuntimeReport, logTail: string): InvocationOutcome {
  const said = parseErrorBody(body);
  const text = said.errorMessage ?? (said.errorType === undefined ? Buffer.from(body).toString() : "");
  return functionError(said.errorType ?? knownErrorType(errorType), text, { ...said.detail, logTail });
}

/** AWS's rule of `Lambda-Runtime-Function-Error-Type` (invocation §2). */
export function knownErrorType(header: string | undefined): string {
  if (header !== undefined && /^(?:Runtime|Function)\.[A-Z][a-zA-Z]+$/.test(header)) return header;
  return header?.startsWith("Function.") === true ? "Function.Unknown" : "Runtime.Unknown";
}

/** AWS's texts (invocation §2). */
export function outcomeOfEnding(
  ending: ProcessEnding,
  requestId: string,
  logTail: string,
): InvocationOutcome {
  const detail: RunDetail = { logTail };
  const prefix = `RequestId: ${requestId} Error: `;
  switch (ending.kind) {
    case "status": {
      const { status } = ending;
      const why =
        status === 0
          ? "Runtime exited without providing a reason"
          : `Runtime exited with error: exit status ${status}`;
      return functionError("Runtime.ExitError", prefix + why, detail);
    }
    case "signal":
      return functionError(
        "Runtime.ExitError",
        `${prefix}Runtime exited with error: signal: ${SIGNAL_TEXTS[ending.signal] ?? ending.signal}`,
        detail,
      );
    case "outOfMemory":
      return functionError(
        "Runtime.OutOfMemory",
        `${prefix}Runtime exited with error: signal: killed`,
        detail,
      );
    case "outOfStorage": {
      const why = `The environment's folder has more than ${ending.megabytesMax} MB`;
      return functionError("Runtime.OutOfStorage", prefix + why, detail);
    }
    case "invalid":
      return functionError(ending.errorType, `${prefix}${ending.message}`, detail);
    case "unstarted":
      return { kind: "unavailable", message: ending.message };
  }
}

/** As Go writes them, in which AWS's own supervisor is written. */
const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGSYS: "bad system call",
  SIGTERM: "terminated",
  SIGTRAP: "trace/breakpoint trap",
};
