import { Readable, Transform } from "node:stream";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";

/** Beyond the largest response there may be an error text's worth: what an SDK reads is bounded, not judged, here. */
const BODY_BYTES_MAX = RESPONSE_BYTES_MAX + 64 * 1024;

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

function boundedStream(body: Readable): Readable {
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) done(null, chunk);
      else done(new OversizedResponse());
    },
  });
  body.on("error", (error) => bounded.destroy(error));
  bounded.on("close", () => body.destroy());
  return body.pipe(bounded);
}
