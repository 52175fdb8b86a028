import { Client } from "undici";
import type { Clock } from "../ports/clock.ts";

export interface HttpConnectionOptions {
  readonly origin: string;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

const HEADER_BYTES_MAX = 16 * 1024;

/**
 * One undici client of one socket, and what a target wants to know of that socket: how old it is, and whether it has
 * served.
 */
export class HttpConnection {
  readonly client: Client;
  /** Monotonic; `undefined` before the first. */
  #connectedMs: number | undefined;
  /** Requests that were answered over the socket that is open now. */
  #served = 0;

  constructor({ origin, connectTimeoutMs, clock }: HttpConnectionOptions) {
    this.client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: HEADER_BYTES_MAX,
      connectTimeout: connectTimeoutMs,
      // The watch ends calls; undici's own timers would be set and cleared for every request.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.client.on("connect", () => {
      this.#connectedMs = clock.monotonic();
      this.#served = 0;
    });
  }

  /** The socket has carried an answer before: its server may be about to close it as idle. */
  get isReused(): boolean {
    return this.#served > 0;
  }

  answered(): void {
    this.#served += 1;
  }

  isOlderThan(ageMs: number, nowMs: number): boolean {
    return this.#connectedMs !== undefined && nowMs - this.#connectedMs >= ageMs;
  }
}
