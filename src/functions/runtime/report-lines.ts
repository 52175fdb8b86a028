import type { InvocationOutcome } from "../../model/outcome.ts";
import type { RunFigures } from "./environment-parts.ts";

export interface ReportedRun extends RunFigures {
  readonly requestId: string;
  readonly version: string;
  readonly memoryMb: number;
}

/** What it printed, between the lines that Lambda writes around it (invocation §1.1). */
export function withReport(printed: string, outcome: InvocationOutcome, run: ReportedRun): string {
  const rest = printed === "" || printed.endsWith("\n") ? printed : `${printed}\n`;
  const { requestId, version } = run;
  return `${startLine(requestId, version)}\n${rest}${endLine(requestId)}\n${reportLine(outcome, run)}\n`;
}

export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}`;
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}`;
}

export function reportLine(outcome: InvocationOutcome, run: ReportedRun): string {
  const { requestId, durationMs, initMs, memoryMb, maxMemoryMb } = run;
  return [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${memoryMb} MB`,
    ...(maxMemoryMb === undefined ? [] : [`Max Memory Used: ${maxMemoryMb} MB`]),
    ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
    ...statusOf(outcome),
  ].join("\t");
}

function statusOf(outcome: InvocationOutcome): readonly string[] {
  if (outcome.kind === "timedOut") return ["Status: timeout"];
  // A handler's own error is none of the runtime's.
  const isOfRuntime = outcome.kind === "functionError" && outcome.errorType.startsWith("Runtime.");
  return isOfRuntime ? ["Status: error", `Error Type: ${outcome.errorType}`] : [];
}
