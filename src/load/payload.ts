/** What a record of a load test says of itself: enough to find it in the ledger when the function gets it. */
export interface RecordIdentity {
  /** Which run sent it: an existing source may hold records of others. */
  readonly run: string;
  /** 0 … keys - 1 */
  readonly key: number;
  /** 0 for the first record of its key. */
  readonly index: number;
  /** When it was due, on the harness's own monotonic clock, milliseconds. */
  readonly dueMs: number;
}

/** Smaller records cannot name themselves. */
export const RECORD_BYTES_MIN = 128;

/** JSON in ASCII, so that characters are bytes and every source can carry it; filled up to the wanted size. */
export function encodePayload({ run, key, index, dueMs }: RecordIdentity, bytes: number): string {
  const head = `{"run":"${run}","key":${key},"index":${index},"dueMs":${dueMs.toFixed(3)},"fill":"`;
  return `${head}${FILL.slice(0, Math.max(0, bytes - head.length - 2))}"}`;
}

export const RECORD_BYTES_MAX = 256 * 1024;
const FILL = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(Math.ceil(RECORD_BYTES_MAX / 36));

/** `undefined` for what no load test has sent. */
export function decodePayload(text: string): RecordIdentity | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, run = "", key, index, dueMs] = match;
  return { run, key: Number(key), index: Number(index), dueMs: Number(dueMs) };
}

/** The head alone: a function that parses the whole would cost more than what is measured. */
const FORM = /^\{"run":"([\w-]{1,64})","key":(\d{1,9}),"index":(\d{1,12}),"dueMs":(\d{1,15}\.\d{3}),"fill":"/;

export function keyName(key: number): string {
  return `key-${key}`;
}
