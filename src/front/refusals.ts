import { ApiFault } from "../api/wire-fault.ts";
import type { FrontRefusal } from "../ports/front-telemetry.ts";
import { type Codec, type FrontAnswer, jsonAnswer } from "./exchange.ts";

/** A request that no function gets to see, and what whoever sent it is told. */
export interface Refusal {
  readonly reason: FrontRefusal;
  readonly answer: FrontAnswer;
}

export const STARTING: Refusal = {
  reason: "starting",
  answer: jsonAnswer(503, { message: "Service Unavailable" }, [["retry-after", "1"]]),
};
export const NO_ROUTE: Refusal = { reason: "no_route", answer: jsonAnswer(404, { message: "Not Found" }) };

/** What was thrown by who reads bodies and who looks at signatures. A body that ended early is nobody's by now. */
export function refusalOf(error: unknown, codec: Codec | undefined): Refusal {
  if (!(error instanceof ApiFault))
    return { reason: "malformed", answer: jsonAnswer(400, { message: "The request cannot be read." }) };
  const { fault, message } = error;
  switch (fault) {
    case "RequestTooLargeException":
      return { reason: "too_large", answer: codec?.failed("tooLarge") ?? jsonAnswer(413, { message }) };
    case "TooManyRequestsException":
      return { reason: "busy", answer: jsonAnswer(503, { message }, [["retry-after", "1"]]) };
    case "MissingAuthenticationTokenException":
    case "AccessDeniedException":
      return { reason: "unsigned", answer: codec?.failed("forbidden") ?? jsonAnswer(403, { message }) };
    default:
      return { reason: "unsigned", answer: jsonAnswer(403, { message }, [["x-amzn-errortype", fault]]) };
  }
}
