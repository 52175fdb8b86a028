import type { RunDetail } from "./function-error.ts";
import type { OutcomeOfRun } from "./outcome.ts";

export type FailedRun = Exclude<OutcomeOfRun, { kind: "succeeded" }>;

/** What a body is made for. */
export interface FailedCall {
  readonly requestId: string;
  readonly timeoutMs: number;
}

/** Lambda's body of a failure, which callers and destinations get. */
export function errorBodyOf(outcome: FailedRun, call: FailedCall): Readonly<Record<string, unknown>> {
  const { errorType, errorMessage } = failureOf(outcome, call);
  return { errorMessage, errorType, ...stackOf(outcome.detail, call) };
}

export function failureOf(
  outcome: FailedRun,
  { timeoutMs, requestId }: FailedCall,
): { readonly errorType: string; readonly errorMessage: string } {
  if (outcome.kind === "functionError")
    return { errorType: outcome.errorType, errorMessage: outcome.message };
  const seconds = (timeoutMs / 1000).toFixed(2);
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`;
  return { errorType: "Sandbox.Timedout", errorMessage };
}

/** As the function's runtime writes it: Node's has `trace`, and Python's the request's id beside `stackTrace`. */
function stackOf(detail: RunDetail | undefined, { requestId }: FailedCall) {
  if (detail?.stackMember === undefined) return {};
  const lines = detail.stack === undefined || detail.stack === "" ? [] : detail.stack.split("\n");
  if (detail.stackMember === "trace") return { trace: lines };
  const id = { named: { requestId }, empty: { requestId: "" }, none: {} }[detail.requestIdMember ?? "none"];
  return { ...id, stackTrace: lines.map(frameOf) };
}

/** A frame of Go is an object. What was cut or redacted is none any more, and stays a text. */
function frameOf(line: string): unknown {
  if (!line.startsWith("{")) return line;
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
