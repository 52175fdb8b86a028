/**
 * Values of one power of two share so many buckets: a percentile is at most 1/64 above the value that it stands for.
 */
const STEPS_BITS = 6;
const STEPS = 2 ** STEPS_BITS;
/** Microseconds: 2^36 of them are 19 hours, longer than any wait of a scenario. */
const OCTAVES = 36;
const BUCKETS = (OCTAVES - STEPS_BITS + 1) * STEPS;

/** One point of a percentile curve. */
export interface PercentilePoint {
  /** 0 … 1 */
  readonly quantile: number;
  readonly ms: number;
}

/**
 * Counts latencies in buckets that grow with the value: bounded memory (16 KiB) however many there are. Below 64 µs a
 * bucket is a microsecond wide, above it a 64th of the value.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  record(ms: number): void {
    const index = bucketOf(Math.max(0, Math.floor(ms * 1000)));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The value at or below which a share of all latencies lies, milliseconds; 0 when there are none. */
  percentile(quantile: number): number {
    const wanted = Math.max(1, Math.ceil(quantile * this.#count));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= wanted && this.#count > 0) return Math.min(this.#maxMs, upperEdgeOf(index) / 1000);
    }
    return 0;
  }

  /** From the median's left on ever finer towards the slowest: each step halves what is above it. */
  curve(): readonly PercentilePoint[] {
    const quantiles = [0, 0.1, 0.25];
    for (let above = 0.5; above * this.#count >= 1 && quantiles.length < 64; above /= 2) {
      quantiles.push(1 - above, 1 - above * 0.75);
    }
    return [...quantiles, 1].map((quantile) => ({ quantile, ms: this.percentile(quantile) }));
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sumMs = 0;
    this.#maxMs = 0;
  }
}

function bucketOf(micros: number): number {
  if (micros < STEPS) return micros;
  const octave = Math.min(OCTAVES - 1, Math.floor(Math.log2(micros)));
  const step = Math.min(STEPS - 1, Math.floor(micros / 2 ** (octave - STEPS_BITS)) - STEPS);
  return (octave - STEPS_BITS + 1) * STEPS + Math.max(0, step);
}

/** The largest value of a bucket, so that a percentile is never told too low. */
function upperEdgeOf(index: number): number {
  if (index < STEPS) return index;
  const octave = Math.floor(index / STEPS) + STEPS_BITS - 1;
  const step = index % STEPS;
  return (STEPS + step + 1) * 2 ** (octave - STEPS_BITS);
}
