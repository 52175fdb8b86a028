import { z } from "zod";
import { MillraceError } from "../model/errors.ts";
import { FAILURE_STATES, type FailureQuery, type FailureRow } from "../ports/failure-index.ts";

const CONDITIONS = ["RetryAttemptsExhausted", "RecordAgeExceeded", "MaximumPayloadSizeExceeded"] as const;

/** What is not in columns; items as pairs, since there may be many. */
const documentSchema = z.object({
  condition: z.enum(CONDITIONS),
  error: z
    .object({
      id: z.string().optional(),
      type: z.string(),
      message: z.string().optional(),
      stack: z.string().optional(),
    })
    .optional(),
  shardId: z.string(),
  items: z.array(z.tuple([z.string(), z.string().nullable()])),
  count: z.number(),
  bytes: z.number(),
  origin: z.string().optional(),
  trace: z.string().optional(),
  where: z.object({ destination: z.string(), at: z.string().optional() }),
});

export function writeFailure(row: FailureRow): string {
  const { condition, error, shardId, items, count, bytes, where, origin, trace } = row;
  const pairs = items.map(({ position, keyHash }) => [position, keyHash ?? null]);
  return JSON.stringify({ condition, error, shardId, items: pairs, count, bytes, where, origin, trace });
}

/** As a store gives it. */
export interface FailureColumns {
  readonly id: unknown;
  readonly mapping: unknown;
  readonly atMs: unknown;
  readonly state: unknown;
  readonly redriveId: unknown;
  readonly document: unknown;
}

/** @throws MillraceError ERR_MILLRACE_STORE_CORRUPT */
export function readFailure(columns: FailureColumns, place: string): FailureRow {
  const { id, mapping, atMs, redriveId, document } = columns;
  const state = FAILURE_STATES.find((each) => each === columns.state);
  const parsed = documentSchema.safeParse(parsedOrNothing(document));
  if (state === undefined || parsed.data === undefined) throw corrupt(String(id), place);
  const { items, error, where, origin, trace, ...rest } = parsed.data;
  return {
    id: String(id),
    mapping: String(mapping),
    ...rest,
    ...(error === undefined ? {} : { error: withoutUndefined(error) }),
    items: items.map(([position, keyHash]) => ({ position, keyHash: keyHash ?? undefined })),
    where: where.at === undefined ? { destination: where.destination } : { ...where, at: where.at },
    ...(origin === undefined ? {} : { origin }),
    ...(trace === undefined ? {} : { trace }),
    atMs: Number(atMs),
    state,
    ...(typeof redriveId === "string" ? { redriveId } : {}),
  };
}

/** Bounds of a query as values that every SQL knows. */
export function boundsOf({ sinceMs, untilMs, after }: FailureQuery) {
  return {
    since: Math.max(0, Math.floor(sinceMs ?? 0)),
    until: Math.min(Number.MAX_SAFE_INTEGER, Math.floor(untilMs ?? Number.MAX_SAFE_INTEGER)),
    afterMs: after?.atMs ?? -1,
    afterId: after?.id ?? "",
  };
}

function withoutUndefined<Value extends object>(value: Value) {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries) as { [K in keyof Value]: Exclude<Value[K], undefined> };
}

function parsedOrNothing(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function corrupt(id: string, place: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The row of the failure ${JSON.stringify(id)} in ${place} cannot be read: a newer version of millrace wrote it, or nobody did.`,
  );
}
