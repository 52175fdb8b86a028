import type { Position, StartPoint } from "../../model/record.ts";
import type { LogAnew, ShardRead } from "../../ports/stream-source.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";

export interface ShardLogOptions {
  readonly telemetry: Telemetry;
  readonly mapping: string;
  readonly shardId: string;
  /** What the checkpoint knows of the log (`Checkpoint.logId`). */
  readonly logId: string | undefined;
  /** Everything that was read is settled, and nothing waits for more. */
  isDone(): boolean;
  comparePositions(a: Position, b: Position): number;
}

/**
 * Which log a shard's positions belong to. Where it turns out to be another, what was read of the old one is brought to
 * its end before anything of the new one is read: positions of two logs are never open together.
 */
export class ShardLog {
  readonly #options: ShardLogOptions;
  #logId: string | undefined;
  /** Set while what was read of the old log is brought to its end. */
  #turn: PromiseWithResolvers<void> | undefined;

  constructor(options: ShardLogOptions) {
    this.#options = options;
    this.#logId = options.logId;
  }

  get logId(): string | undefined {
    return this.#logId;
  }

  get isTurning(): boolean {
    return this.#turn !== undefined;
  }

  /** `true`: more is known of the log than before. */
  isNews({ logId = this.#logId }: ShardRead): boolean {
    return logId !== this.#logId;
  }

  /** The same, and it is kept. */
  saw(read: ShardRead): boolean {
    const isNews = this.isNews(read);
    this.#logId = read.logId ?? this.#logId;
    return isNews;
  }

  /**
   * A place behind the last record that a read has looked at: there is none in between. `undefined`: it did not look so
   * far.
   */
  lookedBehind({ records, lookedTo }: ShardRead, resume: StartPoint): Position | undefined {
    if (lookedTo === undefined) return undefined;
    const last = records.at(-1)?.position ?? (resume.kind === "after" ? resume.position : undefined);
    return last === undefined || this.#options.comparePositions(lookedTo, last) > 0 ? lookedTo : undefined;
  }

  /** Tells, and resolves when all that was read of the old log is settled, or when `release` ended the wait. */
  async turn(anew: LogAnew, poke: () => void): Promise<void> {
    this.#tell(anew);
    const turn = Promise.withResolvers<void>();
    this.#turn = turn;
    poke();
    this.progressed();
    // plant: the-new-log-is-read-before-the-old-one-is-brought-to-its-end
    await turn.promise;
    this.#turn = undefined;
  }

  /** To be called when something was settled, or a lane has become idle. */
  progressed(): void {
    if (this.#turn !== undefined && this.#options.isDone()) this.#turn.resolve();
  }

  /** The worker ends. */
  release(): void {
    this.#turn?.resolve();
  }

  #tell({ because, told }: LogAnew): void {
    const { telemetry, mapping, shardId } = this.#options;
    // plant: nobody-is-told-that-a-shard-is-another-log
    telemetry.count("changed_logs", mapping, 1);
    const fields: LogFields = { mapping, shardId, reason: because, told };
    telemetry.log("warn", "a shard is another log than the one that was read, or lost its end", fields);
  }
}
