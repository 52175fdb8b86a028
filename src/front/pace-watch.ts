import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { FrontLimits } from "./front-limits.ts";

/** Bytes that go from or to somebody outside. */
export interface Transfer {
  /** So far. */
  bytes(): number;
  /** Before its pace counts, milliseconds. */
  readonly graceMs: number;
  /** It is too slow: whoever is behind it is not waited for any more. */
  onSlow(): void;
}

/** Looks again and again at all transfers: one that is slower than it may be holds memory for nothing. */
export class PaceWatch {
  readonly #clock: Clock;
  readonly #limits: Pick<FrontLimits, "checkMs" | "bytesPerSecondMin">;
  readonly #transfers = new Map<Transfer, number>();
  #timer: ScheduledCall | undefined;

  constructor(clock: Clock, limits: Pick<FrontLimits, "checkMs" | "bytesPerSecondMin">) {
    this.#clock = clock;
    this.#limits = limits;
  }

  begin(transfer: Transfer): void {
    this.#transfers.set(transfer, this.#clock.monotonic());
    this.#timer ??= this.#clock.schedule(this.#limits.checkMs, () => this.#look());
  }

  end(transfer: Transfer): void {
    this.#transfers.delete(transfer);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    for (const [transfer, startedMs] of this.#transfers) {
      const countedMs = nowMs - startedMs - transfer.graceMs;
      if (countedMs <= 0 || transfer.bytes() >= (countedMs / 1000) * this.#limits.bytesPerSecondMin) continue;
      this.#transfers.delete(transfer);
      transfer.onSlow();
    }
    const isIdle = this.#transfers.size === 0;
    this.#timer = isIdle ? undefined : this.#clock.schedule(this.#limits.checkMs, () => this.#look());
  }
}
