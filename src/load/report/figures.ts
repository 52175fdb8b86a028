/** Figures as people read them. */

export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function rate(value: number): string {
  return `${value >= 10 ? count(value) : value.toFixed(1)}/s`;
}

/** A figure as an axis has it: short. */
export function short(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)}M`;
  return value >= 10_000 ? `${trim(value / 1000)}k` : trim(value);
}

export function milliseconds(ms: number): string {
  if (ms >= 100_000) return `${count(ms / 1000)} s`;
  if (ms >= 1000) return `${trim(ms / 1000)} s`;
  return ms >= 100 ? `${count(ms)} ms` : `${trim(ms)} ms`;
}

export function mebibytes(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return `${mib >= 100 ? count(mib) : mib.toFixed(1)} MiB`;
}

/** `0:05`, `1:02:03` */
export function clockTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
