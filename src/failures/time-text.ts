const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time as people write it: a date (`2026-11-30`, `2026-11-30T12:00Z`), how long ago (`90m`, `2h`, `3d`), or epoch
 * milliseconds. `undefined`: it is none.
 */
export function timeOf(text: string, nowMs: number): number | undefined {
  const [, amount, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * (UNITS_MS[unit] ?? 0);
  if (/^\d{10,16}$/.test(text)) return Number(text);
  const epochMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
