import type { ServerResponse } from "node:http";
import type { FrontAnswer, Header } from "./exchange.ts";
import type { FrontLimits } from "./front-limits.ts";
import type { PaceWatch } from "./pace-watch.ts";

/** Written at once; what is larger goes piece by piece, so that its pace can be seen. */
const PIECE_BYTES = 64 * 1024;

/** What stands in the head beside what the answer says. */
export interface HeadParts {
  readonly extra: readonly Header[];
  readonly isLast: boolean;
}

/** No body follows these, whatever a function returned. */
export function hasNoBody(method: string | undefined, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** Responses behind which their connections end. */
const LAST = new WeakSet<ServerResponse>();

export function isLastOfConnection(response: ServerResponse): boolean {
  return LAST.has(response);
}

export function writeHead(
  response: ServerResponse,
  answer: Pick<FrontAnswer, "status" | "reason" | "headers">,
  { extra, isLast }: HeadParts,
): void {
  const flat: string[] = [];
  for (const [name, value] of answer.headers) flat.push(name, value);
  for (const [name, value] of extra) flat.push(name, value);
  if (isLast) {
    flat.push("connection", "close");
    LAST.add(response);
  }
  if (answer.reason === undefined) response.writeHead(answer.status, flat);
  else response.writeHead(answer.status, answer.reason, flat);
}

/** Sends an answer whole. Resolves when it is handed over, or when there is nobody to hand it to. */
export function sendAnswer(
  response: ServerResponse,
  answer: FrontAnswer,
  head: HeadParts,
  pace: PaceWatch,
  limits: Pick<FrontLimits, "stallMs">,
): Promise<void> | undefined {
  const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
  const isBare = hasNoBody(response.req.method, answer.status);
  const hasLength = answer.status !== 204 && answer.status !== 304;
  const length: readonly Header[] = hasLength ? [["content-length", String(body.length)]] : [];
  writeHead(response, answer, { ...head, extra: [...head.extra, ...length] });
  if (isBare || body.length <= PIECE_BYTES)
    return endResponse(response, isBare ? undefined : body, pace, limits.stallMs);
  return sendPieces(response, body, pace, limits.stallMs);
}

/**
 * The last of a response. What the connection has no room for waits no longer than `stallMs`: a reader who takes
 * nothing would keep its place, and what the request holds, for ever. Resolves when it is handed over, or never will.
 */
export function endResponse(
  response: ServerResponse,
  last: Uint8Array | undefined,
  pace: PaceWatch,
  stallMs: number,
): Promise<void> | undefined {
  // As text of one byte for each character it is joined to the head, and both go out in one piece: with a buffer behind
  // the head sending costs several times as much.
  if (last === undefined) response.end();
  else response.end(latin1Of(last), "latin1");
  // Most are taken at once, and cost nothing more.
  // plant: who-reads-no-short-response-keeps-its-place
  if ((response.socket?.writableLength ?? 0) === 0) return undefined;
  return roomOf(response, pace, stallMs);
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

async function sendPieces(
  response: ServerResponse,
  body: Uint8Array,
  pace: PaceWatch,
  stallMs: number,
): Promise<void> {
  for (let sent = 0; sent < body.length && !response.destroyed; sent += PIECE_BYTES) {
    if (!response.write(body.subarray(sent, sent + PIECE_BYTES))) await roomOf(response, pace, stallMs);
  }
  await endResponse(response, undefined, pace, stallMs);
}

/** Resolves when the connection takes more, or is over: whoever reads nothing for long is not waited for. */
export async function roomOf(response: ServerResponse, pace: PaceWatch, stallMs: number): Promise<void> {
  const transfer = { bytes: () => 0, graceMs: stallMs, onSlow: () => response.destroy() };
  pace.begin(transfer);
  await new Promise<void>((resolve) => {
    const done = () => {
      response.removeListener("drain", done);
      response.removeListener("close", done);
      resolve();
    };
    if (response.destroyed) return resolve();
    response.once("drain", done);
    response.once("close", done);
  });
  pace.end(transfer);
}
