import type { StreamRecord } from "../../model/record.ts";

/** A record between its read and its settlement. */
export interface BufferedRecord {
  readonly record: StreamRecord;
  /** Its place in the shard's low-water mark. */
  readonly ordinal: number;
  /** The read that brought it; all of its records share this. */
  readonly read: ReadMoment;
  /** Why no function can have it, though its source gave it as whole: found out here (`throwing-source.ts`). */
  damage?: string | undefined;
}

/** When records were read, by each clock, and of which log they are. */
export interface ReadMoment {
  readonly monotonicMs: number;
  /** The host's wall clock: for people and metrics, where the source's is not known. */
  readonly wallMs: number;
  /** The source's own clock (`ShardRead.answeredMs`). */
  readonly answeredMs: number | undefined;
  readonly logId: string | undefined;
}
