import {
  AUTHENTICATION,
  AUTHORIZATION,
  BrokerFault,
  type BrokerFaultDetails,
} from "../../src/brokers/broker-fault.ts";
import { describeError } from "../../src/model/errors.ts";

/** Reply codes of AMQP 0-9-1. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const RESOURCE_LOCKED = 405;
const PRECONDITION_FAILED = 406;
const CONNECTION_FORCED = 320;

/** The queue was deleted, or its node failed. */
export function cancelFault(place: string): BrokerFault {
  const message = `The broker ended reading the ${place}: it was deleted, or its node failed.`;
  return new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", message, { isCancel: true });
}

/** `place`: the queue and the broker, in messages. */
export function brokerFault(error: unknown, place: string): BrokerFault {
  if (error instanceof BrokerFault) return error;
  const text = describeError(error);
  const unavailable = (message: string, details: BrokerFaultDetails = {}) =>
    new BrokerFault("ERR_MILLRACE_SOURCE_UNAVAILABLE", message, { cause: error, ...details });
  // The client tells of the reply to Connection.Open neither code nor text.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(text)) {
    return unavailable(
      `The broker of the ${place} has no such virtual host, or the user may not use it. Look at VIRTUAL_HOST.`,
      { processingResult: AUTHORIZATION, fault: "denied" },
    );
  }
  // AMQP has one code for several causes, and tells them apart by text alone.
  switch (replyCodeOf(error, text)) {
    case NOT_FOUND:
      return new BrokerFault(
        "ERR_MILLRACE_SOURCE_NOT_FOUND",
        `There is no ${place}. Make it, or name another.`,
        {
          cause: error,
        },
      );
    case RESOURCE_LOCKED:
      return unavailable(`The ${place} is exclusive to another connection. Declare it without "exclusive".`, {
        fault: "refused",
      });
    case PRECONDITION_FAILED:
      return preconditionFailed(text, place, unavailable);
    case CONNECTION_FORCED:
      return unavailable(
        `The broker of the ${place} closed the connection: it stops, or its operator closed it.`,
      );
    case ACCESS_REFUSED:
      return accessRefused(text, place, unavailable);
    default:
      return unavailable(`The broker of the ${place} cannot be used now: ${text}`);
  }
}

type Unavailable = (message: string, details?: BrokerFaultDetails) => BrokerFault;

function preconditionFailed(text: string, place: string, unavailable: Unavailable): BrokerFault {
  if (/delivery acknowledgement on channel \d+ timed out/.test(text)) {
    return unavailable(
      `The broker closed the channel of the ${place}, since a message was not acknowledged within its consumer_timeout. ` +
        "Give its value as consumerTimeoutSeconds, or raise it at the broker above twice the function's timeoutSeconds.",
    );
  }
  if (/unknown delivery tag/.test(text))
    return unavailable(`The broker of the ${place} does not know a delivery that was settled: ${text}`);
  return unavailable(`The broker of the ${place} refused what was asked: ${text}`, { fault: "refused" });
}

function accessRefused(text: string, place: string, unavailable: Unavailable): BrokerFault {
  if (/in exclusive use/.test(text)) {
    const message = `Another consumer has the ${place} for itself. This process reads it when that one has gone.`;
    return unavailable(message, { isTaken: true });
  }
  if (/login was refused|authentication mechanism/i.test(text)) {
    return unavailable(
      `The broker of the ${place} refused the login. Give a user and a password that it knows as BASIC_AUTH.`,
      { processingResult: AUTHENTICATION, fault: "credentials" },
    );
  }
  return unavailable(
    `The user may not read the ${place}. Give it the permissions "read" of the queue and access to the virtual host.`,
    { processingResult: AUTHORIZATION, fault: "denied" },
  );
}

/** A channel's is a member; a connection's stands only in the client's text: `403 (ACCESS-REFUSED) with message …`. */
function replyCodeOf(error: unknown, text: string): number | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "number") return error.code;
  const code = /\b(\d{3}) \([A-Z-]+\)/.exec(text)?.[1];
  return code === undefined ? undefined : Number(code);
}
