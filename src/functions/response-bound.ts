import { Readable, Transform } from "node:stream";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { turn } from "../lib/steps.ts";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";
import { boundMessages } from "./message-bound.ts";

/** Beyond the largest response there may be an error text's worth: what an SDK reads is bounded, not judged, here. */
const BODY_BYTES_MAX = RESPONSE_BYTES_MAX + 64 * 1024;

/** Its bytes are bounded by whoever takes them. */
const EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream";

const STREAM_PATH = "/response-streaming-invocations";

class ForeignResponse extends Error {
  override readonly name = "ForeignResponse";
}

/** What came is no event stream, and is not read as one. */
export function isForeign(error: unknown): boolean {
  return error instanceof ForeignResponse;
}

class OversizedResponse extends Error {
  override readonly name = "OversizedResponse";
}

export function isOversized(error: unknown): boolean {
  return error instanceof OversizedResponse;
}

/** The SDK reads answers whole, however long: this has the handler's fail, with `isOversized`, that are too long. */
export function boundResponse(handler: NodeHttpHandler): NodeHttpHandler {
  const handle = handler.handle.bind(handler);
  handler.handle = async (request, options) => {
    const answer = await handle(request, options);
    const { body, headers } = answer.response;
    if (!(body instanceof Readable)) return answer;
    const isOfStream = answer.response.statusCode === 200 && request.path.endsWith(STREAM_PATH);
    if (isOfStream) {
      if (headers["content-type"] !== EVENT_STREAM_TYPE) {
        body.destroy();
        throw new ForeignResponse();
      }
      answer.response.body = boundMessages(body);
      return answer;
    }
    const declaredBytes = Number(headers["content-length"] ?? 0);
    if (declaredBytes > BODY_BYTES_MAX) {
      body.destroy();
      throw new OversizedResponse();
    }
    answer.response.body = boundedStream(body);
    return answer;
  };
  return handler;
}

/** Pieces that are smaller are put together: each would keep the whole of what the socket had read with it. */
const PIECE_BYTES = 64 * 1024;

function boundedStream(body: Readable): Readable {
  let bytes = 0;
  let small: Buffer = Buffer.alloc(0);
  const bounded = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) {
        done(new OversizedResponse());
        return;
      }
      if (small.length + chunk.length > PIECE_BYTES) flush(this);
      if (chunk.length > PIECE_BYTES) this.push(chunk);
      else small = appended(small, chunk);
      turn.count(chunk.length, 1);
      // Others go between (I25): a socket gives up to 2 MB in one turn, and a server may cut them into as many pieces.
      if (turn.isFullWith(chunk.length, 1)) setImmediate(done);
      else done();
    },
    flush(done) {
      flush(this);
      done();
    },
  });
  function flush(stream: Transform): void {
    if (small.length > 0) stream.push(small);
    small = Buffer.alloc(0);
  }
  body.on("error", (error) => bounded.destroy(error));
  bounded.on("close", () => body.destroy());
  return body.pipe(bounded);
}

/** `small` is a view of memory that has room for a whole piece, from the second piece on. */
function appended(small: Buffer, chunk: Uint8Array): Buffer {
  const place = small.length === 0 ? Buffer.allocUnsafeSlow(PIECE_BYTES) : Buffer.from(small.buffer);
  place.set(chunk, small.length);
  return place.subarray(0, small.length + chunk.length);
}
