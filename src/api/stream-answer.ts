import { PassThrough } from "node:stream";
import type { FastifyReply } from "fastify";
import type { OutcomeOfRun } from "../model/outcome.ts";
import type { InvocationResult } from "../ports/invoker.ts";
import type { ResponseHead, ResponseSink } from "../ports/response-sink.ts";
import { EVENT_STREAM_TYPE, eventMessage } from "./event-stream.ts";
import { type AnsweredCall, errorBody, logResult } from "./invoke-answer.ts";

const CHUNK_BYTES_MAX = 1024 * 1024;

/** The answer of InvokeWithResponseStream to what did not stream: its response in chunks, then its end. */
export function answerStream(reply: FastifyReply, outcome: OutcomeOfRun, call: AnsweredCall): FastifyReply {
  reply.header("x-amz-executed-version", call.executedVersion).type(EVENT_STREAM_TYPE);
  const body = outcome.kind === "succeeded" ? framesOf(bodyOf(outcome.payload)) : [];
  return reply.send(Buffer.concat([...body, endOf(reply, outcome, call)]));
}

/** The answer of InvokeWithResponseStream, which goes on while the function writes. */
export class StreamedReply implements ResponseSink {
  readonly #reply: FastifyReply;
  #body: PassThrough | undefined;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  /** It has begun: whatever comes of the call stands at its end. */
  get isOpen(): boolean {
    return this.#body !== undefined;
  }

  open({ executedVersion }: ResponseHead): void {
    const body = new PassThrough();
    // Whoever reads may hang up at any time; the call ends by that, and not here.
    body.on("error", () => undefined);
    this.#body = body;
    this.#reply.header("x-amz-executed-version", executedVersion).type(EVENT_STREAM_TYPE).send(body);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const body = this.#body;
    if (body === undefined || body.destroyed) return undefined;
    let hasRoom = true;
    for (const frame of framesOf(chunk)) hasRoom = body.write(frame);
    if (hasRoom) return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        body.off("drain", goOn).off("close", goOn);
        resolve();
      };
      body.once("drain", goOn).once("close", goOn);
    });
  }

  end(outcome: InvocationResult, call: AnsweredCall): FastifyReply {
    switch (outcome.kind) {
      case "succeeded":
      case "functionError":
      case "timedOut":
        this.#body?.end(endOf(this.#reply, outcome, call));
        break;
      case "throttled":
      case "payloadTooLarge":
      case "unavailable":
      case "refused":
      case "notStarted":
        // The port forbids it: a target that does it leaves a stream that nobody may take for whole.
        this.#body?.destroy();
    }
    return this.#reply;
  }
}

function bodyOf(payload: Uint8Array): Uint8Array {
  return payload.length === 0 ? Buffer.from("null") : payload;
}

function framesOf(body: Uint8Array): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < body.length; start += CHUNK_BYTES_MAX) {
    const chunk = body.subarray(start, start + CHUNK_BYTES_MAX);
    frames.push(eventMessage("PayloadChunk", "application/octet-stream", chunk));
  }
  return frames;
}

function endOf(reply: FastifyReply, outcome: OutcomeOfRun, call: AnsweredCall): Buffer {
  const log = call.wantsLog && call.mayInspect ? { LogResult: logResult(reply, outcome, call) } : {};
  if (outcome.kind === "succeeded") return complete(log);
  const ErrorDetails = JSON.stringify(errorBody(outcome, call));
  return complete({ ErrorCode: "Unhandled", ErrorDetails, ...log });
}

function complete(members: Readonly<Record<string, string>>): Buffer {
  return eventMessage("InvokeComplete", "application/json", Buffer.from(JSON.stringify(members)));
}
