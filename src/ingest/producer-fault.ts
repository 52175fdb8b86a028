import { ApiFault } from "../api/wire-fault.ts";
import { ControlFault } from "../control/control-fault.ts";
import { describeError, MillraceError } from "../model/errors.ts";

/** An answer that is an error of the service whose wire is spoken, in its words. */
export class ProducerFault extends Error {
  readonly type: string;
  readonly status: number;
  /** What clients of the older protocol know it by; default: the type. */
  readonly queryCode: string | undefined;

  constructor(
    type: string,
    message: string,
    { status = 400, queryCode }: { readonly status?: number; readonly queryCode?: string } = {},
  ) {
    super(message);
    this.name = "ProducerFault";
    this.type = type;
    this.status = status;
    this.queryCode = queryCode;
  }
}

/** What each service calls what is refused before any of its operations is asked. */
export interface FaultWords {
  /** Too many calls, or too many bytes at once. */
  readonly throttled: string;
  readonly notThere: (message: string) => ProducerFault;
  readonly invalid: string;
  readonly internal: string;
}

/** Whatever was thrown, as the service would say it. Paths of this host and stacks stay here. */
export function producerFault(error: unknown, words: FaultWords): ProducerFault {
  if (error instanceof ProducerFault) return error;
  if (error instanceof ApiFault) return ofApi(error, words);
  if (error instanceof ControlFault) return ofControl(error, words);
  if (error instanceof MillraceError) return new ProducerFault(words.internal, NOT_NOW, { status: 503 });
  if (hasStatus(error)) return new ProducerFault("SerializationException", describeError(error));
  return new ProducerFault(words.internal, "The request processing has failed.", { status: 500 });
}

const NOT_NOW = "The file of streams and queues cannot be used now. Try again.";

function ofApi({ fault, message }: ApiFault, words: FaultWords): ProducerFault {
  switch (fault) {
    case "TooManyRequestsException":
      return new ProducerFault(words.throttled, message);
    case "RequestTooLargeException":
      return new ProducerFault("RequestEntityTooLargeException", message, { status: 413 });
    case "AccessDeniedException":
    case "InvalidSignatureException":
    case "MissingAuthenticationTokenException":
    case "UnrecognizedClientException":
      return new ProducerFault(fault, message, { status: 403 });
    default:
      return new ProducerFault(fault, message);
  }
}

function ofControl({ fault, message }: ControlFault, words: FaultWords): ProducerFault {
  switch (fault) {
    case "ResourceNotFoundException":
      return words.notThere(message);
    case "ServiceException":
      return new ProducerFault(words.internal, message, { status: 503 });
    case "SerializationException":
      return new ProducerFault(fault, message);
    default:
      return new ProducerFault(words.invalid, message);
  }
}

function hasStatus(error: unknown): boolean {
  return typeof error === "object" && error !== null && "statusCode" in error && error.statusCode === 400;
}
