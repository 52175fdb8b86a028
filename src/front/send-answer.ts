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

export function writeHead(
  response: ServerResponse,
  answer: Pick<FrontAnswer, "status" | "reason" | "headers">,
  { extra, isLast }: HeadParts,
): void {
  const flat: string[] = [];
  for (const [name, value] of answer.headers) flat.push(name, value);
  for (const [name, value] of extra) flat.push(name, value);
  if (isLast) flat.push("connection", "close");
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
  if (isBare || body.length <= PIECE_BYTES) {
    response.end(isBare ? undefined : body);
    return undefined;
  }
  return sendPieces(response, body, pace, limits.stallMs);
}

async function sendPieces(
  response: ServerResponse,
  body: Uint8Array,
  pace: PaceWatch,
  graceMs: number,
): Promise<void> {
  let sent = 0;
  const transfer = { bytes: () => sent, graceMs, onSlow: () => response.destroy() };
  pace.begin(transfer);
  try {
    while (sent < body.length && !response.destroyed) {
      const piece = body.subarray(sent, sent + PIECE_BYTES);
      const isFree = response.write(piece);
      if (!isFree) await roomOf(response);
      sent += piece.length;
    }
  } finally {
    pace.end(transfer);
  }
  response.end();
}

/** Resolves when the connection takes more, or is over. */
export function roomOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.removeListener("drain", done);
      response.removeListener("close", done);
      resolve();
    };
    if (response.destroyed) return resolve();
    response.once("drain", done);
    response.once("close", done);
  });
}
