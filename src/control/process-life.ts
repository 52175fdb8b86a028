import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { ResourceStore } from "../ports/resource-store.ts";

/** How long a process may go on by what it has read, from its last beat on. */
export const CUT_OFF_MS = 10_000;
/**
 * How long a beat must stand still before others do not wait for its process: longer than a cut-off, for late timers.
 */
export const GONE_MS = 15_000;
const BEAT_MS = 2_000;

export interface ProcessLifeOptions {
  readonly processId: string;
  readonly store: ResourceStore;
  readonly clock: Clock;
  /** The store was out of reach for too long: others may settle what this process does not know of. */
  readonly onCutOff: () => void;
}

/**
 * This process's word to the others that it lives and what it runs. What was read from the store counts while the beat
 * before it is fresh: until then the others wait for this process, so nothing can have been settled behind its back.
 */
export class ProcessLife {
  readonly #options: ProcessLifeOptions;
  #life = 0;
  #announcedVersion = -1;
  #announcedMs = Number.NEGATIVE_INFINITY;
  #heldMs = Number.NEGATIVE_INFINITY;
  #cutOff: ScheduledCall | undefined;

  constructor(options: ProcessLifeOptions) {
    this.#options = options;
  }

  get life(): number {
    return this.#life;
  }

  /** A life that was cut off is over: whoever still knows its beat must not take the next one's for it. */
  get name(): string {
    const { processId } = this.#options;
    return this.#life === 0 ? processId : `${processId}~${this.#life}`;
  }

  /** By now the others do not wait for this process, or soon will not: what it read may be over. */
  get isCutOff(): boolean {
    return this.#options.clock.monotonic() - this.#heldMs >= CUT_OFF_MS;
  }

  /**
   * What was read since the last beat counts, for `CUT_OFF_MS` from that beat on. `false`: it came too late for that.
   */
  hold(): boolean {
    // A process that stood still may come here before its late timer: what it held is over all the same.
    if (this.#cutOff !== undefined && this.isCutOff) {
      this.#end();
      return false;
    }
    this.#heldMs = this.#announcedMs;
    // plant: what-was-read-counts-however-late-it-comes
    if (this.isCutOff) return false;
    this.#arm();
    return true;
  }

  /** Beats when it is time to, or when there is something new to say. Resolves to whether it did. */
  async announce(appliedVersion: number): Promise<boolean> {
    const { store, clock } = this.#options;
    const nowMs = clock.monotonic();
    const life = this.#life;
    if (appliedVersion === this.#announcedVersion && nowMs - this.#announcedMs < BEAT_MS) return false;
    await store.announce(this.name, appliedVersion);
    // That was the last beat of a life that is over.
    if (life !== this.#life) return false;
    this.#announcedVersion = appliedVersion;
    // The time before the call: the others cannot have seen it earlier.
    this.#announcedMs = nowMs;
    return true;
  }

  /** Others are not waited for that stood still for `GONE_MS`; this process never is one of them to itself. */
  isOwn(processId: string): boolean {
    return processId === this.name;
  }

  stop(): void {
    this.#cutOff?.cancel();
  }

  async forget(): Promise<void> {
    await this.#options.store.forget(this.name);
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#cutOff?.cancel();
    this.#cutOff = clock.schedule(this.#heldMs + CUT_OFF_MS - clock.monotonic(), () => this.#end());
  }

  #end(): void {
    this.#cutOff?.cancel();
    this.#cutOff = undefined;
    this.#life += 1;
    this.#announcedVersion = -1;
    this.#options.onCutOff();
  }
}
