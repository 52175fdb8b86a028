import { LatencyHistogram } from "./latency-histogram.ts";
import type { Ledger } from "./ledger.ts";
import type { LatencySummary, LoadWindow } from "./load-result.ts";
import type { RecordIdentity } from "./payload.ts";
import { plannedRate, profileDurationMs, type RatePhase } from "./rate-profile.ts";

/** A plot shows no more; windows of long tests are longer. */
const WINDOWS_MAX = 1200;

/** Counts what happens, window by window and over all. */
export class LoadSeries {
  readonly windows: LoadWindow[] = [];
  readonly windowMs: number;
  readonly outcomes: Record<string, number> = {};
  readonly #phases: readonly RatePhase[];
  readonly #ledger: Ledger;
  readonly #latency = new LatencyHistogram();
  readonly #windowLatency = new LatencyHistogram();
  readonly #late = new LatencyHistogram();
  #sent = 0;
  #delivered = 0;
  #invocations = 0;
  #failures = 0;
  #firstMs: number | undefined;
  #lastMs = 0;
  #windowStartMs = 0;

  constructor(phases: readonly RatePhase[], ledger: Ledger) {
    this.#phases = phases;
    this.#ledger = ledger;
    this.windowMs = Math.max(1000, Math.ceil(profileDurationMs(phases) / WINDOWS_MAX / 1000) * 1000);
  }

  sent(lateMs: number, records: number): void {
    this.#sent += records;
    for (let record = 0; record < records; record++) this.#late.record(lateMs);
  }

  fresh(records: readonly RecordIdentity[], nowMs: number): void {
    if (records.length === 0) return;
    this.#delivered += records.length;
    this.#firstMs ??= nowMs;
    this.#lastMs = nowMs;
    for (const { dueMs } of records) {
      this.#latency.record(nowMs - dueMs);
      this.#windowLatency.record(nowMs - dueMs);
    }
  }

  outcome(fate: string): void {
    this.outcomes[fate] = (this.outcomes[fate] ?? 0) + 1;
    this.#invocations += 1;
    if (fate !== "succeed") this.#failures += 1;
  }

  /** Ends a window. `atMs`: since the first record was due. */
  closeWindow(atMs: number): LoadWindow {
    const seconds = (atMs - this.#windowStartMs) / 1000;
    const latency = this.#windowLatency;
    const window: LoadWindow = {
      atMs,
      seconds,
      plannedPerSecond: plannedRate(this.#phases, (this.#windowStartMs + atMs) / 2),
      sent: this.#sent,
      delivered: this.#delivered,
      invocations: this.#invocations,
      failures: this.#failures,
      inFlight: this.#ledger.inFlight,
      lag: this.#ledger.waiting,
      p50Ms: latency.percentile(0.5),
      p90Ms: latency.percentile(0.9),
      p99Ms: latency.percentile(0.99),
      maxMs: latency.maxMs,
    };
    this.windows.push(window);
    latency.clear();
    this.#sent = 0;
    this.#delivered = 0;
    this.#invocations = 0;
    this.#failures = 0;
    this.#windowStartMs = atMs;
    return window;
  }

  latency(): LatencySummary {
    const all = this.#latency;
    return {
      count: all.count,
      meanMs: all.meanMs,
      p50Ms: all.percentile(0.5),
      p90Ms: all.percentile(0.9),
      p99Ms: all.percentile(0.99),
      p999Ms: all.percentile(0.999),
      maxMs: all.maxMs,
      curve: all.curve(),
    };
  }

  sendLate() {
    const { maxMs } = this.#late;
    return { p50Ms: this.#late.percentile(0.5), p99Ms: this.#late.percentile(0.99), maxMs };
  }

  deliveredPerSecond(): number {
    const seconds = (this.#lastMs - (this.#firstMs ?? this.#lastMs)) / 1000;
    return seconds === 0 ? 0 : this.#latency.count / seconds;
  }
}
