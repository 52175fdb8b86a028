import type { SeededRandom } from "../random.ts";

/** Faults that may befall any single operation, with a probability that the scenario sets. */
export const STREAM_FAULT_KINDS = [
  "read throttled",
  "read failed",
  "read timed out",
  "read empty",
  "read truncated",
  "read slow",
  "iterator expired",
  "listing failed",
  "listing omits",
  "opening failed",
  "function slow",
  "function error",
  "function timed out",
  "function hung",
  "function throttled",
  "function unavailable",
  "reset before execution",
  "reset after execution",
  "payload refused",
  "partial failure",
  "partial failure without progress",
  "malformed partial failure",
  "garbage response",
  "oversized response",
  "window state missing",
  "window state oversized",
  "store slow",
  "store failed before apply",
  "store failed after apply",
  "store applied late",
  "destination slow",
  "destination unavailable",
  "destination accepted, reply lost",
  "destination refused",
  "timer late",
  "answered after its deadline",
  "stream function's target throws",
] as const;

/** What befalls queue mappings: the function's troubles are the same. */
export const QUEUE_FAULT_KINDS = [
  "receive throttled",
  "receive failed",
  "receive hung",
  "receive empty",
  "receive truncated",
  "receive slow",
  "receive reply lost",
  "receive abandoned",
  "message duplicated",
  "settlement failed",
  "settlement applied, reply lost",
  "settlement failed in part",
  "settlement slow",
  "extension failed",
  "extension applied, reply lost",
  "extension failed in part",
  "extension slow",
  "function slow",
  "function error",
  "function timed out",
  "function hung",
  "function throttled",
  "function unavailable",
  "function target throws",
  "reset before execution",
  "reset after execution",
  "payload refused",
  "partial failure of a queue",
  "malformed partial failure",
  "garbage response",
  "oversized response",
  "timer late",
] as const;

/** Drawn for themselves, so that what was recorded before them stays as it is. */
export const EXTRA_FAULT_KINDS = ["hold ended by the queue"] as const;

export type FaultKind =
  | (typeof STREAM_FAULT_KINDS)[number]
  | (typeof QUEUE_FAULT_KINDS)[number]
  | (typeof EXTRA_FAULT_KINDS)[number];
export type FaultRates = Partial<Record<FaultKind, number>>;

/** `checkpoints`: the store lists, renews and hands over, and takes no checkpoint. */
export type Component = "source" | "function" | "store" | "checkpoints" | "destination";

/** Decides what goes wrong, counts it, and stops all of it when the world heals. */
export class FaultDesk {
  readonly counts: Map<string, number>;
  readonly #rates: FaultRates;
  readonly #outages = new Set<Component>();
  #healed = false;

  constructor(rates: FaultRates, counts: Map<string, number>) {
    this.#rates = rates;
    this.counts = counts;
  }

  roll(kind: FaultKind, random: SeededRandom): boolean {
    if (this.#healed) return false;
    const rate = this.#rates[kind];
    if (rate === undefined || random.next() >= rate) return false;
    this.count(kind);
    return true;
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  get isHealed(): boolean {
    return this.#healed;
  }

  beginOutage(component: Component): void {
    if (this.#healed) return;
    this.#outages.add(component);
    this.count(`${component} outage`);
  }

  endOutage(component: Component): void {
    this.#outages.delete(component);
  }

  isOut(component: Component): boolean {
    return this.#outages.has(component);
  }

  heal(): void {
    this.#healed = true;
    this.#outages.clear();
  }
}
