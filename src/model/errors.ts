/**
 * The closed catalogue of errors. A code never changes its meaning; what happened, to which object and what to do
 * next stand in the message; what caused it is kept in `cause`.
 */
export const ERROR_CODES = [
  /** A manifest, flag or setting is not valid; the message names file, line, field and remedy. */
  "ERR_MILLRACE_CONFIG",
  /** A filter pattern is not valid. */
  "ERR_MILLRACE_FILTER_PATTERN",
  /** A source could not be read now; reading goes on after a pause. */
  "ERR_MILLRACE_SOURCE_UNAVAILABLE",
  /** A source asked for fewer reads; reading goes on after a pause. */
  "ERR_MILLRACE_SOURCE_THROTTLED",
  /** The stream, shard or queue does not exist. */
  "ERR_MILLRACE_SOURCE_NOT_FOUND",
  /** A function target cannot be built or started. */
  "ERR_MILLRACE_FUNCTION",
  /** Nobody declares a function of that name. */
  "ERR_MILLRACE_NO_FUNCTION",
  /** An archive of code cannot be used as it is, or a package is not where it was put. */
  "ERR_MILLRACE_PACKAGE",
  /** A store did not answer, or what it did is unknown; the write is read back. */
  "ERR_MILLRACE_STORE_UNAVAILABLE",
  /** A store holds something that this version cannot read. */
  "ERR_MILLRACE_STORE_CORRUPT",
  /** A destination did not accept a failure record now; delivery is tried again. */
  "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
  /** A destination can never accept this failure record. */
  "ERR_MILLRACE_DESTINATION_REJECTED",
  /** The control API refuses what it was asked: asking again does not help. */
  "ERR_MILLRACE_API_REFUSED",
  /** The control API cannot be reached, or could not do it now. */
  "ERR_MILLRACE_API_UNAVAILABLE",
  /** The API server of a cluster cannot be reached, or could not do it now; it is asked again. */
  "ERR_MILLRACE_CLUSTER_UNAVAILABLE",
  /** The API server of a cluster refuses what it was asked: a kind or a permission is missing. */
  "ERR_MILLRACE_CLUSTER_REFUSED",
  /** An operation was stopped by its caller. */
  "ERR_MILLRACE_ABORTED",
  /** A rule that the code relies on does not hold: a defect. The worker stops. */
  "ERR_MILLRACE_INVARIANT",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Closed. What went wrong, told apart as far as anyone acts on it: whether waiting can help, and whom to call. */
export const FAULTS = [
  /** The network, the service or a server in between failed, or did not answer in time. */
  "passing",
  /** The service asks for fewer calls. */
  "throttled",
  /** The service refused a request for its time: this host's clock is off. */
  "clock",
  /** The credentials were good once; newer ones come without anybody's doing, or soon. */
  "credentialsExpired",
  /** There are no credentials, or nobody knows them. */
  "credentials",
  /** The credentials are known, and may not do it. */
  "denied",
  /** What was asked for is not there. */
  "notFound",
  /** What was asked for is refused as it stands: a setting is wrong. */
  "refused",
  /** Something that nobody foresaw: a defect. */
  "defect",
] as const;

export type Fault = (typeof FAULTS)[number];

const PASSING: readonly Fault[] = ["passing", "throttled", "clock", "credentialsExpired"];

const FAULT_OF_CODE: Readonly<Record<ErrorCode, Fault>> = {
  ERR_MILLRACE_CONFIG: "refused",
  ERR_MILLRACE_FILTER_PATTERN: "refused",
  ERR_MILLRACE_SOURCE_UNAVAILABLE: "passing",
  ERR_MILLRACE_SOURCE_THROTTLED: "throttled",
  ERR_MILLRACE_SOURCE_NOT_FOUND: "notFound",
  ERR_MILLRACE_FUNCTION: "refused",
  ERR_MILLRACE_NO_FUNCTION: "notFound",
  ERR_MILLRACE_PACKAGE: "refused",
  ERR_MILLRACE_STORE_UNAVAILABLE: "passing",
  ERR_MILLRACE_STORE_CORRUPT: "refused",
  ERR_MILLRACE_DESTINATION_UNAVAILABLE: "passing",
  ERR_MILLRACE_DESTINATION_REJECTED: "refused",
  ERR_MILLRACE_API_REFUSED: "refused",
  ERR_MILLRACE_API_UNAVAILABLE: "passing",
  ERR_MILLRACE_CLUSTER_UNAVAILABLE: "passing",
  ERR_MILLRACE_CLUSTER_REFUSED: "denied",
  ERR_MILLRACE_ABORTED: "passing",
  ERR_MILLRACE_INVARIANT: "defect",
};

export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly fault: Fault;

  /** `fault`: where it is known better than the code alone says it. */
  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly fault?: Fault | undefined },
  ) {
    super(message, options);
    this.name = "MillraceError";
    this.code = code;
    this.fault = options?.fault ?? FAULT_OF_CODE[code];
  }
}

export function faultOf(error: unknown): Fault {
  return error instanceof MillraceError ? error.fault : "defect";
}

/**
 * Whether what failed may work a while later although nobody changes anything. All others are tried again too, since
 * somebody may, but what waits for them says that it waits for a change.
 */
export function isPassingFault(error: unknown): boolean {
  return isPassing(faultOf(error));
}

export function isPassing(fault: Fault): boolean {
  return PASSING.includes(fault);
}

export function hasErrorCode(error: unknown, code: ErrorCode): error is MillraceError {
  return error instanceof MillraceError && error.code === code;
}

/** Stops the worker that called it when `condition` does not hold: assertions stay on in production. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new MillraceError(
      "ERR_MILLRACE_INVARIANT",
      `${message}. This is a defect in millrace: please report it.`,
    );
  }
}

const CAUSES_MAX = 10;

/**
 * What AWS writes into `LastProcessingResult` for this error: said by the adapter that threw it, or whose error caused
 * it, as the member `processingResult`.
 */
export function processingResultOf(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if ("processingResult" in cause && typeof cause.processingResult === "string")
      return cause.processingResult;
    cause = cause.cause;
  }
  return undefined;
}

/**
 * The endpoint that did not answer, when the error is of it and not of what was asked: said by the adapter, as the
 * member `endpoint`. Whoever else asks there fails alike.
 */
export function endpointOf(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if ("endpoint" in cause && typeof cause.endpoint === "string") return cause.endpoint;
    cause = cause.cause;
  }
  return undefined;
}

/** One line for a log: the message of an error, or what was thrown instead of one. */
export function describeError(error: unknown): string {
  if (error instanceof MillraceError) return `${error.code}: ${error.message}`;
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    // Anything can be thrown: an object without a text of its own must not be thrown on.
    // plant: a-thing-that-is-thrown-and-has-no-text-stops-the-mapping
    return "something that is not an error was thrown";
  }
}
