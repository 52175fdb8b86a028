import { setTimeout as sleep } from "node:timers/promises";
import { firstOf, whenAborted } from "../lib/first-of.ts";
import { describeError } from "../model/errors.ts";
import type { RecordSender } from "../ports/record-sender.ts";
import { DiscardedRecords } from "./discarded-records.ts";
import { FaultSchedule } from "./fault-schedule.ts";
import type { FunctionServer } from "./function-server.ts";
import { KeySkew } from "./key-skew.ts";
import type { Ledger } from "./ledger.ts";
import type { LoadEngine } from "./load-engine.ts";
import { type LoadResult, type LoadWindow, type MemorySample, RESULT_FORMAT } from "./load-result.ts";
import type { ScenarioFile } from "./load-scenario.ts";
import type { LoadSeries } from "./load-series.ts";
import { describeMachine } from "./machine.ts";
import { MemoryWatch, memoryTrends } from "./memory-watch.ts";
import { dueTimes, profileDurationMs } from "./rate-profile.ts";
import { RecordFeed } from "./record-feed.ts";
import type { ScenarioFault, ScenarioSpec } from "./scenario-schema.ts";
import { seededRandom } from "./seeded-random.ts";
import { judge } from "./verdicts.ts";

export type LoadProgress =
  | {
      readonly kind: "window";
      readonly window: LoadWindow;
      /** How long records are sent. */
      readonly totalMs: number;
      readonly memory: MemorySample | undefined;
      readonly violations: number;
    }
  | { readonly kind: "event"; readonly atMs: number; readonly text: string };

export interface LoadParts {
  readonly scenario: ScenarioFile;
  readonly version: string;
  readonly run: string;
  readonly ledger: Ledger;
  readonly series: LoadSeries;
  readonly server: FunctionServer;
  readonly sender: RecordSender;
  /** Ready. */
  readonly engine: LoadEngine;
  readonly discardedFile: string | undefined;
  readonly onProgress: (progress: LoadProgress) => void;
  /** Ends the sending early. */
  readonly signal: AbortSignal;
}

interface WindowWatch {
  /** With what has happened since the last whole window: its tail is as much part of the test. */
  end(atMs: number): void;
  /** Idempotent. */
  stop(): void;
}

const SETTLE_POLL_MS = 20;
/** A while without progress: perhaps the rest was given up. */
const DISCARDED_AFTER_MS = 500;
/** After the last record is settled: a duplicate that comes by itself comes soon. */
const QUIET_MS = 500;

/** Sends, lets faults happen, watches, waits for the rest, and judges. */
export class LoadMeasurement {
  readonly #machine = describeMachine();
  readonly #startedAt = new Date().toISOString();
  readonly #failed = new AbortController();
  #failure: string | undefined;
  #startMs = 0;
  #engineStarts = 1;

  /** The test cannot go on. */
  fail(reason: string): void {
    this.#failure ??= reason;
    this.#failed.abort();
  }

  async run(parts: LoadParts): Promise<LoadResult> {
    this.#startMs = performance.now();
    const { scenario, engine, ledger, series } = parts;
    const { spec } = scenario.scenario;
    const memory = this.#watchMemory(spec, engine);
    const faults = this.#scheduleFaults(parts, memory);
    const feed = createFeed(parts, spec);
    const windows = this.#watchWindows(parts, memory);
    try {
      const faulting = faults
        .run(this.#failed.signal)
        .catch((error: unknown) => this.fail(describeError(error)));
      await Promise.all([this.#feed(feed, parts.signal), faulting]);
      const sendingEndedMs = this.#elapsed();
      say(parts, sendingEndedMs, "all records are sent; waiting for the rest");
      const discarded = new DiscardedRecords(parts.discardedFile, ledger);
      await this.#drain(spec, ledger, discarded);
      memory.stop();
      const durationMs = this.#elapsed();
      windows.end(durationMs);
      const engineStatus = await engine.stop();
      discarded.readNew();
      const measured = {
        ledger: ledger.report(),
        latency: series.latency(),
        deliveredPerSecond: series.deliveredPerSecond(),
        trends: memoryTrends(memory.samples, warmupMs(spec), sendingEndedMs),
      };
      const verdicts = judge(
        { ...measured, hasEngine: spec.engine !== "none", engineStatus, failure: this.#failure },
        spec.thresholds,
      );
      return {
        format: RESULT_FORMAT,
        name: scenario.scenario.metadata.name,
        startedAt: this.#startedAt,
        version: parts.version,
        machine: this.#machine,
        scenario: spec,
        scenarioText: scenario.text,
        durationMs,
        ...measured,
        windows: series.windows,
        memory: memory.samples,
        sendLate: series.sendLate(),
        faults: faults.records.toSorted((a, b) => a.fromMs - b.fromMs),
        invocations: series.outcomes,
        engineStarts: this.#engineStarts,
        verdicts,
        passed: verdicts.every(({ holds }) => holds),
      };
    } finally {
      windows.stop();
      memory.stop();
      feed.close();
    }
  }

  #watchMemory({ memory }: ScenarioSpec, engine: LoadEngine): MemoryWatch {
    const watch = new MemoryWatch({
      engine,
      sampleMs: memory.sampleSeconds * 1000,
      collectMs: memory.collectSeconds * 1000,
      now: () => this.#elapsed(),
    });
    watch.start();
    return watch;
  }

  #scheduleFaults(parts: LoadParts, memory: MemoryWatch): FaultSchedule {
    const { scenario, engine, server: fn, ledger } = parts;
    const { faults, engine: settings } = scenario.scenario.spec;
    return new FaultSchedule({
      ...{ faults, engine, fn, ledger, memory },
      checkpointAgeMs: settings === "none" ? 0 : settings.checkpointIntervalMs + settings.checkpointLateMs,
      elapsed: () => this.#elapsed(),
      now: () => performance.now(),
      onFault: (fault, isOver) => this.#noteFault(parts, fault, isOver),
    });
  }

  /** Until all is sent, or the test cannot go on. */
  async #feed(feed: RecordFeed, stop: AbortSignal): Promise<void> {
    const { signal } = this.#failed;
    const onStop = () => feed.stop();
    stop.addEventListener("abort", onStop, { once: true });
    try {
      await firstOf(
        feed.run(this.#startMs),
        whenAborted(signal, () => signal.reason),
      );
    } catch (error) {
      this.fail(describeError(error));
    }
    stop.removeEventListener("abort", onStop);
    feed.stop();
  }

  /** Until everything is settled, or nothing has come for as long as the scenario waits. */
  async #drain({ drainSeconds }: ScenarioSpec, ledger: Ledger, discarded: DiscardedRecords): Promise<void> {
    let movedMs = performance.now();
    let before = ledger.waiting;
    while (ledger.waiting > 0 && !this.#failed.signal.aborted) {
      await sleep(SETTLE_POLL_MS);
      const stoodMs = performance.now() - movedMs;
      if (ledger.waiting !== before) movedMs = performance.now();
      else if (stoodMs > drainSeconds * 1000) return;
      else if (stoodMs > DISCARDED_AFTER_MS) discarded.readNew();
      before = ledger.waiting;
    }
    await sleep(QUIET_MS);
  }

  #watchWindows({ scenario, series, ledger, onProgress }: LoadParts, memory: MemoryWatch): WindowWatch {
    const totalMs = profileDurationMs(scenario.scenario.spec.rate);
    let nextMs = series.windowMs;
    const close = (atMs: number) => {
      const window = series.closeWindow(atMs);
      const { violated: violations } = ledger;
      onProgress({ kind: "window", window, totalMs, memory: memory.samples.at(-1), violations });
    };
    const closeInTime = () => {
      close(this.#elapsed());
      // A harness that stood still makes one long window of it, not many short ones.
      nextMs = Math.max(nextMs + series.windowMs, this.#elapsed() + series.windowMs / 2);
      timer = setTimeout(closeInTime, Math.max(0, nextMs - this.#elapsed()));
    };
    let timer = setTimeout(closeInTime, nextMs);
    const stop = () => clearTimeout(timer);
    const end = (atMs: number) => {
      stop();
      close(atMs);
    };
    return { end, stop };
  }

  #noteFault(parts: LoadParts, { kind, seconds }: ScenarioFault, isOver: boolean): void {
    if (isOver && kind === "crash") this.#engineStarts += 1;
    say(parts, this.#elapsed(), isOver ? `${kind} is over` : `${kind}, for ${seconds} s`);
  }

  #elapsed(): number {
    return performance.now() - this.#startMs;
  }
}

function createFeed({ sender, ledger, series, run }: LoadParts, spec: ScenarioSpec): RecordFeed {
  const { seed, keys, record, rate } = spec;
  return new RecordFeed({
    sender,
    ledger,
    dueTimes: dueTimes(rate),
    keys: new KeySkew(seededRandom(seed, "keys"), keys),
    sizes: seededRandom(seed, "sizes"),
    bytes: record.bytes,
    bytesMax: record.bytesMax ?? record.bytes,
    run,
    now: () => performance.now(),
    onSent: (lateMs, records) => series.sent(lateMs, records),
  });
}

function warmupMs({ memory, rate }: ScenarioSpec): number {
  return memory.warmupSeconds === undefined ? profileDurationMs(rate) / 5 : memory.warmupSeconds * 1000;
}

function say({ onProgress }: LoadParts, atMs: number, text: string): void {
  onProgress({ kind: "event", atMs, text });
}
