import { lookup } from "node:dns/promises";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import { CallWatch } from "./call-watch.ts";
import { EndpointCall } from "./endpoint-call.ts";
import { abandoned } from "./function-failure.ts";
import { createHttpFunction } from "./http.ts";
import { SYSTEM_CLOCK } from "./system-clock.ts";

export interface HttpEndpointsOptions {
  /** `http:`; its host is looked up, unless `dns` names another one. */
  readonly url: string;
  readonly dns?: string | undefined;
  /** Calls at once of each address. */
  readonly perEndpoint: number;
  /** Addresses of a name; default: those that the machine's resolver has. */
  readonly addressesOf?: (name: string) => Promise<readonly string[]>;
  readonly clock?: Clock;
}

interface Endpoint {
  readonly address: string;
  readonly target: FunctionTarget;
  running: number;
  /** It has refused a call: others come first until then. */
  restsUntilMs: number;
  isListed: boolean;
}

const LOOK_MS = 5_000;
/** One that refuses, or is not there, is asked again after so long. */
const REST_MS = 1_000;
const ADDRESSES_MAX = 1_000;

/**
 * A function behind many servers of one name, of which each takes so many calls at once: pods behind a headless
 * service. The one that was used last, and has room, is used next; one that refuses or cannot be reached has run
 * nothing, so another one is asked.
 */
export class HttpEndpoints implements FunctionTarget {
  readonly #options: HttpEndpointsOptions;
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #watch: CallWatch;
  /** The last one is used next. */
  #endpoints: Endpoint[] = [];
  #waiting: EndpointCall[] = [];
  #timer: ScheduledCall | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #problem = "it has no address";
  #isClosed = false;

  constructor(options: HttpEndpointsOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#watch = new CallWatch(this.#clock);
  }

  invoke(
    payload: Uint8Array,
    context: InvocationContext,
    signal: AbortSignal,
    sink?: ResponseSink,
  ): Promise<InvocationOutcome> {
    if (signal.aborted || this.#isClosed) return Promise.resolve(abandoned());
    return new Promise((resolve) => {
      const expiresAt = this.#clock.monotonic() + context.timeoutMs;
      const call = new EndpointCall({
        payload,
        context,
        signal,
        sink,
        expiresAt,
        resolve,
        watch: this.#watch,
      });
      this.#waiting.push(call);
      this.#lookIfDue();
      this.#fill();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#watch.close();
    await this.#looking;
    await Promise.all(this.#endpoints.map(({ target }) => target.close()));
  }

  #lookIfDue(): void {
    if (this.#clock.monotonic() - this.#lookedMs < LOOK_MS || this.#looking !== undefined) return;
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      this.#lookedMs = this.#clock.monotonic();
      this.#fill();
    });
  }

  /** Those that are known stay where the name cannot be looked up. */
  async #look(): Promise<void> {
    const { addressesOf = addressesOfName, dns = this.#url.hostname } = this.#options;
    try {
      const addresses = new Set((await addressesOf(dns)).slice(0, ADDRESSES_MAX));
      this.#take(addresses);
      if (addresses.size === 0) this.#problem = `${dns} has no address`;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "an unknown reason";
      this.#problem = `${dns} cannot be looked up: ${code}`;
    }
  }

  #take(addresses: ReadonlySet<string>): void {
    for (const endpoint of this.#endpoints) endpoint.isListed = addresses.has(endpoint.address);
    const known = new Set(this.#endpoints.map(({ address }) => address));
    const added = [...addresses].filter((address) => !known.has(address)).map((each) => this.#opened(each));
    this.#endpoints = [...added, ...this.#endpoints];
    for (const endpoint of this.#endpoints) this.#closeUnlisted(endpoint);
  }

  #opened(address: string): Endpoint {
    const url = new URL(this.#url);
    url.hostname = address.includes(":") ? `[${address}]` : address;
    const { perEndpoint: connections } = this.#options;
    const target = createHttpFunction({ url: url.href, connections, clock: this.#clock });
    return { address, target, running: 0, restsUntilMs: 0, isListed: true };
  }

  /** Calls that run end first. */
  #closeUnlisted(endpoint: Endpoint): void {
    if (endpoint.isListed || endpoint.running > 0) return;
    this.#endpoints = this.#endpoints.filter((each) => each !== endpoint);
    void endpoint.target.close();
  }

  #fill(): void {
    this.#waiting = this.#waiting.filter((call) => !call.isSettled);
    for (const call of [...this.#waiting]) {
      const endpoint = this.#free(call);
      if (endpoint === undefined) {
        if (this.#hasNobodyFor(call)) this.#refuse(call);
        continue;
      }
      this.#waiting = this.#waiting.filter((each) => each !== call);
      void this.#run(call, endpoint);
    }
    if (this.#waiting.length > 0) this.#fillLater();
  }

  /** One that has refused this call is not asked for it again. */
  #free(call: EndpointCall): Endpoint | undefined {
    const nowMs = this.#clock.monotonic();
    return this.#endpoints.findLast(
      (each) =>
        each.isListed &&
        each.running < this.#options.perEndpoint &&
        each.restsUntilMs <= nowMs &&
        !call.refusedBy.has(each.address),
    );
  }

  /** Each has refused it, or there is none, and nobody looks for more. */
  #hasNobodyFor(call: EndpointCall): boolean {
    const others = this.#endpoints.filter((each) => each.isListed && !call.refusedBy.has(each.address));
    return others.length === 0 && this.#looking === undefined;
  }

  #refuse(call: EndpointCall): void {
    call.settle(call.refusal ?? { kind: "unavailable", message: `${this.#url.host}: ${this.#problem}` });
  }

  /** A deadline of what waits is the watch's. This is for endpoints that rest, and for names. */
  #fillLater(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#clock.schedule(REST_MS / 4, () => {
      this.#timer = undefined;
      this.#lookIfDue();
      this.#fill();
    });
  }

  async #run(call: EndpointCall, endpoint: Endpoint): Promise<void> {
    endpoint.running += 1;
    this.#endpoints = [...this.#endpoints.filter((each) => each !== endpoint), endpoint];
    const outcome = await call.runBy(endpoint.target, this.#clock.monotonic());
    endpoint.running -= 1;
    // Both say that nothing has run.
    if (outcome.kind === "throttled" || outcome.kind === "unavailable") {
      endpoint.restsUntilMs = this.#clock.monotonic() + REST_MS;
      call.refused(endpoint.address, outcome);
      if (!call.isSettled) this.#waiting.unshift(call);
    } else call.settle(outcome);
    this.#closeUnlisted(endpoint);
    this.#lookIfDue();
    this.#fill();
  }
}

async function addressesOfName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
