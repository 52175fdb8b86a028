import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "undici";
import { describeError } from "../model/errors.ts";

/** What belongs to one connection, or is made anew for the next one. */
const NOT_PASSED_ON = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive"]);
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const FUNCTION_ERROR_HEADER = "x-amz-function-error";

export interface OwnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** `failed`: it ran, or may have. `refused`: it did not. */
  readonly outcome: "succeeded" | "failed" | "refused";
}

/** The function that a scenario names: it gets what the engine sent, and the engine what it answered. */
export class OwnFunction {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, concurrency: number) {
    this.#url = url;
    this.#agent = new Agent({ connections: concurrency, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** `undefined`: the connection broke, and whether it ran nobody knows. */
  async call(
    body: Buffer,
    headers: IncomingHttpHeaders,
    signal: AbortSignal,
  ): Promise<OwnAnswer | undefined> {
    try {
      const answer = await request(this.#url, {
        method: "POST",
        dispatcher: this.#agent,
        headers: passedOn(headers),
        body,
        signal,
      });
      const bytes = await readBounded(answer.body);
      return bytes === undefined
        ? undefined
        : { ...shown(answer.headers), status: answer.statusCode, body: bytes, outcome: outcomeOf(answer) };
    } catch (error) {
      return isUnreachable(error) ? unreachable(error) : undefined;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && !NOT_PASSED_ON.has(name) ? [[name, value]] : [],
    ),
  );
}

function shown(headers: IncomingHttpHeaders): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: passedOn(headers) };
}

/** As the engine takes it (docs/http-function.md). */
function outcomeOf({
  statusCode,
  headers,
}: {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
}): OwnAnswer["outcome"] {
  if (headers[FUNCTION_ERROR_HEADER] !== undefined) return "failed";
  if (statusCode >= 200 && statusCode < 300) return "succeeded";
  return [429, 502, 503].includes(statusCode) ? "refused" : "failed";
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && "code" in error && UNREACHABLE.has(String(error.code));
}

function unreachable(error: unknown): OwnAnswer {
  const body = Buffer.from(JSON.stringify({ errorMessage: describeError(error) }));
  return { status: 503, headers: { "content-type": "application/json" }, body, outcome: "refused" };
}
