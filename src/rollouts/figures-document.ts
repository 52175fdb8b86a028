import type { CallFigures } from "../ports/call-figures.ts";
import type { RolloutFigures } from "./rollout-figures.ts";

/** As a cell keeps them. `beat` makes each telling another one. */
export function writeFigures({ figures, former, iteratorAgeMs }: RolloutFigures, beat: number): string {
  return JSON.stringify({ beat, ...plain(figures), former: plain(former), iteratorAgeMs });
}

/** `undefined`: another version of millrace wrote it, or nobody did. */
export function figuresIn(document: string): RolloutFigures | undefined {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return undefined;
  }
  const figures = callsIn(value);
  if (figures === undefined) return undefined;
  const { former, iteratorAgeMs } = value as Readonly<Record<string, unknown>>;
  return {
    figures,
    // A process of an older version says nothing of it.
    former: callsIn(former) ?? NO_CALLS,
    iteratorAgeMs: isCount(iteratorAgeMs) ? iteratorAgeMs : undefined,
  };
}

const NO_CALLS: CallFigures = { calls: 0, errors: 0, throttles: 0, durations: new Map() };

function plain({ calls, errors, throttles, durations }: CallFigures): object {
  return { calls, errors, throttles, durations: [...durations] };
}

function callsIn(value: unknown): CallFigures | undefined {
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
