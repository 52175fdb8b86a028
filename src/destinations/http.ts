import { request } from "undici";
import type { Envelope } from "../model/envelope.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Destination } from "../ports/destination.ts";

const CALL_MS_MAX = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** The request itself is at fault; all else an operator can mend. */
const REJECTED: readonly number[] = [400, 411, 413, 414, 415, 422, 431];

/**
 * Posts each record as JSON. Any 2xx accepts it; redirects are not followed. At least once: the header
 * `millrace-failure-id` is the same for every try.
 */
export function createHttpDestination(url: string, timeoutMs = CALL_MS_MAX): Destination {
  return new HttpDestination(url, timeoutMs);
}

class HttpDestination implements Destination {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();

  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
  }

  async deliver(envelope: Envelope, signal: AbortSignal): Promise<undefined> {
    const late = AbortSignal.timeout(this.#timeoutMs);
    let status: number;
    try {
      status = await this.#post(envelope, AbortSignal.any([signal, this.#closing.signal, late]));
    } catch (error) {
      if (signal.aborted) throw new MillraceError("ERR_MILLRACE_ABORTED", "The delivery was stopped.");
      throw this.#unavailable(describeError(error), error);
    }
    if (status >= 200 && status < 300) return;
    if (REJECTED.includes(status)) {
      const message = `A record was refused by ${this.#place} with status ${status}, which another try would not change.`;
      throw new MillraceError("ERR_MILLRACE_DESTINATION_REJECTED", message);
    }
    throw this.#unavailable(`status ${status}`);
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #post(envelope: Envelope, signal: AbortSignal): Promise<number> {
    const attributes = Object.entries(envelope.message?.attributes ?? {});
    const { statusCode, body } = await request(this.#url, {
      method: "POST",
      signal,
      headers: {
        "content-type": "application/json",
        "millrace-failure-id": encodeURI(envelope.id.toWellFormed()),
        // A dead letter's: beside the event, as in a message.
        ...Object.fromEntries(attributes.map(([name, { value }]) => [name, encodeURI(value.toWellFormed())])),
      },
      body: envelope.text("whole"),
    });
    await body.dump({ limit: ANSWER_BYTES_MAX });
    return statusCode;
  }

  /** Without the query, which may hold what is secret. */
  get #place(): string {
    const { origin, pathname } = new URL(this.#url);
    return origin + pathname;
  }

  #unavailable(reason: string, cause?: unknown): MillraceError {
    return new MillraceError(
      "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
      `A record was not accepted by ${this.#place} (${reason}). Look what answers there; delivery is tried again.`,
      { cause },
    );
  }
}
