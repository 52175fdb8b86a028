import { MillraceError } from "../../../src/model/errors.ts";
import type { AsyncDestinations } from "../../../src/ports/async-destinations.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { EventLedger } from "./event-ledger.ts";
import type { EventProcess } from "./event-process.ts";

const SLOW_MS = [100_000, 220_000] as const;

/** Destinations of the world, as one process reaches them. */
export class SimDestinations implements AsyncDestinations {
  readonly #ledger: EventLedger;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #isHealed: () => boolean;
  #process: EventProcess | undefined;

  constructor(ledger: EventLedger, time: VirtualTime, random: SeededRandom, isHealed: () => boolean) {
    this.#ledger = ledger;
    this.#time = time;
    this.#random = random;
    this.#isHealed = isHealed;
  }

  serve(process: EventProcess): void {
    this.#process = process;
  }

  routeOf(uri: string) {
    if (!uri.startsWith("fn:")) return { kind: "delivery" } as const;
    return { kind: "function", name: uri.slice("fn:".length), qualifier: "" } as const;
  }

  deliver(uri: string, { id }: { readonly id: string }): Promise<undefined> {
    const process = this.#process;
    if (process === undefined || process.clock.isDead) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const say = (answer: () => void) => void process.clock.schedule(this.#random.between(0, 40), answer);
      const fail = (code: "REJECTED" | "UNAVAILABLE") =>
        say(() => reject(new MillraceError(`ERR_MILLRACE_DESTINATION_${code}`, uri)));
      this.#time.schedule(this.#tookMs(uri), () => {
        if (uri === "d:refuses") return fail("REJECTED");
        const isFlaky = uri === "d:flaky" && !this.#isHealed();
        if (isFlaky && this.#random.chance(0.3)) return fail("UNAVAILABLE");
        const item = this.#ledger.items.get(id);
        if (item === undefined) return this.#ledger.breach("I31", `${id} was delivered and never put`);
        item.taken++;
        // It has it, and nobody hears that.
        if (isFlaky && this.#random.chance(0.2)) {
          item.isTakenUnheard = true;
          return fail("UNAVAILABLE");
        }
        say(() => resolve(undefined));
      });
    });
  }

  async close() {}

  #tookMs(uri: string): number {
    return uri === "d:slow" ? this.#random.between(...SLOW_MS) : this.#random.between(0, 60);
  }
}
