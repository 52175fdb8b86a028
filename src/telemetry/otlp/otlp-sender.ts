import { gzip } from "node:zlib";
import { Client } from "undici";
import type { Clock } from "../../ports/clock.ts";
import type { OtlpSettings } from "./otlp-settings.ts";

/** What a collector said to one request. */
export type SendResult =
  | { readonly kind: "accepted"; readonly rejectedSpans: number }
  /** Another try may succeed. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs: number }
  /** None will. */
  | { readonly kind: "refused"; readonly reason: string };

/** What OTLP says to try again after; everything else that is not 2xx is final. */
const RETRIED_STATUS: readonly number[] = [429, 502, 503, 504];
const ANSWER_BYTES_MAX = 64 * 1024;
const RETRY_AFTER_MS_MAX = 60_000;

/** Posts export requests, one at a time, over one connection. Redirects are not followed; certificates are verified. */
export class OtlpSender {
  readonly #settings: OtlpSettings;
  readonly #clock: Clock;
  readonly #client: Client;

  constructor(settings: OtlpSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#client = new Client(settings.url.origin, {
      connectTimeout: settings.timeoutMs,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Never rejects. */
  async send(json: string, timeoutMs = this.#settings.timeoutMs): Promise<SendResult> {
    const timeout = new AbortController();
    const timer = this.#clock.schedule(timeoutMs, () => timeout.abort());
    try {
      return await this.#post(json, timeout.signal);
    } catch (error) {
      const reason = timeout.signal.aborted ? `no answer within ${timeoutMs} ms` : codeOf(error);
      return { kind: "unavailable", reason, retryAfterMs: 0 };
    } finally {
      timer.cancel();
    }
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }

  async #post(json: string, signal: AbortSignal): Promise<SendResult> {
    const { url, headers, isCompressed } = this.#settings;
    const body = isCompressed ? await compress(json) : json;
    const {
      statusCode,
      headers: answerHeaders,
      body: answer,
    } = await this.#client.request({
      method: "POST",
      path: url.pathname + url.search,
      headers: {
        ...Object.fromEntries(headers.map(([name, value]) => [name, value.reveal()])),
        "content-type": "application/json",
        ...(isCompressed ? { "content-encoding": "gzip" } : {}),
      },
      body,
      signal,
    });
    const text = await readBounded(answer);
    if (statusCode >= 200 && statusCode < 300) return { kind: "accepted", rejectedSpans: rejectedOf(text) };
    const reason = `status ${statusCode}`;
    if (!RETRIED_STATUS.includes(statusCode)) return { kind: "refused", reason };
    const seconds = Number(answerHeaders["retry-after"] ?? 0);
    const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MS_MAX) : 0;
    return { kind: "unavailable", reason, retryAfterMs };
  }
}

function compress(json: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(json, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
}

/** All of it, so that the connection can be used again; of a longer one nothing. */
async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `{"partialSuccess":{"rejectedSpans":"3"}}`; an answer that cannot be read rejects none. */
function rejectedOf(answer: string): number {
  try {
    const rejected = Number(JSON.parse(answer)?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}

/** `ECONNREFUSED` and its like; never a text, which may hold a header. */
function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code.slice(0, 60) : "the connection failed";
}
