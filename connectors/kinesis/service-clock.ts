/**
 * The service's time by the `Date` headers of its responses. They are cut to seconds and some time under way, so the
 * estimate is never ahead: a start at it misses nothing.
 */
export class ServiceClock {
  readonly #now: () => number;
  #offsetMs = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** With the `Date` header of a response that has just come in; without one, or with a strange one, nothing changes. */
  observe(date: string | undefined): void {
    const serviceMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isFinite(serviceMs)) this.#offsetMs = serviceMs - this.#now();
  }

  timeMs(): number {
    return Math.floor(this.#now() + this.#offsetMs);
  }
}
