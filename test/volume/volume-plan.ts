/** What one run takes through the engine, and behind what. */
export interface VolumeRun {
  readonly source: VolumeSource;
  readonly fn: "http" | "module" | "inside";
  readonly store: "memory" | "sqlite";
}

export const VOLUME_SOURCES = [
  "kinesis",
  "dynamodb-streams",
  "sqs",
  "kafka",
  "local-stream",
  "local-queue",
] as const;
export type VolumeSource = (typeof VOLUME_SOURCES)[number];

/** Each source once; every pair of a kind of function and a store is among them. */
export const VOLUME_RUNS: readonly VolumeRun[] = [
  { source: "kinesis", fn: "http", store: "sqlite" },
  { source: "dynamodb-streams", fn: "inside", store: "memory" },
  { source: "sqs", fn: "http", store: "memory" },
  { source: "kafka", fn: "inside", store: "sqlite" },
  { source: "local-stream", fn: "module", store: "sqlite" },
  { source: "local-queue", fn: "module", store: "memory" },
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
  /** Of canned AWS services, the canned broker's `host:port`, or the file of local sources. */
  readonly place: string;
  readonly functionUrl: string | undefined;
  readonly stepBytes: number;
  readonly totalBytes: number;
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
