import { createConnect } from "./connect.ts";
import { WireClient, type WireExchange } from "./wire-client.ts";

/** An exchange that waits for a connection. */
export interface PooledExchange extends WireExchange {
  /** Sends by this connection, and gives it back to the pool with `release` when it has ended. */
  start(client: WireClient): void;
}

export interface WirePoolLimits {
  readonly connectMsMax: number;
  readonly connectionsMax: number;
  /** An exchange in which nothing moves for so long has failed, within a second. 0: never. */
  readonly silenceMsMax: number;
}

/** Connections to one origin. The one that was used last is used next; what finds none waits in order. */
export class WirePool {
  readonly #create: () => WireClient;
  readonly #connectionsMax: number;
  readonly #clients = new Set<WireClient>();
  readonly #idle: WireClient[] = [];
  readonly #waiting: PooledExchange[] = [];
  #isDestroyed = false;

  constructor(origin: string, { connectMsMax, connectionsMax, silenceMsMax }: WirePoolLimits) {
    const connect = createConnect(new URL(origin), connectMsMax);
    const options = { silenceSecondsMax: Math.ceil(silenceMsMax / 1_000) };
    this.#create = () => new WireClient(connect, options);
    this.#connectionsMax = connectionsMax;
  }

  run(exchange: PooledExchange): void {
    if (this.#isDestroyed) exchange.onError(destroyed());
    else if (this.#idle.length > 0 || this.#clients.size < this.#connectionsMax) exchange.start(this.#take());
    else this.#waiting.push(exchange);
  }

  release(client: WireClient): void {
    const next = this.#isDestroyed ? undefined : this.#waiting.shift();
    if (next === undefined) this.#idle.push(client);
    else next.start(client);
  }

  /** What is under way or waits fails. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const exchange of this.#waiting.splice(0)) exchange.onError(destroyed());
    for (const client of this.#clients) client.close();
  }

  #take(): WireClient {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const client = this.#create();
    this.#clients.add(client);
    return client;
  }
}

function destroyed(): Error {
  return new Error("The client is destroyed.");
}
