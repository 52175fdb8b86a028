import { knownArrivalMs } from "../../model/arrival.ts";
import type { WindowCheckpoint } from "../../model/checkpoint.ts";
import { assertInvariant } from "../../model/errors.ts";
import type { ScheduledCall } from "../../ports/clock.ts";
import { Batcher } from "../batch/batcher.ts";
import type { LaneExplanation } from "../explanation.ts";
import { epochOf } from "../invoke/attempt-notes.ts";
import { BatchRun } from "./batch-run.ts";
import { BatchingWindow } from "./batching-window.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import { bornMs } from "./expiry.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { ShardContext } from "./shard-context.ts";
import { OpenWindow } from "./tumbling-window.ts";

/** Room for the window's members of an event beside the state itself. */
const WINDOW_MEMBER_BYTES = 1024;

export interface LaneOptions {
  readonly context: ShardContext;
  /** When it is full, waiting for more records is pointless, whatever the batching window says. */
  readonly readAhead: Pick<ReadAhead, "isFull">;
  /** The shard is at its end: nothing more will come. */
  isAtEnd(): boolean;
  /** A batch run ended: the shard may be done, or drained. */
  onIdle(): void;
  /** A defect: stops the shard's worker. */
  onDefect(error: unknown): void;
  readonly window: WindowCheckpoint | undefined;
  /** Its records are to be dealt out anew before a batch is cut of them. */
  isBehind(): boolean;
  /** That is to be done now, or when the next batch has ended. */
  onBehind(): void;
}

/**
 * An ordered part of a shard: one batch at a time, to its end. Keys hash to lanes, so order per key is order per lane
 * (streams §4.1).
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #context: ShardContext;
  readonly #batcher: Batcher;
  #isRunning = false;
  /** The batch that is under way. */
  #run: BatchRun | undefined;
  #timer: ScheduledCall | undefined;
  readonly #batchingWindow: BatchingWindow;
  /** Monotonic: when it began to have nothing but records that wait. */
  #idleSinceMs: number;
  #window: OpenWindow | undefined;
  /** Epoch milliseconds of the last read that found nothing new. */
  #idleReadMs = Number.NEGATIVE_INFINITY;

  constructor(options: LaneOptions) {
    const { context, window } = options;
    this.#options = options;
    this.#context = context;
    this.#batcher = new Batcher({
      batchSize: context.mapping.batchSize,
      payloadBytesMax: context.settings.payloadBytesMax,
      envelopeBytes: context.source.events.envelopeBytes(context.shardId),
    });
    const { batchingWindowFrom } = context.source.description;
    const { batchingWindowMs } = context.mapping;
    this.#batchingWindow = new BatchingWindow(batchingWindowMs, batchingWindowFrom, context.clock);
    this.#idleSinceMs = context.clock.monotonic();
    // plant: an-open-window-is-forgotten-when-windows-are-switched-off
    if (window !== undefined) {
      this.#window = OpenWindow.resume(window, context.mapping.tumblingWindowMs);
      context.telemetry.mark("window resumed from checkpoint");
    }
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Nothing queued, nothing running, no tumbling window open. */
  get isEmpty(): boolean {
    return !this.#isRunning && this.#batcher.size === 0 && this.#window === undefined;
  }

  /** `undefined`: there is nothing to do. */
  explain(lane: number): LaneExplanation | undefined {
    if (this.isEmpty) return undefined;
    const isFilling = this.#batchingWindow.isThere && !this.#isRunning && this.#batcher.size > 0;
    const epochMs = epochOf(this.#context.clock);
    return {
      lane,
      waitingRecords: this.#batcher.size,
      idleSinceMs: epochMs(this.#idleSinceMs),
      fillingUntilMs: isFilling ? epochMs(this.#batchingWindow.endsAtMs) : undefined,
      batch: this.#isRunning ? this.#run?.explain() : undefined,
    };
  }

  get windowCheckpoint(): WindowCheckpoint | undefined {
    return this.#window?.asCheckpoint();
  }

  push(buffered: BufferedRecord): void {
    if (this.#batcher.size === 0) {
      this.#idleSinceMs = this.#context.clock.monotonic();
      this.#batchingWindow.firstQueued();
    }
    this.#batcher.push(buffered);
  }

  /** A read found the shard without new records: what waits for the end of a tumbling window may go on. */
  sawIdleRead(sourceMs: number): void {
    this.#idleReadMs = sourceMs;
  }

  /** Starts a batch if one is due; to be called after whatever may have made one due. */
  poke(): void {
    // plant: a-lane-starts-a-batch-while-one-runs
    if (this.#isRunning || this.#context.startPermission() === "stop") return;
    if (this.#options.isBehind()) {
      this.#options.onBehind();
      return;
    }
    const dueInMs = this.#dueInMs();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (dueInMs === undefined) return;
    if (dueInMs > 0) {
      // plant: a-lane-forgets-to-wake-up-for-the-batch-that-it-fills
      this.#timer = this.#context.clock.schedule(dueInMs, () => this.poke());
      return;
    }
    this.#isRunning = true;
    this.#runWhileDue().then(
      () => this.#options.onIdle(),
      (error: unknown) => this.#options.onDefect(error),
    );
  }

  /** What no batch was cut of yet; it has nothing then. */
  takeWaiting(): readonly BufferedRecord[] {
    return this.#batcher.takeAll();
  }

  /** The same of one key alone. */
  takeWaitingOf(key: string): readonly BufferedRecord[] {
    return this.#batcher.takeKey(key);
  }

  stop(): void {
    // plant: a-lanes-timer-survives-its-stop
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #runWhileDue(): Promise<void> {
    assertInvariant(this.#run === undefined, "a lane starts a batch while one runs");
    try {
      let isStopped = false;
      while (!isStopped && !this.#options.isBehind() && this.#dueInMs() === 0) {
        isStopped = !(await this.#runNext());
        this.#batchingWindow.invocationEnded();
      }
    } finally {
      this.#isRunning = false;
      this.#idleSinceMs = this.#context.clock.monotonic();
      // It holds the records of its batch.
      this.#run = undefined;
    }
    this.poke();
  }

  #runNext(): Promise<boolean> {
    if (this.#isWindowDue()) return this.#closeWindow();
    return this.#runBatch();
  }

  async #runBatch(): Promise<boolean> {
    const { context } = this.#options;
    const { tumblingWindowMs } = context.mapping;
    const first = this.#batcher.first;
    if (first === undefined) return true;
    if (tumblingWindowMs > 0) this.#window ??= OpenWindow.around(arrivalFor(first), tumblingWindowMs);
    const window = this.#window;
    const { records, isCutBySize } =
      window === undefined
        ? this.#batcher.take()
        : this.#batcher.take(Buffer.byteLength(window.stateJson) + WINDOW_MEMBER_BYTES, ({ record }) =>
            window.holds(record.arrivalMs),
          );
    if (isCutBySize) context.telemetry.mark("batch cut by payload size");
    this.#batchingWindow.batchTaken();
    this.#run = new BatchRun(context, window);
    const isSettled = await this.#run.run(records);
    if (isSettled) this.#tellAge(records.at(-1));
    return isSettled;
  }

  #tellAge(last: BufferedRecord | undefined): void {
    const { clock, telemetry, mapping } = this.#context;
    const born = last && bornMs(last.record.arrivalMs, last.read);
    if (born === undefined) return;
    telemetry.observe("iterator_age_seconds", mapping.name, Math.max(0, clock.monotonic() - born) / 1000);
  }

  async #closeWindow(): Promise<boolean> {
    this.#run = new BatchRun(this.#context, this.#window);
    const isClosed = await this.#run.runFinal();
    if (isClosed) {
      this.#window = undefined;
      this.#context.windowChanged();
    }
    return isClosed;
  }

  /** Milliseconds until a batch or a final invocation is to start; 0: now; `undefined`: nothing to wait for. */
  #dueInMs(): number | undefined {
    if (this.#isWindowDue()) return 0;
    const first = this.#batcher.first;
    if (first === undefined) return undefined;
    const { clock, telemetry } = this.#context;
    if (!this.#batchingWindow.isThere || this.#batcher.isFull || this.#options.isAtEnd()) return 0;
    if (this.#options.readAhead.isFull) {
      telemetry.mark("batch flushed under pressure");
      return 0;
    }
    // A batch that is not full still comes to its age decision in time (streams §3.7).
    const dueMs = Math.min(this.#batchingWindow.endsAtMs, this.#context.expiry.dueMs(first));
    const dueInMs = Math.max(0, dueMs - clock.monotonic());
    if (dueInMs === 0) telemetry.mark("batch flushed by window");
    return dueInMs;
  }

  /** A later record, the end of the shard or time has closed the tumbling window (streams §6.1). */
  #isWindowDue(): boolean {
    const window = this.#window;
    if (window === undefined) return false;
    // It was opened before an update took the mapping's windows away: its state is handed over, and that is all.
    if (this.#context.mapping.tumblingWindowMs === 0) return true;
    const next = this.#batcher.first;
    if (next !== undefined) return !window.holds(next.record.arrivalMs);
    if (this.#options.isAtEnd()) return true;
    const isIdle = this.#idleReadMs >= window.endMs + this.#context.settings.windowIdleCloseMs;
    if (isIdle) this.#context.telemetry.mark("window closed by idle time");
    return isIdle;
  }
}

/** A record whose arrival nobody knows opens the window of the moment in which it was read. */
function arrivalFor({ record, read }: BufferedRecord): number {
  return knownArrivalMs(record.arrivalMs) ?? read.answeredMs ?? read.wallMs;
}
