import { AUTHENTICATION, AUTHORIZATION, BrokerFault } from "../../src/brokers/broker-fault.ts";
import { describeError } from "../../src/model/errors.ts";

/** Conditions of AMQP 1.0, by which brokers say why they end something. */
const NOT_FOUND = ["amqp:not-found", "amqp:resource-deleted"];
const REFUSED = [
  "amqp:not-allowed",
  "amqp:not-implemented",
  "amqp:invalid-field",
  "amqp:precondition-failed",
];
const DENIED = "amqp:unauthorized-access";
const LOCKED = "amqp:resource-locked";
const FORCED = "amqp:connection:forced";

/** What was under way: brokers say the same of a login and of a queue. */
export type Step = "login" | "queue";

/** A broker's error in the errors of the port. `place`: the queue and the broker, in messages. */
export function amqpFault(error: unknown, place: string, step: Step): BrokerFault {
  if (error instanceof BrokerFault) return error;
  const condition = memberOf(error, "condition");
  const text =
    error instanceof Error ? describeError(error) : String(memberOf(error, "description") ?? condition);
  const cause = error;
  const unavailable = "ERR_MILLRACE_SOURCE_UNAVAILABLE";
  if (condition === DENIED && step === "login") {
    return new BrokerFault(
      unavailable,
      `The broker of the ${place} refused the login. Give a user and a password that it knows as BASIC_AUTH.`,
      { cause, processingResult: AUTHENTICATION, fault: "credentials" },
    );
  }
  if (condition === DENIED) {
    return new BrokerFault(
      unavailable,
      `The user may not read the ${place}. Give it the right to read it, and to make it where it is not there.`,
      { cause, processingResult: AUTHORIZATION, fault: "denied" },
    );
  }
  if (typeof condition === "string" && NOT_FOUND.includes(condition)) {
    const message = `There is no ${place}. Make it, or name another.`;
    return new BrokerFault("ERR_MILLRACE_SOURCE_NOT_FOUND", message, { cause });
  }
  if (condition === LOCKED) {
    const message = `Another consumer has the ${place} for itself. This process reads it when that one has gone.`;
    return new BrokerFault(unavailable, message, { cause, isTaken: true });
  }
  if (condition === FORCED) {
    const message = `The broker of the ${place} closed the connection: it stops, or its operator closed it.`;
    return new BrokerFault(unavailable, message, { cause });
  }
  const isRefused = typeof condition === "string" && REFUSED.includes(condition);
  const message = `The broker of the ${place} ${isRefused ? "refused what was asked" : "cannot be used now"}: ${text}`;
  return new BrokerFault(unavailable, message, { cause, ...(isRefused ? { fault: "refused" } : {}) });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
