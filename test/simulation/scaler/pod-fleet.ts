import type { ProcessDemand } from "../../../src/control/demand/demand.ts";
import type { SeededRandom } from "../random.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { Work } from "./work.ts";

interface Pod {
  readonly name: string;
  readonly readyMs: number;
  running: number;
  /** Its last word, which others see later than it is so. */
  word: { readonly atMs: number; readonly running: number } | undefined;
  isDraining: boolean;
}

const TURN_MS = 500;
const SPEAK_MS = 2_000;
const HEARD_MS = 10_000;
const CALLS_MAX = 4;

/** Pods of the engine: they take messages, say every two seconds how they are, and drain before they go. */
export class PodFleet {
  starts = 0;
  stops = 0;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #work: Work;
  #pods: Pod[] = [];

  constructor(time: VirtualTime, random: SeededRandom, work: Work) {
    this.#time = time;
    this.#random = random;
    this.#work = work;
    this.#again(TURN_MS, () => this.#turn());
    this.#again(SPEAK_MS, () => this.#speak());
  }

  get living(): number {
    return this.#pods.length;
  }

  scale(wanted: number): void {
    const staying = this.#pods.filter(({ isDraining }) => !isDraining);
    for (let index = staying.length; index < wanted; index++) this.#start();
    for (const pod of staying.slice(wanted)) {
      pod.isDraining = true;
      this.stops += 1;
    }
  }

  sights(): readonly ProcessDemand[] {
    const nowMs = this.#time.now;
    return this.#pods.map(({ name, word }) => {
      const isHeard = word !== undefined && nowMs - word.atMs <= HEARD_MS;
      const running = word?.running ?? 0;
      const calls = running === 0 ? [] : [{ functionName: "jobs", count: running }];
      return { processId: name, isHeard, holdsWork: running > 0, calls };
    });
  }

  #again(ms: number, work: () => void): void {
    this.#time.schedule(ms, () => {
      work();
      this.#again(ms, work);
    });
  }

  #start(): void {
    this.starts += 1;
    const readyMs = this.#time.now + this.#random.between(1_000, 8_000);
    this.#pods.push({ name: `pod-${this.starts}`, readyMs, running: 0, word: undefined, isDraining: false });
  }

  #speak(): void {
    const atMs = this.#time.now;
    for (const pod of this.#pods) {
      if (atMs < pod.readyMs || this.#random.chance(0.02)) continue;
      const word = { atMs, running: pod.running };
      // Stores take their time.
      this.#time.schedule(this.#random.between(5, 400), () => {
        pod.word = word;
      });
    }
  }

  #turn(): void {
    for (const pod of this.#pods) {
      if (this.#time.now < pod.readyMs || pod.isDraining) continue;
      this.#work.tick();
      while (pod.running < CALLS_MAX && this.#take(pod));
    }
    this.#pods = this.#pods.filter(({ isDraining, running }) => !isDraining || running > 0);
  }

  #take(pod: Pod): boolean {
    const taken = this.#work.take();
    if (taken === undefined) return false;
    pod.running += 1;
    const tookMs = this.#random.chance(0.05)
      ? this.#random.between(30_000, 300_000)
      : this.#random.between(20, 2_000);
    this.#time.schedule(tookMs, () => {
      pod.running -= 1;
      taken();
    });
    return true;
  }
}
