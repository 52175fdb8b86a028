import type { FastifyReply } from "fastify";
import type { FunctionResource } from "../manifests/resources.ts";
import { cutText, LOG_TAIL_BYTES_MAX, type RunDetail } from "../model/function-error.ts";
import type { OutcomeOfRun } from "../model/outcome.ts";

/** What a caller of Invoke is told of a run. */
export interface AnsweredCall {
  readonly fn: FunctionResource;
  readonly requestId: string;
  readonly executedVersion: string;
  /** It asked for the end of what the function prints. */
  readonly wantsLog: boolean;
  /** It has the role for texts of functions. */
  readonly mayInspect: boolean;
}

/** Lambda's answer to a function that ran: a failure has status 200, too (invocation §8). */
export function answerRun(reply: FastifyReply, outcome: OutcomeOfRun, call: AnsweredCall): FastifyReply {
  reply.header("x-amz-executed-version", call.executedVersion).type("application/json");
  if (call.wantsLog && call.mayInspect) reply.header("x-amz-log-result", logResult(reply, outcome, call));
  if (outcome.kind === "succeeded") {
    return reply.send(outcome.payload.length === 0 ? "null" : Buffer.from(outcome.payload));
  }
  return reply.header("x-amz-function-error", "Unhandled").send(errorBody(outcome, call));
}

/** What the caller may see of a failure. */
export function errorBody(outcome: FailedRun, call: AnsweredCall): Readonly<Record<string, unknown>> {
  const { errorType, errorMessage } = failureOf(outcome, call);
  if (call.mayInspect) return { errorMessage, errorType, ...stackOf(outcome.detail, call) };
  const text = `The text of error ${outcome.errorId ?? errorType} is for callers with the role inspect.`;
  return { errorMessage: text, errorType };
}

type FailedRun = Exclude<OutcomeOfRun, { kind: "succeeded" }>;

function failureOf(
  outcome: FailedRun,
  { fn: { timeoutMs }, requestId }: AnsweredCall,
): { errorType: string; errorMessage: string } {
  if (outcome.kind === "functionError")
    return { errorType: outcome.errorType, errorMessage: outcome.message };
  const seconds = (timeoutMs / 1000).toFixed(2);
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`;
  return { errorType: "Sandbox.Timedout", errorMessage };
}

/** As the function's runtime writes it: Node's has `trace`, and Python's the request's id beside `stackTrace`. */
function stackOf(detail: RunDetail | undefined, { requestId }: AnsweredCall) {
  if (detail?.stack === undefined || detail.stackMember === undefined) return {};
  const lines = detail.stack.split("\n");
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

/** Base64 of the last 4 KiB of what Lambda would have logged of the call. */
export function logResult(
  { elapsedTime }: FastifyReply,
  outcome: OutcomeOfRun,
  { fn, requestId, executedVersion }: AnsweredCall,
): string {
  const { logTail = "" } = outcome.detail ?? {};
  // What comes from Lambda, or from an environment of ours, has these lines already.
  if (fn.target.kind === "lambda" || fn.target.kind === "runtime") return base64(logTail);
  const printed = logTail === "" || logTail.endsWith("\n") ? logTail : `${logTail}\n`;
  const memoryMb = fn.target.kind === "module" ? fn.target.memoryMb : 128;
  const report = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${elapsedTime.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(elapsedTime)} ms`,
    `Memory Size: ${memoryMb} MB`,
    ...(outcome.kind === "timedOut" ? ["Status: timeout"] : []),
  ];
  const ends = [`END RequestId: ${requestId}`, report.join("\t")];
  const start = `START RequestId: ${requestId} Version: ${executedVersion}`;
  return base64(`${start}\n${printed}${ends.join("\n")}\n`);
}

function base64(log: string): string {
  return Buffer.from(cutText(log, LOG_TAIL_BYTES_MAX, "end")).toString("base64");
}
