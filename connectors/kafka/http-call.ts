import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { SecureContext } from "node:tls";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import { checkLiteral, reachableLookup } from "./broker-address.ts";

export interface HttpCall {
  readonly url: URL;
  readonly method: "GET" | "POST";
  /** Secrets among them are nobody's to show. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tls?: SecureContext | undefined;
  /** Where a caller of the API may have it go; absent: the operator named the place. */
  readonly reach?: NetworkReach | undefined;
  /** A larger answer is refused. */
  readonly bytesMax: number;
  /** From the first look for an address to the last byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** What went wrong before there was an answer, as a code: `ECONNREFUSED`, `TIMEOUT`, `TOO_LARGE`. */
export class HttpCallFault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`the HTTP call failed: ${code}`);
    this.code = code;
  }
}

/**
 * One call of a token endpoint or a schema registry. Redirects are answers like others: what is sent there is not for
 * another place.
 * @throws HttpCallFault
 */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const { url, signal, timeoutMs } = call;
  const ends = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
  try {
    checkLiteral(url.hostname.replace(/^\[|\]$/g, ""), call.reach);
    return await answerOf(call, AbortSignal.any(ends));
  } catch (error) {
    if (error instanceof HttpCallFault) throw error;
    const [isOver] = ends.map(({ aborted }) => aborted);
    throw new HttpCallFault(isOver ? "TIMEOUT" : codeOf(error));
  }
}

function answerOf(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = requestOf(call, signal, (response) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      response.on("data", (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > call.bytesMax) request.destroy(new HttpCallFault("TOO_LARGE"));
        else pieces.push(piece);
      });
      response.on("error", reject);
      response.on("aborted", () => reject(new HttpCallFault("ECONNRESET")));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString("utf8") }),
      );
    });
    request.on("error", reject);
    request.end(call.body);
  });
}

function requestOf(
  { url, method, headers, body, tls, reach }: HttpCall,
  signal: AbortSignal,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const options = {
    method,
    // An agent would keep connections, and whatever a lookup once allowed.
    agent: false,
    signal,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
    ...reachableLookup(reach),
  } as const;
  if (url.protocol === "http:") return requestPlain(url, options, onResponse);
  const secure = {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(tls === undefined ? {} : { secureContext: tls }),
  } as const;
  return requestTls(url, { ...options, ...secure }, onResponse);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "ERROR";
}
