import { type Readable, Transform } from "node:stream";
import { RESPONSE_BYTES_MAX } from "../model/limits.ts";

/** A chunk of a response, and what stands around it. */
const MESSAGE_BYTES_MAX = RESPONSE_BYTES_MAX + 64 * 1024;
/** A message without headers and body: two lengths and two checks. */
const MESSAGE_BYTES_MIN = 16;
const LENGTH_BYTES = 4;

/** The SDK makes as much memory for a message of an event stream as its first bytes say: here they are looked at. */
export function boundMessages(body: Readable): Readable {
  let bytesLeft = 0;
  let [length, digits] = [0, 0];
  const bounded = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      for (let at = 0; at < chunk.length; ) {
        if (bytesLeft > 0) {
          const bytes = Math.min(bytesLeft, chunk.length - at);
          bytesLeft -= bytes;
          at += bytes;
          continue;
        }
        length = length * 256 + (chunk[at] ?? 0);
        at += 1;
        digits += 1;
        if (digits < LENGTH_BYTES) continue;
        if (length < MESSAGE_BYTES_MIN || length > MESSAGE_BYTES_MAX) {
          done(new Error(`a message of ${length} bytes stands in an event stream`));
          return;
        }
        bytesLeft = length - LENGTH_BYTES;
        [length, digits] = [0, 0];
      }
      done(null, chunk);
    },
  });
  body.on("error", (error) => bounded.destroy(error));
  bounded.on("close", () => body.destroy());
  return body.pipe(bounded);
}
