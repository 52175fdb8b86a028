/** What a function's failures may be told with: their texts, or their types and ids alone. */
export type ErrorDetails = "full" | "type";

/** What an adapter can tell of a run beside its outcome. All of it is the function's text: untrusted, and bounded. */
export interface RunDetail {
  /** As the function's runtime writes it, one frame a line; of a server without one, the beginning of its answer. */
  readonly stack?: string;
  /** Member of Lambda's error body that has the stack: its Node runtime writes `trace`, the others `stackTrace`. */
  readonly stackMember?: "trace" | "stackTrace";
  /** Whether that body names the request: Python's does, empty for a start that failed; others' do not. */
  readonly requestIdMember?: "named" | "empty";
  /** The end of what the function printed in this run, `LOG_TAIL_BYTES_MAX` at most. */
  readonly logTail?: string;
}

/** AWS's bound of `X-Amz-Log-Result`. */
export const LOG_TAIL_BYTES_MAX = 4096;
export const ERROR_MESSAGE_BYTES_MAX = 2048;
export const ERROR_STACK_BYTES_MAX = 4096;

/** Failures of a function that are one error, as the error book keeps them. Times are epoch milliseconds. */
export interface FunctionErrorEntry {
  /** The handle of it in logs, explanations and failures: `e7f3`. The same in every process. */
  readonly id: string;
  readonly function: string;
  readonly errorType: string;
  /** Texts are those of the last time, redacted; `undefined` where only types are told. */
  readonly message: string | undefined;
  readonly stack: string | undefined;
  readonly logTail: string | undefined;
  readonly count: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly lastRequestId: string;
  readonly sample: ErrorSample;
  /** That ran; `undefined`: `$LATEST`. */
  readonly version: string | undefined;
}

/** Where one of them was seen. */
export interface ErrorSample {
  readonly shardId?: string;
  readonly group?: string;
  /** Where the first record of the batch stands; a message has its id here. */
  readonly position?: string;
}

/** The errors of a mapping, or of the direct calls of a function. */
export interface FunctionErrors {
  /** The one seen last first. */
  readonly errors: readonly FunctionErrorEntry[];
  /** Errors that had to make room for these. */
  readonly leftOut: number;
}

/** Why a batch was given up: the last failure of it, redacted. */
export interface FailureCause {
  readonly id: string;
  readonly errorType: string;
  /** Empty where only types are told. */
  readonly message: string;
  readonly stack?: string;
}

/** What callers see who may not see texts of functions. */
export function withoutTexts({ errors, leftOut }: FunctionErrors): FunctionErrors {
  const none = { message: undefined, stack: undefined, logTail: undefined };
  return {
    errors: errors.map((error) => ({
      ...error,
      ...none,
      errorType: reducedErrorType(error.errorType),
      sample: error.sample.shardId === undefined ? {} : { shardId: error.sample.shardId },
    })),
    leftOut,
  };
}

const NAME = /^[A-Za-z0-9_.]{1,64}/;

/**
 * What of an error type can be a name: a function may write anything in its place, and it stands in logs, spans and
 * reasons, where no text of a function is.
 */
export function reducedErrorType(errorType: string): string {
  return NAME.exec(errorType)?.[0] ?? "Error";
}

/** The beginning, or the end, of a text: at most so many bytes of UTF-8, and no half of a character. */
export function cutText(text: string, bytesMax: number, kept: "beginning" | "end"): string {
  // A UTF-16 unit is one byte of UTF-8 at least and three at most.
  if (text.length * 3 <= bytesMax) return text;
  const likely = kept === "end" ? text.slice(-bytesMax) : text.slice(0, bytesMax);
  const bytes = Buffer.from(likely);
  if (bytes.length <= bytesMax) return likely;
  if (kept === "beginning") {
    let end = bytesMax;
    while (end > 0 && isContinuation(bytes[end])) end--;
    return bytes.toString("utf8", 0, end);
  }
  let start = bytes.length - bytesMax;
  while (start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.toString("utf8", start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
