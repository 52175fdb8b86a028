import type { Telemetry } from "../../ports/telemetry.ts";

/** What one shard adds to the gauges of its mapping. */
export interface ShardLevels {
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  /** Records settled since the newest durable checkpoint: what a crash now would repeat, beside what is in flight. */
  readonly checkpointLagRecords: number;
}

const NOTHING: ShardLevels = { bufferedRecords: 0, bufferedBytes: 0, checkpointLagRecords: 0 };

/** Sums of a mapping over its shards in this process. */
export class ProgressGauges {
  readonly #telemetry: Telemetry;
  readonly #mapping: string;
  #sums = NOTHING;

  constructor(telemetry: Telemetry, mapping: string) {
    this.#telemetry = telemetry;
    this.#mapping = mapping;
  }

  /** A shard's part; to be set to nothing when its worker ends. */
  shard(): (levels: ShardLevels | undefined) => void {
    let last = NOTHING;
    return (levels = NOTHING) => {
      this.#sums = {
        bufferedRecords: this.#sums.bufferedRecords + levels.bufferedRecords - last.bufferedRecords,
        bufferedBytes: this.#sums.bufferedBytes + levels.bufferedBytes - last.bufferedBytes,
        checkpointLagRecords:
          this.#sums.checkpointLagRecords + levels.checkpointLagRecords - last.checkpointLagRecords,
      };
      last = levels;
      const telemetry = this.#telemetry;
      telemetry.gauge("buffered_records", this.#mapping, this.#sums.bufferedRecords);
      telemetry.gauge("buffered_bytes", this.#mapping, this.#sums.bufferedBytes);
      telemetry.gauge("checkpoint_lag_records", this.#mapping, this.#sums.checkpointLagRecords);
    };
  }
}
