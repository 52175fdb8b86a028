import { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Membership } from "../ports/membership.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { LimitedCalls } from "./limited-calls.ts";
import { SharedLimit } from "./shared-limit.ts";

/** How often the cells are looked at, all by one read, while this process has or wants a part of any. */
const LOOK_MS = 1_000;
const PREFIX = "allot/";

export interface SharedLimitsOptions {
  readonly cells: CellStore;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** The limits that this process shares with the others of its store. */
export class SharedLimits {
  readonly #options: SharedLimitsOptions;
  readonly #lines: RepeatedLines;
  #limits: readonly SharedLimit[] = [];
  #timer: ScheduledCall | undefined;
  #isClosed = false;

  constructor(options: SharedLimitsOptions) {
    this.#options = options;
    this.#lines = new RepeatedLines(options.clock, options.telemetry);
  }

  open(calls: LimitedCalls): SharedLimit {
    const limit = new SharedLimit(PREFIX + calls.fn, calls, {
      ...this.#options,
      lines: this.#lines,
      onActive: () => this.#plan(),
    });
    this.#limits = [...this.#limits, limit];
    void limit.look();
    this.#plan();
    return limit;
  }

  /** The function shares its concurrency no more. */
  async release(limit: SharedLimit): Promise<void> {
    this.#limits = this.#limits.filter((other) => other !== limit);
    await limit.close();
  }

  /**
   * After this nothing starts. What does not run is given back; what does, the others take when they miss this process.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await Promise.all(this.#limits.map((limit) => limit.close()));
  }

  #plan(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    if (!this.#limits.some((limit) => limit.isActive)) return;
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const active = this.#limits.filter((limit) => limit.isActive);
    if (active.length > 0 && !this.#options.membership.isCutOff) await this.#lookAt(active);
    this.#timer = undefined;
    this.#plan();
  }

  async #lookAt(limits: readonly SharedLimit[]): Promise<void> {
    const { cells, membership, clock } = this.#options;
    const { life } = membership;
    try {
      const askedMs = clock.monotonic();
      const read = new Map((await cells.read(PREFIX)).map((cell) => [cell.name, cell]));
      if (membership.life !== life || this.#isClosed) return;
      await Promise.all(limits.map((limit) => limit.look({ cell: read.get(limit.name), askedMs })));
    } catch (error) {
      const message = "the shares of functions' concurrency could not be read; trying again";
      this.#lines.write("warn", message, { error: describeError(error) });
    }
  }
}
