import { MillraceError } from "../model/errors.ts";

/** What AWS writes where a broker's consumer stops (brokers §1). */
export const AUTHENTICATION = "EVENT_SOURCE_AUTHN_ERROR";
export const AUTHORIZATION = "EVENT_SOURCE_AUTHZ_ERROR";

export interface BrokerFaultDetails {
  readonly cause?: unknown;
  readonly processingResult?: string;
  readonly isTaken?: boolean;
  readonly isCancel?: boolean;
  readonly fault?: "denied" | "credentials" | "refused";
}

/** What went wrong at a broker, in the errors of the port. */
export class BrokerFault extends MillraceError {
  /** What AWS writes into `LastProcessingResult`. */
  readonly processingResult: string | undefined;
  /** Another consumer has the queue for itself. */
  readonly isTaken: boolean;
  /** The broker ended the consumer: whoever begins anew learns whether the queue is there. */
  readonly isCancel: boolean;

  constructor(
    code: "ERR_MILLRACE_SOURCE_NOT_FOUND" | "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    message: string,
    details: BrokerFaultDetails = {},
  ) {
    super(code, message, { cause: details.cause, fault: details.fault });
    this.processingResult = details.processingResult;
    this.isTaken = details.isTaken ?? false;
    this.isCancel = details.isCancel ?? false;
  }
}
