import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { LoggedLine } from "../control/logs/function-logs.ts";
import { timeOf } from "../failures/time-text.ts";
import { functionOf } from "./function-routes.ts";
import { noteContentView } from "./guard.ts";
import { addRoute, queryOf } from "./route.ts";

const LINES = 1_000;
const LINES_MAX = 10_000;

/**
 * What a function has printed, over all processes of the store: the newest lines, or those behind what an answer before
 * has called `next`.
 */
export function addFunctionLogRoute(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/functions/:name/logs",
    role: "inspect",
    async handle(request) {
      const plane = control();
      const { name } = (await functionOf(request, plane)).fn;
      const after = readPlace(request);
      const page = await plane.toldFunctions.logs.read({
        fn: name,
        sinceMs: readSince(request),
        requestId: queryOf(request, "request"),
        after,
        max: readMax(request),
      });
      // Once for who goes on looking.
      if (after === undefined) noteContentView(request, "ShowLogs", { function: name });
      const { isCut, problem } = page;
      return {
        function: name,
        lines: page.lines.map(lineShape),
        next: Buffer.from(JSON.stringify([...page.seen])).toString("base64url"),
        ...(isCut ? { isCut } : {}),
        ...(problem === undefined ? {} : { problem }),
      };
    },
  });
}

function lineShape({ atMs, process, version, stream, requestId, text }: LoggedLine) {
  const time = new Date(atMs).toISOString();
  return { time, process, version, stream, ...(requestId === undefined ? {} : { requestId }), text };
}

function readSince(request: FastifyRequest): number | undefined {
  const text = queryOf(request, "since");
  if (text === undefined) return undefined;
  const sinceMs = timeOf(text, Date.now());
  if (sinceMs !== undefined) return sinceMs;
  throw invalid("since is no time. Give 2026-11-30T12:00Z, or how long ago: 90s, 10m, 2h.");
}

function readMax(request: FastifyRequest): number {
  const max = Number(queryOf(request, "max") ?? LINES);
  if (Number.isInteger(max) && max > 0 && max <= LINES_MAX) return max;
  throw invalid(`max is to be a whole number from 1 to ${LINES_MAX}.`);
}

function readPlace(request: FastifyRequest): ReadonlyMap<string, number> | undefined {
  const text = queryOf(request, "after");
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(value) && value.every(isSeen)) return new Map(value);
  } catch {
    // It is none.
  }
  throw invalid("after is no place in the log: give what next said.");
}

function isSeen(value: unknown): value is [string, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [process, seq]: readonly unknown[] = value;
  return typeof process === "string" && Number.isSafeInteger(seq);
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
