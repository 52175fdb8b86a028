import type { FastifyReply } from "fastify";
import type { OutcomeOfRun } from "../model/outcome.ts";
import { EVENT_STREAM_TYPE, eventMessage } from "./event-stream.ts";
import { type AnsweredCall, errorBody, logResult } from "./invoke-answer.ts";

const CHUNK_BYTES_MAX = 1024 * 1024;

/**
 * The answer of InvokeWithResponseStream: what the function returned in chunks, then its end. It is collected before,
 * so that it has Invoke's bound (invocation §3.3).
 */
export function answerStream(reply: FastifyReply, outcome: OutcomeOfRun, call: AnsweredCall): FastifyReply {
  reply.header("x-amz-executed-version", call.executedVersion).type(EVENT_STREAM_TYPE);
  const log = call.wantsLog && call.mayInspect ? { LogResult: logResult(reply, outcome, call) } : {};
  if (outcome.kind === "succeeded")
    return reply.send(Buffer.concat([...chunksOf(outcome.payload), complete(log)]));
  const ErrorDetails = JSON.stringify(errorBody(outcome, call));
  return reply.send(complete({ ErrorCode: "Unhandled", ErrorDetails, ...log }));
}

function chunksOf(payload: Uint8Array): readonly Buffer[] {
  const body = payload.length === 0 ? Buffer.from("null") : payload;
  const chunks: Buffer[] = [];
  for (let start = 0; start < body.length; start += CHUNK_BYTES_MAX) {
    const chunk = body.subarray(start, start + CHUNK_BYTES_MAX);
    chunks.push(eventMessage("PayloadChunk", "application/octet-stream", chunk));
  }
  return chunks;
}

function complete(members: Readonly<Record<string, string>>): Buffer {
  return eventMessage("InvokeComplete", "application/json", Buffer.from(JSON.stringify(members)));
}
