import type { Connect } from "../network/connect.ts";
import { WireClient } from "../network/wire-client.ts";
import type { Clock } from "../ports/clock.ts";

/** One connection of one socket, and what a target wants to know of that: how old it is, and whether it has served. */
export class HttpConnection {
  readonly client: WireClient;
  /** Monotonic; `undefined` before the first. */
  #connectedMs: number | undefined;
  /** Requests that were answered over the socket that is open now. */
  #served = 0;

  constructor(connect: Connect, clock: Clock) {
    this.client = new WireClient(connect, {
      onConnected: () => {
        this.#connectedMs = clock.monotonic();
        this.#served = 0;
      },
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
