import type { CallFigures } from "../ports/call-figures.ts";

/** As a cell keeps them. `beat` makes each telling another one. */
export function writeFigures({ calls, errors, throttles, durations }: CallFigures, beat: number): string {
  return JSON.stringify({ beat, calls, errors, throttles, durations: [...durations] });
}

/** `undefined`: another version of millrace wrote it, or nobody did. */
export function figuresIn(document: string): CallFigures | undefined {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { calls, errors, throttles, durations } = value as Readonly<Record<string, unknown>>;
  const counts = [calls, errors, throttles];
  if (!counts.every(isCount) || !Array.isArray(durations)) return undefined;
  const pairs = durations.filter(isPair);
  const [known = 0, failed = 0, refused = 0] = counts.filter(isCount);
  return { calls: known, errors: failed, throttles: refused, durations: new Map(pairs) };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
