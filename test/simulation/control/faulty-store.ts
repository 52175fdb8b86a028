import { MillraceError } from "../../../src/model/errors.ts";
import type { NewResourceRow, ResourceStore } from "../../../src/ports/resource-store.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { ProcessClock } from "./process-clock.ts";

const USUAL_MS_MAX = 40;
const SLOW_MS_MAX = 14_000;
const CLIENT_TIMEOUT_MS = 20_000;

/** One process's way to the store: late, cut, or with answers that are lost after the work was done. */
export class FaultyStore implements ResourceStore {
  readonly #inner: ResourceStore;
  readonly #time: VirtualTime;
  readonly #clock: ProcessClock;
  readonly #random: SeededRandom;
  #cutUntilMs = 0;
  faultRate = 0.03;

  constructor(inner: ResourceStore, time: VirtualTime, clock: ProcessClock, random: SeededRandom) {
    this.#inner = inner;
    this.#time = time;
    this.#clock = clock;
    this.#random = random;
  }

  cut(ms: number): void {
    this.#cutUntilMs = this.#time.now + ms;
  }

  list = (kinds?: readonly string[]) => this.#call(() => this.#inner.list(kinds));
  get = (uuid: string) => this.#call(() => this.#inner.get(uuid));
  insert = (row: NewResourceRow) => this.#call(() => this.#inner.insert(row));
  replace = (row: NewResourceRow, seen: number) => this.#call(() => this.#inner.replace(row, seen));
  remove = (uuid: string, seen: number) => this.#call(() => this.#inner.remove(uuid, seen));
  newestVersion = () => this.#call(() => this.#inner.newestVersion());
  announce = (processId: string, version: number) =>
    this.#call(() => this.#inner.announce(processId, version));
  processes = () => this.#call(() => this.#inner.processes());
  forget = (processId: string) => this.#call(() => this.#inner.forget(processId));
  close = async () => undefined;

  #call<T>(work: () => Promise<T>): Promise<T> {
    const isCut = this.#time.now < this.#cutUntilMs;
    const isLost = isCut || this.#random.chance(this.faultRate);
    // What was sent before a cut may still come through long after it.
    const comesThrough = !isLost || this.#random.chance(0.5);
    return new Promise((resolve, reject) => {
      const fail = () => reject(new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "no answer"));
      if (isLost) this.#clock.schedule(this.#random.between(10, CLIENT_TIMEOUT_MS / 2), fail);
      else this.#clock.schedule(CLIENT_TIMEOUT_MS, fail);
      if (!comesThrough) return;
      this.#time.schedule(this.#latencyMs(), () => {
        void work().then((result) => {
          if (!isLost) this.#clock.schedule(this.#latencyMs(), () => resolve(result));
        });
      });
    });
  }

  #latencyMs(): number {
    return this.#random.between(0, this.#random.chance(this.faultRate) ? SLOW_MS_MAX : USUAL_MS_MAX);
  }
}
