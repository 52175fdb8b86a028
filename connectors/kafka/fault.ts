import { firstOf, whenAborted } from "../../src/lib/first-of.ts";
import { type ErrorCode, MillraceError } from "../../src/model/errors.ts";

/** A failed request, told apart as far as the connector acts on it. */
export type FaultReason =
  /** Nothing answers at the address, or the connection was lost. */
  | "unreachable"
  | "timeout"
  /** TLS failed: their certificate, ours, or no TLS at that port. */
  | "tls"
  | "authentication"
  | "authorization"
  | "notFound"
  /** The broker answered with an error code: `protocolCode`. */
  | "protocol"
  /** The broker does not speak what we need, or we do not read what it says. */
  | "unsupported"
  /** What the broker sent cannot be read. */
  | "corrupt"
  /** What the broker sent is more than is taken. */
  | "tooLarge"
  /** The cluster was closed by us. */
  | "closed";

export interface FaultDetails {
  /** Kafka's name of the error: `REBALANCE_IN_PROGRESS`. */
  readonly protocolCode?: string;
  /** What AWS writes into `LastProcessingResult` (kafka §4). */
  readonly processingResult?: string;
  /** With MEMBER_ID_REQUIRED: the id to join with. */
  readonly memberId?: string;
  /** That did not answer: `host:port` of a broker, or who it is. */
  readonly endpoint?: string | undefined;
  readonly cause?: unknown;
}

export class KafkaFault extends MillraceError {
  readonly reason: FaultReason;
  readonly protocolCode: string | undefined;
  readonly processingResult: string | undefined;
  readonly memberId: string | undefined;
  readonly endpoint: string | undefined;

  constructor(reason: FaultReason, message: string, details: FaultDetails = {}) {
    super(codeOf(reason), message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.protocolCode = details.protocolCode;
    this.processingResult = details.processingResult;
    this.memberId = details.memberId;
    this.endpoint = details.endpoint;
  }
}

function codeOf(reason: FaultReason): ErrorCode {
  return reason === "notFound" ? "ERR_MILLRACE_SOURCE_NOT_FOUND" : "ERR_MILLRACE_SOURCE_UNAVAILABLE";
}

export function isFault(error: unknown, ...reasons: readonly FaultReason[]): error is KafkaFault {
  return error instanceof KafkaFault && reasons.includes(error.reason);
}

export function hasProtocolCode(error: unknown, ...codes: readonly string[]): error is KafkaFault {
  return (
    error instanceof KafkaFault && error.protocolCode !== undefined && codes.includes(error.protocolCode)
  );
}

/** Trying elsewhere or again soon may help: the connection, not the request, was at fault. */
export function isConnectionFault(error: unknown): error is KafkaFault {
  return isFault(error, "unreachable", "timeout");
}

/** No broker that talks to us was met at the address: what was there may be elsewhere by now. */
export function isAddressFault(error: unknown): error is KafkaFault {
  return isConnectionFault(error) || isFault(error, "tls", "authentication", "corrupt", "tooLarge");
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError();
}

export function abortedError(): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", "The caller stopped a call to Kafka.");
}

/** What `work` gives, unless the signal aborts first; the work then goes on unseen. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return firstOf(work, whenAborted(signal, abortedError));
}
