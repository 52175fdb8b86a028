import type { Checkpoint, SettledRange, WindowCheckpoint } from "../model/checkpoint.ts";
import type { StartPoint } from "../model/record.ts";

/** Checkpoints are stored as JSON text: a person can read them in the store, and members can be added later. */
export function writeCheckpoint(checkpoint: Checkpoint): string {
  return JSON.stringify(checkpoint);
}

/** `undefined` for anything that is not a whole checkpoint: resuming from half of one would lose or repeat records. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const value = parseObject(text);
  if (value === undefined) return undefined;
  const resume = readStartPoint(value["resume"]);
  const settledRanges = readRanges(value["settledRanges"]);
  const { revision, ended, window, logId } = value;
  if (typeof revision !== "number" || !Number.isSafeInteger(revision)) return undefined;
  if (resume === undefined || settledRanges === undefined || typeof ended !== "boolean") return undefined;
  if (logId !== undefined && typeof logId !== "string") return undefined;
  const open = window === undefined ? undefined : readWindow(window);
  if (window !== undefined && open === undefined) return undefined;
  const checkpoint = { revision, resume, settledRanges, ended, window: open };
  return logId === undefined ? checkpoint : { ...checkpoint, logId };
}

/** A list of strings in JSON, or `undefined` for anything else. */
export function readStrings(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

function readStartPoint(value: unknown): StartPoint | undefined {
  if (!isObject(value)) return undefined;
  const { kind, epochMs, position } = value;
  if (kind === "oldest") return { kind };
  if (kind === "timestamp" && typeof epochMs === "number") return { kind, epochMs };
  if (kind === "after" && typeof position === "string") return { kind, position };
  return undefined;
}

function readRanges(value: unknown): readonly SettledRange[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ranges: SettledRange[] = [];
  for (const item of value as readonly unknown[]) {
    if (!isObject(item)) return undefined;
    const { from, to } = item;
    if (typeof from !== "string" || typeof to !== "string") return undefined;
    ranges.push({ from, to });
  }
  return ranges;
}

function readWindow(value: unknown): WindowCheckpoint | undefined {
  if (!isObject(value)) return undefined;
  const { startMs, lengthMs, stateJson, lastPosition, earlyEnds, triedForMs } = value;
  if (typeof startMs !== "number" || typeof stateJson !== "string") return undefined;
  if (lengthMs !== undefined && !isCount(lengthMs)) return undefined;
  if (lengthMs === 0 || (lastPosition !== undefined && typeof lastPosition !== "string")) return undefined;
  if (
    (earlyEnds !== undefined && !isCount(earlyEnds)) ||
    (triedForMs !== undefined && !isCount(triedForMs))
  ) {
    return undefined;
  }
  return {
    startMs,
    stateJson,
    ...(lengthMs === undefined ? {} : { lengthMs }),
    ...(lastPosition === undefined ? {} : { lastPosition }),
    ...(earlyEnds === undefined ? {} : { earlyEnds }),
    ...(triedForMs === undefined ? {} : { triedForMs }),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

type JsonObject = { readonly [key: string]: unknown };

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null;
}
