import type { FastifyReply } from "fastify";
import type { FunctionResource } from "../manifests/resources.ts";
import { timeoutMsOf } from "../model/call-timeouts.ts";
import { errorBodyOf, type FailedRun, failureOf } from "../model/error-body.ts";
import { cutText, LOG_TAIL_BYTES_MAX } from "../model/function-error.ts";
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
  const failed = { requestId: call.requestId, timeoutMs: timeoutMsOf(call.fn, call.executedVersion) };
  if (call.mayInspect) return errorBodyOf(outcome, failed);
  const { errorType } = failureOf(outcome, failed);
  const text = `The text of error ${outcome.errorId ?? errorType} is for callers with the role inspect.`;
  return { errorMessage: text, errorType };
}

/** Base64 of the last 4 KiB of what Lambda would have logged of the call. */
export function logResult(
  { elapsedTime }: FastifyReply,
  outcome: OutcomeOfRun,
  { fn, requestId, executedVersion }: AnsweredCall,
): string {
  const { logTail = "" } = outcome.detail ?? {};
  // What comes from Lambda, or from an environment of ours, has these lines already.
  if (isReported(fn.target)) return base64(logTail);
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

function isReported(target: FunctionResource["target"]): boolean {
  if (target.kind === "module") return target.isolation !== "thread";
  return target.kind === "lambda" || target.kind === "runtime";
}

function base64(log: string): string {
  return Buffer.from(cutText(log, LOG_TAIL_BYTES_MAX, "end")).toString("base64");
}
