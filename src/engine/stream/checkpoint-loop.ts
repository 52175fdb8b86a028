import { backoffMs } from "../../lib/back-off.ts";
import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { assertInvariant, describeError } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { HeldLease, ProgressStore } from "../../ports/progress-store.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { EngineSettings } from "../settings.ts";

export interface CheckpointLoopOptions {
  readonly store: ProgressStore;
  readonly mappingUuid: string;
  readonly mappingName: string;
  readonly lease: HeldLease;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** The mapping's: what a store refuses to one shard it refuses to all. */
  readonly lines: RepeatedLines;
  /** Revision of the checkpoint that was loaded. */
  readonly revision: number;
  /** What is settled now. */
  snapshot(): Omit<Checkpoint, "revision">;
  /** A write was accepted; `snapshot` is what is durable now. */
  onStored(stored: Checkpoint): void;
  /** A write failed, or what became of it is not known. */
  onFailure(error: unknown): void;
  /** Another owner has the shard. */
  onFenced(): void;
  onDefect(error: unknown): void;
}

/** A store that is back is to be used within a moment, not a minute: renewals ask it once a second all the while. */
const PAUSE_MS_MAX = 2_000;

/**
 * Writes a shard's checkpoints, one at a time and at most one per interval; what happened meanwhile goes with the next.
 */
export class CheckpointLoop {
  readonly #options: CheckpointLoopOptions;
  #revision: number;
  /** Counts changes of progress; `#durableChange` is the newest one that the store has. */
  #change = 0;
  #durableChange = 0;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  /**
   * Monotonic time of the first change that no write has taken along, and of the first one in writes without success.
   */
  #unwrittenFromMs: number | undefined;
  #writingFromMs: number | undefined;
  #failures = 0;
  #isUrgent = false;
  #writing: Promise<void> | undefined;
  #timer: ScheduledCall | undefined;
  #isClosed = false;
  readonly #closing = new AbortController();

  constructor(options: CheckpointLoopOptions) {
    this.#options = options;
    this.#revision = options.revision;
  }

  get isDurable(): boolean {
    return this.#durableChange === this.#change;
  }

  /**
   * What is settled has not become durable for longer than a lease lasts: were we to end now, all of it would be
   * repeated. Who starts more work makes that more, so nothing is to start until the store has taken it.
   */
  get isBehind(): boolean {
    const fromMs = this.#writingFromMs ?? this.#unwrittenFromMs;
    if (fromMs === undefined) return false;
    const { clock, settings } = this.#options;
    const { leaseDurationMs, checkpointIntervalMs } = settings;
    return clock.monotonic() - fromMs >= Math.max(leaseDurationMs, 2 * checkpointIntervalMs);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Tries in a row that the store did not confirm. */
  get failures(): number {
    return this.#failures;
  }

  /** Progress was made: it is written within the interval. */
  changed(): void {
    this.#change++;
    this.#unwrittenFromMs ??= this.#options.clock.monotonic();
    this.#plan();
  }

  /** The shard is done: others wait for the store to know, so that is written without waiting for the interval. */
  ended(): void {
    this.#isUrgent = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.changed();
  }

  /** Writes what is not durable yet, as often as it takes, until the store has it all or the loop is closed. */
  async flush(): Promise<void> {
    for (;;) {
      await this.#writing;
      if (this.isDurable || this.#isClosed) return;
      await this.#write();
      if (this.isDurable || this.#isClosed) return;
      await sleep(this.#options.clock, this.#pauseMs(), this.#closing.signal);
    }
  }

  /** The same in so many tries, one right after the other: the last words of a worker that is out of time. */
  async flushInTries(triesMax: number): Promise<void> {
    await this.#writing;
    // plant: the-last-checkpoint-is-not-waited-for
    for (let tries = 0; tries < triesMax && !this.isDurable && !this.#isClosed; tries++) await this.#write();
  }

  /** Writes nothing more, whatever comes back. */
  close(): void {
    this.#isClosed = true;
    this.#closing.abort();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #plan(): void {
    if (this.#isClosed || this.#writing !== undefined || this.#timer !== undefined || this.isDurable) return;
    const { clock, settings } = this.#options;
    const untilDueMs = this.#isUrgent
      ? 0
      : this.#lastWriteMs + settings.checkpointIntervalMs - clock.monotonic();
    // plant: checkpoints-are-written-once-an-hour
    const delayMs = Math.max(0, untilDueMs, this.#pauseMs());
    this.#timer = clock.schedule(delayMs, () => void this.#write());
  }

  #pauseMs(): number {
    const { settings, random } = this.#options;
    if (this.#failures === 0) return 0;
    const backoffCapMs = Math.min(settings.backoffCapMs, PAUSE_MS_MAX);
    return backoffMs(this.#failures, { ...settings, backoffCapMs }, random);
  }

  /** One write at a time: two on their way could arrive the other way round. */
  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing ??= this.#writeOnce().then(
      () => {
        this.#writing = undefined;
        this.#plan();
      },
      (error: unknown) => {
        this.#writing = undefined;
        this.#options.onDefect(error);
      },
    );
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    const { store, mappingUuid, mappingName, lease, clock, telemetry } = this.#options;
    const change = this.#change;
    const checkpoint: Checkpoint = { revision: ++this.#revision, ...this.#options.snapshot() };
    this.#writingFromMs ??= this.#unwrittenFromMs;
    this.#unwrittenFromMs = undefined;
    this.#lastWriteMs = clock.monotonic();
    let result: Awaited<ReturnType<ProgressStore["checkpoint"]>>;
    try {
      result = await store.checkpoint(mappingUuid, lease, checkpoint);
    } catch (error) {
      // Whether it took effect is unknown. The next write carries a higher revision and all of this one's progress,
      // so it is right in either case, and a late arrival of this one is refused as stale.
      this.#failures++;
      telemetry.mark("checkpoint unknown then written again");
      telemetry.count("checkpoint_failures", mappingName, 1);
      const fields = { mapping: mappingName, shardId: lease.shardId, error: describeError(error) };
      this.#options.lines.write("warn", "a checkpoint could not be stored; trying again", fields);
      this.#options.onFailure(error);
      return;
    }
    if (this.#isClosed) return;
    if (result === "fenced") {
      telemetry.mark("checkpoint fenced");
      this.close();
      this.#options.onFenced();
      return;
    }
    assertInvariant(
      result === "stored",
      `checkpoint revision ${this.#revision} of ${lease.shardId} was stale`,
    );
    this.#failures = 0;
    this.#writingFromMs = undefined;
    this.#durableChange = change;
    telemetry.count("checkpoints", mappingName, 1);
    this.#options.onStored(checkpoint);
  }
}
