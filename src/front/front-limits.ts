/** What those who ask may take, one and all together. */
export interface FrontLimits {
  readonly connectionsMax: number;
  /** How long a connection may say nothing between two requests. */
  readonly quietMs: number;
  /** From a request's first byte to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly requestTimeoutMs: number;
  /** How often time-outs are looked at: what is slow lasts at most this much longer. */
  readonly checkMs: number;
  readonly headerBytesMax: number;
  readonly headersMax: number;
  /** Bytes of bodies, of events that are made of them and of responses, over all connections. */
  readonly bytesMax: number;
  /** Bytes among them of callers who have to sign and have not proven yet who they are. */
  readonly unprovenBytesMax: number;
  /** What is sent or taken more slowly than this is given up, once `graceMs` are over. */
  readonly bytesPerSecondMin: number;
  readonly graceMs: number;
  /** How long a response may find no room on its connection. */
  readonly stallMs: number;
  /** Requests that a connection may send before the first of them is answered. */
  readonly aheadMax: number;
  /** Requests a second of one caller who signs; a few times as many may come at once. */
  readonly signedPerSecondMax: number;
}

const MIB = 1024 * 1024;

export const FRONT_LIMITS: FrontLimits = {
  connectionsMax: 2_000,
  quietMs: 60_000,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 35_000,
  checkMs: 1_000,
  headerBytesMax: 16 * 1024,
  headersMax: 100,
  bytesMax: 256 * MIB,
  unprovenBytesMax: 64 * MIB,
  bytesPerSecondMin: 1_024,
  graceMs: 5_000,
  stallMs: 30_000,
  aheadMax: 16,
  signedPerSecondMax: 2_000,
};
