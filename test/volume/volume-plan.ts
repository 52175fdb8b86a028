/** What one run takes through the engine, and behind what. */
export interface VolumeRun {
  readonly source: VolumeSource;
  /** `server`: a real one, which needs Java and Maven for some; otherwise a canned one or a file. */
  readonly feed: "canned" | "server";
  readonly fn: "http" | "module" | "lambda";
  readonly store: "memory" | "sqlite" | "postgres" | "dynamodb";
}

export type VolumeSource = "kinesis" | "dynamodb-streams" | "sqs" | "kafka" | "local-stream" | "local-queue";

/** Each source once, in the order of their worth; every pair of a kind of function and a store that needs no server. */
export const VOLUME_RUNS: readonly VolumeRun[] = [
  { source: "kafka", feed: "canned", fn: "lambda", store: "sqlite" },
  { source: "kinesis", feed: "canned", fn: "http", store: "sqlite" },
  { source: "sqs", feed: "canned", fn: "http", store: "memory" },
  { source: "dynamodb-streams", feed: "canned", fn: "lambda", store: "memory" },
  { source: "local-stream", feed: "canned", fn: "module", store: "sqlite" },
  { source: "local-queue", feed: "canned", fn: "module", store: "memory" },
];

/** The other pairs. A queue keeps nothing in a store, so these are streams. */
export const STORE_SERVER_RUNS: readonly VolumeRun[] = [
  { source: "kafka", feed: "canned", fn: "http", store: "postgres" },
  { source: "kinesis", feed: "canned", fn: "lambda", store: "dynamodb" },
  { source: "dynamodb-streams", feed: "canned", fn: "module", store: "postgres" },
  { source: "local-stream", feed: "canned", fn: "http", store: "dynamodb" },
  { source: "local-stream", feed: "canned", fn: "lambda", store: "postgres" },
  { source: "kafka", feed: "canned", fn: "module", store: "dynamodb" },
];

/** Each source that is a server's, from a real one. */
export const SOURCE_SERVER_RUNS: readonly VolumeRun[] = [
  { source: "kafka", feed: "server", fn: "http", store: "sqlite" },
  { source: "kinesis", feed: "server", fn: "http", store: "sqlite" },
  { source: "sqs", feed: "server", fn: "http", store: "memory" },
  { source: "dynamodb-streams", feed: "server", fn: "http", store: "sqlite" },
];

/** What the engine's process holds after a forced collection. Bytes, but for the last two. */
export interface VolumeSample {
  /** Payload bytes that the function has got until then. */
  readonly delivered: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly descriptors: number;
  readonly timers: number;
}

/** What the engine's process is started with, as JSON. */
export interface VolumeWork extends VolumeRun {
  readonly folder: string;
  readonly place: FeedPlace;
  /** Of `http` and `lambda`. */
  readonly functionUrl: string | undefined;
  /** Of a store that is a server's: its URL; DynamoDB is found by the environment. */
  readonly storeUrl: string | undefined;
  readonly stepBytes: number;
  readonly totalBytes: number;
}

/** Where the engine finds what it reads, and who feeds a real server. */
export interface FeedPlace {
  /** Of everything but Kafka. */
  readonly arn: string;
  readonly topic: string;
  readonly bootstrap: string;
  readonly file: string;
}

const GIGABYTE = 1e9;

/** Of a line through the samples: bytes held more for each gigabyte that went through. */
export function slopePerGigabyte(
  samples: readonly VolumeSample[],
  of: (sample: VolumeSample) => number,
): number {
  const count = samples.length;
  const meanX = samples.reduce((sum, { delivered }) => sum + delivered / GIGABYTE, 0) / count;
  const meanY = samples.reduce((sum, sample) => sum + of(sample), 0) / count;
  let above = 0;
  let below = 0;
  for (const sample of samples) {
    const x = sample.delivered / GIGABYTE - meanX;
    above += x * (of(sample) - meanY);
    below += x * x;
  }
  return below === 0 ? 0 : above / below;
}

/**
 * Held more at the end than at first; the end is the lesser of the last two, since what is under way comes and goes.
 */
export function growthOf(samples: readonly VolumeSample[], of: (sample: VolumeSample) => number): number {
  const [first, ...later] = samples;
  return first === undefined || later.length === 0 ? 0 : Math.min(...later.slice(-2).map(of)) - of(first);
}
