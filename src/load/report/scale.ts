/** Maps values to pixels, and says where to put ticks. */
export interface Scale {
  readonly kind: "linear" | "log";
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** 0 at `min`, 1 at `max`. */
  place(value: number): number;
}

const STEPS = [1, 2, 5, 10];

/** From 0 to a round number at or above the largest value. */
export function linearScale(largest: number, ticksWanted = 5): Scale {
  const max = largest > 0 && Number.isFinite(largest) ? largest : 1;
  const step = roundStep(max / ticksWanted);
  const end = Math.ceil(max / step - 1e-9) * step;
  const count = Math.round(end / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
  return { kind: "linear", min: 0, max: end, ticks, place: (value) => value / end };
}

/** Between powers of ten around the values. */
export function logScale(smallest: number, largest: number): Scale {
  const low = Math.floor(Math.log10(Math.max(smallest, 1e-3)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(largest, 1e-3)) - 1e-9));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const place = (value: number) => (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
  return { kind: "log", min: 10 ** low, max: 10 ** high, ticks, place };
}

const TIME_STEPS_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
];

/** Milliseconds from 0, with ticks at round seconds, minutes or hours; ends where the values end. */
export function timeScale(endMs: number, ticksMax = 10): Scale {
  const end = Math.max(1000, endMs);
  const stepSeconds = TIME_STEPS_SECONDS.find((step) => end / 1000 / step <= ticksMax) ?? 86_400 * 7;
  const count = Math.floor(end / 1000 / stepSeconds);
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * stepSeconds * 1000);
  return { kind: "linear", min: 0, max: end, ticks, place: (value) => value / end };
}

function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return (STEPS.find((step) => step * power >= wanted * (1 - 1e-9)) ?? 10) * power;
}
