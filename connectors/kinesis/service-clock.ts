/**
 * The service's time by the `Date` headers of its responses. They are cut to seconds and some time under way, so the
 * estimate is never ahead: a start at it misses nothing.
 */
export class ServiceClock {
  readonly #now: () => number;
  readonly #dates = new WeakMap<object, number>();
  #offsetMs = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * With the `Date` header of a response that has just come in; without one, or with a strange one, nothing changes.
   */
  observe(date: string | undefined): void {
    const serviceMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isFinite(serviceMs)) this.#offsetMs = serviceMs - this.#now();
  }

  /** Notes the `Date` header of the response that `output` was made of. */
  date(output: object, date: string | undefined): void {
    const serviceMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isFinite(serviceMs)) this.#dates.set(output, serviceMs);
  }

  /** The service's own word for the moment of this answer: no clock of the host is in it. */
  answeredMs(output: object): number | undefined {
    return this.#dates.get(output);
  }

  timeMs(): number {
    return Math.floor(this.#now() + this.#offsetMs);
  }
}
