import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyBytes, HeldBody } from "../api/body-bytes.ts";
import { readBody } from "../api/body-reader.ts";
import { ApiFault } from "../api/wire-fault.ts";
import type { FrontLimits } from "./front-limits.ts";
import type { PaceWatch } from "./pace-watch.ts";

export const SLOW = new Error("The request's body comes too slowly.");
const EMPTY = Buffer.alloc(0);
/** What is left of a request that was refused is read and forgotten, if it is no more than this. */
const FORGOTTEN_BYTES_MAX = 64 * 1024;

export interface ReadOptions {
  readonly bytes: BodyBytes;
  readonly pace: PaceWatch;
  readonly limits: Pick<FrontLimits, "graceMs">;
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** More of it may come than is worth reading: the connection ends with the response. */
export function isWorthClosing({ headers }: IncomingMessage): boolean {
  const isChunked = headers["transfer-encoding"] !== undefined;
  return isChunked || Number(headers["content-length"] ?? 0) > FORGOTTEN_BYTES_MAX;
}

/**
 * A body whole, within its bound and within what all requests may hold. `isProven`: whoever sends it is known, or need
 * not be.
 * @throws ApiFault, `SLOW`; an error for one that ends early
 */
export async function readRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  held: HeldBody,
  { bytesMax, isProven }: { readonly bytesMax: number; readonly isProven: boolean },
  { bytes, pace, limits: { graceMs } }: ReadOptions,
): Promise<Buffer> {
  if (!hasBody(request)) return EMPTY;
  const stated = request.headers["content-length"];
  if (Number(stated ?? 0) > bytesMax)
    throw new ApiFault("RequestTooLargeException", "The request body is too large.");
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  let received = 0;
  request.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  const transfer = { bytes: () => received, graceMs, onSlow: () => request.destroy(SLOW) };
  pace.begin(transfer);
  const own = isProven ? held : bytes.open(false);
  try {
    const statedBytes = stated === undefined ? undefined : Number(stated);
    const body = await readBody(request, statedBytes, bytesMax, own, { droppedBytesMax: 0 });
    if (isProven) return body;
    // From here on it counts as any other's.
    own.close();
    if (!held.take(body.length)) throw tooBusy();
    return body;
  } finally {
    if (!isProven) own.close();
    pace.end(transfer);
  }
}

export function tooBusy(): ApiFault {
  return new ApiFault("TooManyRequestsException", "Too much is on its way at once. Try again.");
}
