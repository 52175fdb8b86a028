import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";

interface Item {
  readonly sinceMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The scaler is told to have somebody there so long before a tick. */
const LEAD_MS = 30_000;

/**
 * What there is to do in a day, as it is: messages of a broker, which tells of those alone that nobody has taken;
 * records that are parked and redriven; ticks.
 */
export class Work {
  arrived = 0;
  done = 0;
  parked = 0;
  ticks = 0;
  /** When the last of it came to its end. */
  endedMs = 0;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #waiting: Item[] = [];
  readonly #running = new Set<Item>();
  /** Since when each redrive is there. */
  readonly #redrives: Item[] = [];
  readonly #due: number[] = [];

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.#random = random;
  }

  /** Hours of nothing, of single messages and of floods. */
  plan(lengthMs: number): void {
    const random = this.#random.fork("load");
    for (let hourMs = 0; hourMs < lengthMs; hourMs += HOUR_MS) {
      const messages = random.pick([0, 0, 0, 1, 3, 40, 400]);
      for (let index = 0; index < messages; index++)
        this.#time.schedule(hourMs + random.between(0, HOUR_MS), () => this.#arrive());
      if (random.chance(0.2)) this.#time.schedule(hourMs + random.between(0, HOUR_MS), () => this.#park());
      if (random.chance(0.3)) this.#due.push(Math.floor(hourMs + random.between(0, HOUR_MS)));
    }
    this.#due.sort((a, b) => a - b);
  }

  get waitingAtSource(): number {
    return this.#waiting.length;
  }

  get redrives(): number {
    return this.#redrives.length;
  }

  get dueTicks(): readonly number[] {
    return this.#due.slice(0, 1);
  }

  /** Since when there has been something without a break, of what there is now; `undefined`: there is nothing. */
  get oldestSinceMs(): number | undefined {
    const [due] = this.#due;
    const since = [
      ...this.#waiting.slice(0, 1).map(({ sinceMs }) => sinceMs),
      ...[...this.#running].map(({ sinceMs }) => sinceMs),
      ...this.#redrives.slice(0, 1).map(({ sinceMs }) => sinceMs),
      ...(due !== undefined && due - LEAD_MS <= this.#time.now ? [due - LEAD_MS] : []),
    ];
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** A process takes a message, and calls what it gets when that is settled. */
  take(): (() => void) | undefined {
    const item = this.#waiting.shift();
    if (item === undefined) return undefined;
    this.#running.add(item);
    return () => {
      this.#running.delete(item);
      this.done += 1;
      this.endedMs = this.#time.now;
    };
  }

  /** A process looks at ticks and redrives. */
  tick(): void {
    const [due] = this.#due;
    if (due !== undefined && due <= this.#time.now) {
      this.#due.shift();
      this.ticks += 1;
      this.#arrive();
    }
    const [redrive] = this.#redrives;
    if (redrive === undefined || !this.#random.chance(0.05)) return;
    this.#redrives.shift();
    this.endedMs = this.#time.now;
  }

  #arrive(): void {
    this.arrived += 1;
    this.#waiting.push({ sinceMs: this.#time.now });
  }

  #park(): void {
    this.parked += 1;
    this.#redrives.push({ sinceMs: this.#time.now });
  }
}
