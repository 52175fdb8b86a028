import type { Checkpoint } from "../../model/checkpoint.ts";
import { assertInvariant, describeError } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { HeldLease, ProgressStore } from "../../ports/progress-store.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { backoffMs } from "../invoke/backoff.ts";
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
  /** Revision of the checkpoint that was loaded. */
  readonly revision: number;
  /** What is settled now. */
  snapshot(): Omit<Checkpoint, "revision">;
  /** A write was accepted; `snapshot` is what is durable now. */
  onStored(stored: Checkpoint): void;
  /** Another owner has the shard. */
  onFenced(): void;
  onDefect(error: unknown): void;
}

/** Writes a shard's checkpoints, one at a time and at most one per interval; what happened meanwhile goes with the next. */
export class CheckpointLoop {
  readonly #options: CheckpointLoopOptions;
  #revision: number;
  /** Counts changes of progress; `#durableChange` is the newest one that the store has. */
  #change = 0;
  #durableChange = 0;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #isUrgent = false;
  #writing: Promise<void> | undefined;
  #timer: ScheduledCall | undefined;
  #isClosed = false;

  constructor(options: CheckpointLoopOptions) {
    this.#options = options;
    this.#revision = options.revision;
  }

  get isDurable(): boolean {
    return this.#durableChange === this.#change;
  }

  /** Progress was made: it is written within the interval. */
  changed(): void {
    this.#change++;
    this.#plan();
  }

  /** The shard is done: others wait for the store to know, so that is written without waiting for the interval. */
  ended(): void {
    this.#isUrgent = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.changed();
  }

  /** Writes what is not durable yet, in up to `triesMax` tries. `true`: the store has it all. */
  async flush(triesMax: number): Promise<boolean> {
    await this.#writing;
    for (let tries = 0; tries < triesMax && !this.isDurable && !this.#isClosed; tries++) await this.#write();
    return this.isDurable;
  }

  /** Writes nothing more, whatever comes back. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #plan(): void {
    if (this.#isClosed || this.#writing !== undefined || this.#timer !== undefined || this.isDurable) return;
    const { clock, settings, random } = this.#options;
    const untilDueMs = this.#isUrgent
      ? 0
      : this.#lastWriteMs + settings.checkpointIntervalMs - clock.monotonic();
    const pauseMs = this.#failures > 0 ? backoffMs(this.#failures, settings, random) : 0;
    const delayMs = Math.max(0, untilDueMs, pauseMs);
    this.#timer = clock.schedule(delayMs, () => void this.#write());
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
      telemetry.log("warn", "a checkpoint could not be stored; trying again", fields);
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
    this.#durableChange = change;
    telemetry.count("checkpoints", mappingName, 1);
    this.#options.onStored(checkpoint);
  }
}
